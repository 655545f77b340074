"""What else is wrong: the laws of a file whose form is broken.

Without this, a misspelled key would hide a misspelled service, and people would learn of their mistakes one run at a time.

What is whole stays. A misspelled key is read as the one that was probably meant, a misspelled name of the user's stays as it is, and
every other broken value makes room for stand-ins: different ones at every turn. A finding counts if it is there at every turn and not
about a stand-in, for then it does not depend on what the broken values were meant to be.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from topology.explain import Place, locate
from topology.findings import Finding, KeyPath, nearest
from topology.hints import keys_of
from topology.laws import broken
from topology.model.system import Topology
from topology.model.text import TAKEN
from topology.standins import TURNS, stand_in

ROUNDS: Final = 32
"""Under a broken value that was replaced another may come to light: one in each round."""

MOST_SIBLINGS: Final = 8
"""So many values that stand at the same place elsewhere in the file are tried as stand-ins, too."""

MOST_LOOKED_AT: Final = 64
"""Among so many values they are looked for."""

MOST_NAMES: Final = 32
"""So many names are tried as what one broken value may have meant."""


def salvage(value: object, error: ValidationError | None, doubtful: Iterable[KeyPath] = ()) -> list[Finding]:
    """Return what the laws find whatever the broken values of a file were meant to be.

    Args:
        value: the file's values.
        error: what is wrong with their form.
        doubtful: what else cannot be relied upon, such as a key that is written twice.
    """
    if not isinstance(value, dict):
        return []
    ruins = _Ruins(cast(dict[str, Any], _unshared(value)))
    ruins.holes.update({path: _hole(locate(path)) for path in doubtful})
    ruins.clear(error)
    return ruins.findings()


@dataclass(frozen=True, kw_only=True)
class Hole:
    """A place whose value is broken.

    Attributes:
        type: what should be there.
        optional: whether nothing may be there.
    """

    type: Any
    optional: bool


Filling = Mapping[KeyPath, object]
"""A value for each hole; `ABSENT` for none."""

Found = dict[tuple[KeyPath, object, str], Finding]
"""Findings by all that they say but their suggestion."""

ABSENT: Final = object()


@dataclass
class _Ruins:
    """What is left of a file."""

    value: dict[str, Any]
    """The file's values; in its holes lies what was last put there."""
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
            self.holes = {path: hole for path, hole in self.holes.items() if _first_prefix(path[:-1], self.holes) is None}
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
            return  # it was misspelled
        elif (outer := _first_prefix(place.path, self.holes)) is not None:
            if outer in tried:
                # A stand-in does not fit here: give up what is around it.
                self.holes[outer[:-1]] = _hole(locate(outer[:-1]))
        elif kind == "too_short" and given:
            # Its items stay, and more come beside them.
            for index in range(len(given), item.get("ctx", {})["min_length"]):
                key = index if isinstance(given, list) else f"stand-in-{index}"
                self.holes[*place.path, key] = _hole(locate((*item["loc"], key)))
        else:
            self.holes[place.path] = _hole(place)

    def _rename_or_remove(self, place: Place) -> None:
        owner, key = _get(self.value, place.path[:-1]), str(place.path[-1])
        if not isinstance(owner, dict) or key not in owner:
            return
        if key in place.rivals:
            # Two members of a union at once: it is not known which was meant, and so neither what follows from it.
            self.holes[place.path[:-1]] = _hole(locate(place.path[:-1]))
            return
        entries = cast(dict[str, Any], owner)
        removed = entries.pop(key)
        meant = nearest(key, [known for known in keys_of(place.owner) if known not in entries])
        if meant is not None:
            entries[meant] = removed
            self.renamed[*place.path[:-1], meant] = key

    def findings(self) -> list[Finding]:
        """Return what is found at every turn, as the file spells it."""
        if () in self.holes:
            return []
        found: Found | None = None
        for filling in self._fillings():
            found = self._found(filling) if found is None else self._in_common(found, filling)
            if found == {}:
                break
        found = found or {}
        names = tuple(dict.fromkeys(name for finding in found.values() for name in _named(finding)))
        self._read_keys_as(names)
        for filling in self._meaning(names):
            if not found:
                break
            found = self._in_common(found, filling, suggestions=False)
        return [replace(finding, path=self._as_written(finding.path)) for finding in found.values()]

    def _fillings(self) -> Iterator[Filling]:
        """Yield what is put in the holes at each turn."""
        around = self._around_holes()
        choices = {path: [*self._choices(path, hole, around)] for path, hole in self.holes.items()}
        self._settle()
        turns = max(map(len, choices.values()), default=1)
        # Side by side, so that equal holes are equal; then each a step apart, so that they differ.
        for step in (0, 1) if len(choices) > 1 else (0,):
            for turn in range(turns):
                yield {path: values[(turn + step * at) % len(values)] for at, (path, values) in enumerate(choices.items())}

    def _choices(self, path: KeyPath, hole: Hole, around: Collection[KeyPath]) -> Iterator[object]:
        yield from (stand_in(hole.type, turn) for turn in range(TURNS))
        if hole.optional:
            yield ABSENT
        siblings = islice(self._siblings(path, around), MOST_LOOKED_AT) if len(path) > 2 else ()
        distinct = {json.dumps(value, sort_keys=True, default=str): value for value in siblings}
        yield from [*distinct.values()][:MOST_SIBLINGS]

    def _siblings(self, path: KeyPath, around: Collection[KeyPath]) -> Iterator[object]:
        """Yield what stands at the same place of other parts of the section."""
        for name in islice(cast(Mapping[str, Any], _get(self.value, path[:1]) or {}), MOST_LOOKED_AT):
            other = (path[0], name, *path[2:])
            if other not in around and _first_prefix(other, self.holes) is None:
                value = _get(self.value, other)
                if value is not None:
                    yield value

    def _meaning(self, names: tuple[str, ...]) -> Iterator[Filling]:
        """Yield what is put in the holes if these names were meant: first all, where there is room for them, then each."""
        tried: Filling | None = None
        for turn in (0, 1):
            for meant in (names, *((name,) for name in names[:MOST_NAMES])) if names else ():
                filling = {path: stand_in(hole.type, turn, meant) for path, hole in self.holes.items()}
                if filling != tried:
                    yield filling
                tried = filling

    def _read_keys_as(self, names: Iterable[str]) -> None:
        """Read keys that are no names as what they may have meant, besides."""
        for name in names:
            for path, key in self.taken.items():
                owner = _get(self.value, path[:-1])
                if isinstance(owner, dict) and name not in owner and _may_mean(key, name):
                    owner[name] = cast(dict[str, Any], owner)[key]

    def _settle(self) -> None:
        """Put the finished model in the place of each entry without holes, so that it is not validated at every turn."""
        around = self._around_holes()
        t = self._built({path: stand_in(hole.type, 0) for path, hole in self.holes.items()})
        for section, entries in self.value.items() if t else ():
            if isinstance(entries, dict) and (section,) not in self.holes:
                finished = cast(Mapping[str, Any], getattr(t, section))
                whole = {name: entry for name, entry in finished.items() if (section, name) not in around}
                cast(dict[str, Any], entries).update(whole)

    def _around_holes(self) -> set[KeyPath]:
        return {path[: at + 1] for path in (*self.holes, *self.taken) for at in range(len(path))}

    def _in_common(self, found: Found, filling: Filling, *, suggestions: bool = True) -> Found:
        """Return those findings that are found with this filling, too."""
        now = self._found(filling)
        if now is None:
            return found
        return {
            # A suggestion that changes with the stand-ins speaks of them.
            key: replace(finding, suggestion="") if suggestions and finding.suggestion != now[key].suggestion else finding
            for key, finding in found.items()
            if key in now
        }

    def _found(self, filling: Filling) -> Found | None:
        """Return what the laws find that is not about a stand-in; None where these stand-ins fit nowhere."""
        t = self._built(filling)
        if t is None:
            return None
        return {
            (finding.path, finding.given, finding.reason): finding
            for finding in broken(t)
            if finding.path not in self.taken and _first_prefix(finding.path, self.holes) is None
        }

    def _built(self, filling: Filling) -> Topology | None:
        try:
            return self._validated(filling)
        except ValidationError:
            return None

    def _error(self) -> ValidationError | None:
        try:
            self._validated({path: stand_in(hole.type, 0) for path, hole in self.holes.items()})
        except ValidationError as error:
            return error
        return None

    def _validated(self, filling: Filling) -> Topology:
        for path, given in filling.items():
            _put(self.value, path, given)
        return Topology.model_validate(self.value, context={TAKEN: frozenset(self.taken.values())})

    def _as_written(self, path: KeyPath) -> KeyPath:
        return tuple(self.renamed.get(path[: at + 1], part) for at, part in enumerate(path))


def _hole(place: Place) -> Hole:
    owner = place.owner
    fields = owner.model_fields.values() if owner is not None else ()
    known = {field.alias: field.is_required() for field in fields}
    return Hole(type=place.type, optional=not known.get(str(place.path[-1]), True) if place.path else False)


def _named(finding: Finding) -> Iterator[str]:
    """Yield the names that a finding is about."""
    yield from (part for part in (finding.given, *finding.path[1:2], *finding.path[-1:]) if isinstance(part, str))


def _may_mean(key: str, name: str) -> bool:
    """Say whether a key that is no name is near to a name once it is written with its characters; if it has none of these, it may be any."""
    plain = re.sub(r"[^a-z0-9-]", "", unicodedata.normalize("NFKD", key.casefold()))
    return not plain or nearest(name, [key, plain]) is not None


def _first_prefix(path: KeyPath, holes: Collection[KeyPath]) -> KeyPath | None:
    """Return the hole that a path leads into, or to."""
    return next((path[:at] for at in range(len(path) + 1) if path[:at] in holes), None)


def _unshared(value: Any) -> Any:
    """Return a copy in which what was repeated by an alias stands for itself."""
    if isinstance(value, dict):
        return {key: _unshared(entry) for key, entry in cast(dict[str, Any], value).items()}
    return [*map(_unshared, cast(list[Any], value))] if isinstance(value, list) else value


def _get(value: Any, path: KeyPath) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _put(value: Any, path: KeyPath, given: object) -> None:
    owner, last = _get(value, path[:-1]), cast(Any, path[-1])
    if isinstance(owner, list):
        owner[last : last + 1] = [given]
    elif isinstance(owner, dict) and given is not ABSENT:
        owner[last] = given
    elif isinstance(owner, dict):
        cast(dict[str, Any], owner).pop(last, None)
