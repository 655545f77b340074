"""The path grammar of a topology, one spelling for all layers.

| pattern | matches |
| --- | --- |
| `/a/b` | exactly `/a/b` |
| `/a/*` | every path that begins with `/a/` |
| `/a/{*}/b` | `/a/`, one non-empty segment, `/b` |

It is the part of Istio's AuthorizationPolicy path grammar that every gateway can say too
(https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation).
"""

import re
from typing import Annotated

from pydantic import AfterValidator

ANY_SEGMENT = "{*}"
_SEGMENT = re.compile(r"^[A-Za-z0-9._~!$&'()+,;=:@-]+$")


def _check(pattern: str) -> str:
    if not pattern.startswith("/"):
        raise ValueError("a path begins with '/'")
    segments = pattern[1:].split("/")
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        if segment == "*" and last:
            continue
        if segment == "" and last:
            continue
        if segment == "":
            raise ValueError("a path has no empty segment ('//' is normalised away before any layer matches)")
        if segment in {".", ".."}:
            raise ValueError("a path has no dot segment ('.' and '..' are normalised away before any layer matches)")
        if segment != ANY_SEGMENT and not _SEGMENT.match(segment):
            raise ValueError("'*' may stand alone as the last segment, '{*}' alone as any segment, nothing else is special")
    return pattern


PathPattern = Annotated[str, AfterValidator(_check)]
"""A path pattern in the grammar above."""


def is_prefix(pattern: str) -> bool:
    """Say whether the pattern matches every path below it (`/a/*`)."""
    return pattern.endswith("/*")


def stem(pattern: str) -> str:
    """Return the pattern without its trailing `*`: `/a/*` becomes `/a/`."""
    return pattern.removesuffix("*") if is_prefix(pattern) else pattern


def is_template(pattern: str) -> bool:
    """Say whether the pattern holds a `{*}` segment."""
    return ANY_SEGMENT in pattern


def regex(pattern: str) -> str:
    """Return an RE2 expression, not anchored, that matches the same paths as the pattern."""
    text = re.escape(stem(pattern)).replace(re.escape(ANY_SEGMENT), "[^/]+")
    return f"{text}.*" if is_prefix(pattern) else text


def rewrite(pattern: str, prefix: str, replacement: str) -> str:
    """Return the pattern as the service sees it after `prefix` was replaced; `prefix` must begin the pattern."""
    return replacement + pattern.removeprefix(prefix)
