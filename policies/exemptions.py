"""Exemptions: findings that people accept for a while, each with a reason, an owner and an end."""

from collections.abc import Iterable
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from policies.rule import Finding

STACK: Final = "stack"
"""What `resource` says for a finding on the stack as a whole, which has no URN."""


class Exemption(BaseModel):
    """One accepted finding."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Annotated[str, Field(pattern=r"^[A-Z]\d{2}$")]
    resource: Annotated[str, Field(min_length=1)]
    """URN of the resource, `*` and `?` as in file names; `stack` for a finding that names no resource."""
    reason: Annotated[str, Field(min_length=20)]
    """Why it is accepted, in a sentence."""
    owner: Annotated[str, Field(min_length=2)]
    """Who answers for it."""
    expires: date
    """The last day on which it holds."""

    def expired(self, today: date) -> bool:
        """Say whether the last day is over."""
        return today > self.expires


class ExemptionError(Exception):
    """An exemptions file that cannot be used; the message says everything that is wrong with it."""


_FILE: Final = TypeAdapter(tuple[Exemption, ...])


def load(path: Path) -> tuple[Exemption, ...]:
    """Read a file of exemptions; an absent file means none.

    Raises:
        ExemptionError: with everything that is wrong with the file.
    """
    if not path.is_file():
        return ()
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ExemptionError(f"{path}: cannot be read: {error}. Write a YAML list.") from error
    try:
        return _FILE.validate_python([] if document is None else document)
    except ValidationError as error:
        lines = (f"{path}: {_place(item['loc'])}: {_given(item['input'])}{item['msg']}" for item in error.errors(include_url=False))
        raise ExemptionError("\n".join(lines)) from error


def matching(finding: Finding, exemptions: Iterable[Exemption]) -> Exemption | None:
    """Return the exemption for a finding that ends last, or None."""
    fitting = [e for e in exemptions if e.rule == finding.rule and fnmatchcase(finding.urn or STACK, e.resource)]
    return max(fitting, key=lambda exemption: exemption.expires, default=None)


def _place(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location) or "(top)"


def _given(value: Any) -> str:
    return f'"{value}" ' if isinstance(value, str | int | float | date) else ""
