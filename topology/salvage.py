"""What else is wrong: the laws of a file whose form is broken, judged on the parts that are whole.

Without this, a misspelled key would hide a misspelled service, and people would learn of their mistakes one run at a time.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic import ValidationError

from topology.explain import locate
from topology.findings import Finding, KeyPath
from topology.laws import LAWS_OF_PARTS
from topology.laws.names import names_resolve
from topology.model.system import Topology

ROUNDS = 4
"""Removing what is wrong may leave something empty, which is wrong in turn."""

STAND_IN = {"system": "system"}
"""What a file may lack at its top without making the rest meaningless."""


def salvage(value: object, error: ValidationError) -> Iterator[Finding]:
    """Yield what the laws find in the sound parts, without findings that may only follow from what is broken."""
    if not isinstance(value, dict):
        return
    rest = STAND_IN | copy.deepcopy(cast(dict[str, Any], value))
    broken: set[KeyPath] = set()
    names: set[str] = set()
    for _ in range(ROUNDS):
        for path in sorted(_broken(error), key=_last_item_first):
            if not path or not isinstance(path[0], str):
                return
            broken.add(path[:2])
            names |= {part for part in path if isinstance(part, str)} | set(_names(_remove(rest, path)))
        rest = STAND_IN | rest
        try:
            t = Topology.model_validate(rest)
            break
        except ValidationError as next_error:
            error = next_error
    else:
        return
    for law in LAWS_OF_PARTS:
        for finding in law(t):
            # A name that leads nowhere does so whatever else is wrong beside it; other laws weigh a part as a whole.
            whole = law is names_resolve or not {finding.path[:1], finding.path[:2]} & broken
            if whole and finding.given not in names:
                yield finding


def _broken(error: ValidationError) -> set[KeyPath]:
    """Return the path of each wrong value; where one is missing, that of the mapping that lacks it."""
    return {
        path[:-1] if item["type"] == "missing" else path for item in error.errors(include_url=False) for path in [locate(item["loc"]).path]
    }


def _last_item_first(path: KeyPath) -> tuple[bool, int, str]:
    """Sort so that removing an item of a list does not move one that is still to be removed."""
    last = path[-1] if path else ""
    return (isinstance(last, str), -last if isinstance(last, int) else 0, str(path))


def _remove(value: Any, path: KeyPath) -> Any:
    for part in path[:-1]:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    if isinstance(value, dict):
        return cast(dict[str | int, Any], value).pop(path[-1], None)
    if isinstance(value, list) and isinstance(path[-1], int) and path[-1] < len(cast(list[Any], value)):
        return cast(list[Any], value).pop(path[-1])
    return None


def _names(value: Any) -> Iterator[str]:
    """Yield every key and text of a value that was removed: what it would have defined."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in cast(list[Any], value):
            yield from _names(inner)
    elif isinstance(value, Mapping):
        for key, inner in cast(Mapping[str, Any], value).items():
            yield key
            yield from _names(inner)
