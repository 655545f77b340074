"""What else is wrong: the laws of a file whose form is broken.

Without this, a misspelled key would hide a misspelled service, and people would learn of their mistakes one run at a time.

What is whole stays. A misspelled key is read as the one that was probably meant, a misspelled name of the user's stays as it is, and
every other broken value makes room for stand-ins: different ones at every turn. A finding counts if it is there at every turn and not
about a stand-in, for then it does not depend on what the broken values were meant to be.
"""

import copy
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from topology.explain import Place, keys_of, locate
from topology.findings import Finding, KeyPath, nearest
from topology.laws import broken
from topology.model.system import Topology
from topology.model.text import TAKEN
from topology.standins import TURNS, stand_in

ROUNDS: Final = 32
"""Under a broken value that was replaced another may come to light: one in each round."""

MOST_SIBLINGS: Final = 8
"""So many values that stand at the same place elsewhere in the file are tried as stand-ins, too."""

MOST_NAMES: Final = 64
"""So many names are tried as what a broken value may have meant."""


def salvage(value: object, error: ValidationError | None, doubtful: Iterable[KeyPath] = ()) -> list[Finding]:
    """Return what the laws find whatever the broken values of a file were meant to be.

    Args:
        value: the file's values.
        error: what is wrong with their form.
        doubtful: what else cannot be relied upon, such as a key that is written twice.
    """
    if not isinstance(value, dict):
        return []
    ruins = _Ruins(copy.deepcopy(cast(dict[str, Any], value)))
    ruins.holes.update({path: _hole(locate(path)) for path in doubtful})
    ruins.clear(error)
    return ruins.findings()


@dataclass(frozen=True, kw_only=True)
class Hole:
    """A place whose value is broken.

    Attributes:
        type: what should be there.
        optional: whether nothing may be there.
        kept: items of a list, or entries of a mapping, that stay: it only holds too few.
    """

    type: Any
    optional: bool
    kept: Any = None


Filling = Mapping[KeyPath, object]
"""A value for each hole; `ABSENT` for none."""

ABSENT: Final = object()


@dataclass
class _Ruins:
    """What is left of a file."""

    value: dict[str, Any]
    holes: dict[KeyPath, Hole] = field(default_factory=dict[KeyPath, Hole])
    taken: dict[KeyPath, str] = field(default_factory=dict[KeyPath, str])
    """Keys that are no names, by path: they stay."""
    renamed: dict[KeyPath, str] = field(default_factory=dict[KeyPath, str])
    """Keys that were misspelled, by the path they have now."""

    def clear(self, error: ValidationError | None) -> None:
        """Find every hole, until what is left is valid with stand-ins in them."""
        tried: set[KeyPath] = set()
        for _ in range(ROUNDS):
            if error is None:
                return
            # A misspelled key is read as what was meant, which then is not missing.
            for item in sorted(error.errors(include_url=False), key=lambda item: item["type"] != "extra_forbidden"):
                self._make_room(item, tried)
            tried = {*self.holes}
            if () in tried:
                return
            self.holes = {path: hole for path, hole in self.holes.items() if not _inside_another(path, self.holes)}
            error = self._error()
        self.holes = {(): Hole(type=Topology, optional=False)}

    def _make_room(self, item: ErrorDetails, tried: Collection[KeyPath]) -> None:
        kind, place = item["type"], locate(item["loc"])
        given = _get(self.value, place.path)
        if "[key]" in item["loc"]:
            self.taken[place.path] = str(place.path[-1])
        elif kind == "extra_forbidden":
            self._rename_or_remove(place)
        elif kind == "missing" and place.path not in self.holes and given is not None:
            return
        elif kind == "too_short" and len(given or ()) >= item.get("ctx", {})["min_length"]:
            return  # it is its items that are broken
        elif around := [place.path[:at] for at in range(len(place.path) + 1) if place.path[:at] in self.holes]:
            outer = around[0]
            if outer in tried and self.holes[outer].kept is not None:
                self.holes[outer] = replace(self.holes[outer], kept=None)
            elif outer in tried:
                # A stand-in does not fit here: give up what is around it.
                self.holes[outer[:-1]] = _hole(locate(outer[:-1]))
        else:
            hole = _hole(place)
            self.holes[place.path] = replace(hole, kept=given) if kind == "too_short" else hole

    def _rename_or_remove(self, place: Place) -> None:
        owner, key = _get(self.value, place.path[:-1]), str(place.path[-1])
        if not isinstance(owner, dict) or key not in owner:
            return
        entries = cast(dict[str, Any], owner)
        removed = entries.pop(key)
        meant = nearest(key, [known for known in keys_of(place.owner) if known not in entries])
        if meant is not None and key not in place.rivals:
            entries[meant] = removed
            self.renamed[*place.path[:-1], meant] = key

    def findings(self) -> list[Finding]:
        """Return what is found at every turn, as the file spells it."""
        if () in self.holes:
            return []
        found: dict[tuple[KeyPath, object, str], Finding] | None = None
        for filling in self._fillings():
            found = self._in_common(found, filling, ())
            if not found:
                return []
        names = dict.fromkeys(name for finding in (found or {}).values() for name in _named(finding)) if self.holes or self.taken else ()
        for name in [*names][:MOST_NAMES]:
            found = self._in_common(found, {path: stand_in(hole.type, 0, (name,)) for path, hole in self.holes.items()}, (name,))
        return [replace(finding, path=self._as_written(finding.path)) for finding in (found or {}).values()]

    def _fillings(self) -> Iterator[Filling]:
        choices = {path: [*self._choices(path, hole)] for path, hole in self.holes.items()}
        turns = max(map(len, choices.values()), default=1)
        # Side by side, so that equal holes are equal; then each a step apart, so that they differ.
        for step in (0, 1) if len(choices) > 1 else (0,):
            for turn in range(turns):
                yield {path: values[(turn + step * at) % len(values)] for at, (path, values) in enumerate(choices.items())}

    def _choices(self, path: KeyPath, hole: Hole) -> Iterator[object]:
        for turn in range(TURNS):
            value = stand_in(hole.type, turn)
            yield value if hole.kept is None else _joined(hole.kept, value)
        if hole.optional:
            yield ABSENT
        siblings = self._siblings(path) if len(path) > 2 else ()
        distinct = {json.dumps(value, sort_keys=True, default=str): value for value in siblings}
        yield from [*distinct.values()][:MOST_SIBLINGS]

    def _siblings(self, path: KeyPath) -> Iterator[object]:
        """Yield what stands at the same place of other parts of the section."""
        for name in cast(Mapping[str, Any], _get(self.value, path[:1]) or {}):
            other = (path[0], name, *path[2:])
            if other not in self.holes and not _inside_another(other, self.holes) and not _around_another(other, self.holes):
                value = _get(self.value, other)
                if value is not None:
                    yield value

    def _in_common(
        self, found: dict[tuple[KeyPath, object, str], Finding] | None, filling: Filling, names: tuple[str, ...]
    ) -> dict[tuple[KeyPath, object, str], Finding]:
        """Return those findings that are found with this filling, too."""
        t = self._built(filling, names)
        if t is None:
            return found or {}
        now = {
            (finding.path, finding.given, finding.reason): finding
            for finding in broken(t)
            if not {finding.path} & {*self.holes, *self.taken} and not _inside_another(finding.path, self.holes)
        }
        if found is None:
            return now
        return {
            # A suggestion that changes with the stand-ins speaks of them.
            key: finding if finding.suggestion == now[key].suggestion or names else replace(finding, suggestion="")
            for key, finding in found.items()
            if key in now
        }

    def _built(self, filling: Filling, names: Sequence[str] = ()) -> Topology | None:
        try:
            return self._validated(filling, names)
        except ValidationError:
            return None

    def _error(self) -> ValidationError | None:
        try:
            self._validated({path: next(self._choices(path, hole)) for path, hole in self.holes.items()}, ())
        except ValidationError as error:
            return error
        return None

    def _validated(self, filling: Filling, names: Sequence[str]) -> Topology:
        value: Any = copy.deepcopy(self.value)
        for path, key in self.taken.items():
            owner = _get(value, path[:-1])
            for name in names:
                if isinstance(owner, dict) and name not in owner and nearest(name, [key]):
                    owner[name] = copy.deepcopy(cast(dict[str, Any], owner).get(key))
        for path, given in filling.items():
            _put(value, path, given)
        return Topology.model_validate(value, context={TAKEN: frozenset(self.taken.values())})

    def _as_written(self, path: KeyPath) -> KeyPath:
        return tuple(self.renamed.get(path[: at + 1], part) for at, part in enumerate(path))


def _joined(kept: Any, more: Any) -> Any:
    """Return the items or entries of both."""
    if isinstance(more, dict):
        return cast(dict[str, Any], more) | kept
    return [*kept, *more]


def _hole(place: Place) -> Hole:
    owner = place.owner
    fields = owner.model_fields.values() if owner is not None else ()
    known = {field.alias: field.is_required() for field in fields}
    return Hole(type=place.type, optional=not known.get(str(place.path[-1]), True) if place.path else False)


def _named(finding: Finding) -> Iterator[str]:
    """Yield the names that a finding is about."""
    yield from (part for part in (finding.given, *finding.path[1:2], *finding.path[-1:]) if isinstance(part, str))


def _inside_another(path: KeyPath, holes: Iterable[KeyPath]) -> bool:
    return any(path[:at] in holes for at in range(len(path)))


def _around_another(path: KeyPath, holes: Iterable[KeyPath]) -> bool:
    return any(hole[: len(path)] == path for hole in holes)


def _get(value: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _put(value: Any, path: KeyPath, given: object) -> None:
    owner = _get(value, path[:-1])
    if given is not ABSENT and isinstance(owner, dict | list):
        cast(dict[str | int, Any], owner)[path[-1]] = given
    elif isinstance(owner, dict):
        cast(dict[str | int, Any], owner).pop(path[-1], None)
