"""Values held against a table of what is accepted: everything that nobody reviewed is named, so that it can be reviewed.

The fields of a chart, of a policy or of a plugin are an open set, and every product has some that change what the boundary rests
on. So tables say what is accepted, and with which values; the rest is undecided.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, cast

from policies.reading.values import is_known, mapping, sequence

ANY: Final = r"[\s\S]*"
"""Any value: the field opens nothing, or a rule reads it."""

Table = Mapping[str, str]
"""Accepted paths with a regular expression for the whole value. `*` stands for one part of a path, at its end for all that follows."""


def all_of(paths: str, value: str = ANY) -> dict[str, str]:
    """Return a table that accepts one value at each of several paths, which are parted by spaces."""
    return dict.fromkeys(paths.split(), value)


def under(place: str, fields: Table) -> dict[str, str]:
    """Return a table with all its paths below a place."""
    return {f"{place}.{path}": value for path, value in fields.items()}


def unaccepted(value: Any, table: Table, *, empty: bool = False) -> Iterator[tuple[str, str]]:
    """Yield what a table does not accept: path, and the value where another one would be accepted.

    `empty` says that an empty mapping means something too (`http3: {}` switches HTTP/3 on).

    Raises:
        UnknownValueError: if a value that matters is not known.
    """
    met = _met(tuple(table.items()))
    for path, leaf in _leaves(value, "", empty=empty):
        if (patterns := met.get(path)) is None:
            patterns = met[path] = tuple(pattern for accepted, pattern in table.items() if _matcher(accepted).fullmatch(path))
        if not patterns:
            yield path, ""
        elif ANY not in patterns and not any(re.fullmatch(pattern, _spelled(leaf)) for pattern in patterns):
            yield path, _spelled(leaf)


@cache
def _met(table: tuple[tuple[str, str], ...]) -> dict[str, tuple[str, ...]]:
    """Return what was found in a table so far: by path, the patterns for its value. A plan has few paths and many objects."""
    return {}


@cache
def _matcher(accepted: str) -> re.Pattern[str]:
    beginning, star = accepted.removesuffix("*"), accepted.endswith("*")
    return re.compile("[^.]*".join(map(re.escape, beginning.split("*"))) + (ANY if star else ""))


def _leaves(value: Any, path: str, *, empty: bool) -> Iterator[tuple[str, Any]]:
    if is_known(value, dict):
        fields = mapping(value)
        for key, inner in fields.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key), empty=empty)
        if not fields and path and empty:
            yield f"{path}.", cast("Any", "")
    elif is_known(value, list) and path:
        items = sequence(value)
        for position, inner in enumerate(items):
            yield from _leaves(inner, f"{path}.{position}", empty=empty)
        if not items:
            yield f"{path}.", cast("Any", "")
    else:
        yield path, value


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
