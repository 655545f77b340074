"""Values held against a table of what is accepted: everything that nobody reviewed is named, so that it can be reviewed.

The fields of a chart, of a policy or of a plugin are an open set, and every product has some that change what the boundary rests
on. So tables say what is accepted, and with which values; the rest is undecided.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from policies.reading.values import type_of

ANY: Final = r"[\s\S]*"
"""Any value: the field opens nothing, or a rule reads it."""

_NESTED: Final = frozenset[object]({dict, list})

Table = Mapping[str, str]
"""Accepted paths with a regular expression for the whole value. `*` stands for one part of a path, at its end for all that follows."""


def all_of(paths: str, value: str = ANY) -> dict[str, str]:
    """Return a table that accepts one value at each of several paths, which are parted by spaces."""
    return dict.fromkeys(paths.split(), value)


def under(place: str, fields: Table) -> dict[str, str]:
    """Return a table with all its paths below a place."""
    return {f"{place}.{path}": value for path, value in fields.items()}


@dataclass(kw_only=True, slots=True, eq=False)
class Place:
    """A path as a table sees it. A plan has few paths and many objects: what was found about a path is kept."""

    table: tuple[tuple[str, str], ...]
    path: str = ""
    patterns: tuple[str, ...] = ()
    """Expressions of which one must fit a value here; none: nothing is accepted here."""
    open: bool = False
    """Whatever stands below is accepted."""
    any: bool = False
    """Every value is accepted here."""
    _below: dict[str | int, "Place"] = field(default_factory=dict[str | int, "Place"])

    def below(self, step: str | int) -> "Place":
        """Return the place of a field or of a position in a list."""
        return self._below.get(step) or self._met(step)

    def _met(self, step: str | int) -> "Place":
        spelled = _step(step)
        path = f"{self.path}.{spelled}" if self.path else spelled
        patterns = tuple(pattern for accepted, pattern in self.table if _matcher(accepted).fullmatch(path))
        open_ = any(p == ANY and accepted.endswith("*") and _matcher(accepted).fullmatch(f"{path}.") for accepted, p in self.table)
        found = Place(table=self.table, path=path, patterns=patterns, open=open_, any=ANY in patterns)
        return self._below.setdefault(step, found)


def places(table: Table) -> Place:
    """Return the beginning of all paths of a table. Equal tables share what was found about their paths."""
    return _places(tuple(table.items()))


@cache
def _places(table: tuple[tuple[str, str], ...]) -> Place:
    return Place(table=table)


def unaccepted(value: Any, table: Table | Place, *, empty: bool = False) -> Iterator[tuple[str, str]]:
    """Yield what a table does not accept: path, and the value where another one would be accepted.

    `empty` says that an empty mapping means something too (`http3: {}` switches HTTP/3 on).

    Raises:
        UnknownValueError: if a value that matters is not known.
    """
    waiting: list[tuple[Place, Any]] = [(table if isinstance(table, Place) else places(table), value)]
    while waiting:  # most of what a plan holds passes here
        place, given = waiting.pop()
        kind = type_of(given)
        steps: Iterable[tuple[str | int, Any]]
        if kind is dict:
            steps, counts = given.items(), empty and place.path != ""
        elif kind is list and place.path:
            steps, counts = enumerate(given), True
        else:
            yield from _unfit(place, given)
            continue
        if place.open:
            continue
        if given:
            inner = [(place.below(step), each) for step, each in steps]
            waiting += [(at, each) for at, each in reversed(inner) if not (at.any and (at.open or type_of(each) not in _NESTED))]
        elif counts:
            yield from _unfit(place.below(""), "")


def _unfit(place: Place, given: Any) -> Iterator[tuple[str, str]]:
    if not place.patterns:
        yield place.path, ""
    elif not place.any and not any(re.fullmatch(pattern, _spelled(given)) for pattern in place.patterns):
        yield place.path, _spelled(given)


def _step(step: str | int) -> str:
    r"""Spell a key as a part of a path. A dot in it is `\.`, so that `a.b` is never taken for `b` in `a`; but for names with a prefix, as of labels."""
    return step.replace(".", r"\.") if isinstance(step, str) and "/" not in step else str(step)


@cache
def _matcher(accepted: str) -> re.Pattern[str]:
    beginning, star = accepted.removesuffix("*"), accepted.endswith("*")
    return re.compile(r"(?:\\.|[^.\\])*".join(map(re.escape, beginning.split("*"))) + (ANY if star else ""))


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
