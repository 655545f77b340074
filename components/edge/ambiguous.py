"""Paths that layers might read differently: Istio decodes and merges slashes, others do not."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Ambiguity:
    """A reason to refuse a path, and the expression that finds it in a request's path and query as they came."""

    reason: str
    regex: str
    any_case: bool


AMBIGUOUS: Final = (
    Ambiguity(reason="not-ascii", regex=r"[^\x21-\x7e]", any_case=False),
    Ambiguity(reason="fragment", regex="#", any_case=False),
    Ambiguity(reason="encoded-slash", regex="^[^?]*%(?:2f|5c)", any_case=True),
    Ambiguity(reason="backslash", regex=r"^[^?]*\x5c", any_case=False),
    Ambiguity(reason="encoded-dot", regex="^[^?]*%2e", any_case=True),
    Ambiguity(reason="empty-segment", regex="^[^?]*//", any_case=False),
    Ambiguity(reason="dot-segment", regex=r"^[^?]*/\.\.?(?:[/;?]|$)", any_case=False),
    Ambiguity(reason="control-character", regex="^[^?]*%(?:[01][0-9a-f]|7f)", any_case=True),
    Ambiguity(reason="encoded-twice", regex="^[^?]*%25[0-9a-f][0-9a-f]", any_case=True),
    Ambiguity(reason="not-utf8", regex="^[^?]*%(?:c[01]|e0%[89]|f0%8|f[5-9a-f])", any_case=True),
)
"""Every reason. What is left reads the same everywhere, so the edge passes it on as it came."""
