"""What crosses the boundary of one topology and not of another: the difference of their meanings, on which terms, and whether it opens.

Compared is what crosses: doors with their terms, calls, bridges, ways out. What is inside (images, replicas, timeouts, headers) is not.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from topology.edges import Direction, edges
from topology.model.system import Topology
from topology.paths import covers, specificity
from topology.terms import Terms, Width, fact, spoken_by, terms_of


class Kind(StrEnum):
    """What became of something that crosses."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Something that may cross: clients at a path of a door, or calls of one service to another or to an outside host."""

    direction: Direction
    source: str
    """The public host; who calls."""
    target: str
    """The service, or `host:port` outside."""
    methods: tuple[str, ...]
    paths: tuple[str, ...]
    door: str = ""
    """Its door's name."""
    version: str = ""
    """`header: value`, where that says which version of an API a client asks for."""
    terms: Terms = ()


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A term that is another than before. One that was, or is, not there is empty."""

    name: str
    old: str
    new: str
    width: Width


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference."""

    kind: Kind
    width: Width
    crossing: Crossing
    """As it is now; what was removed, as it was."""
    terms: tuple[Changed, ...] = ()
    """Of what was changed."""


WIDEST_FIRST: Final = (Width.WIDER, Width.NEITHER, Width.NARROWER)
DIRECTIONS: Final = tuple(Direction)

_Place = tuple[Direction, str, str, str]
"""Where paths compete: direction, source, target (of a door the version asked for: its service is a term), and method."""


def changes(old: Topology, new: Topology) -> tuple[Change, ...]:
    """Return every difference in what crosses the boundary, what opens it first; methods and paths that share one are told together."""
    before, after = _by_place(old), _by_place(new)
    found = (each for place in {**before, **after} for each in _at(place, _there(before, place), _there(after, place)))
    return tuple(sorted(_together(found), key=_order))


def _order(change: Change) -> tuple[object, ...]:
    crossing = change.crossing
    place = (DIRECTIONS.index(crossing.direction), crossing.source, crossing.target, crossing.paths, crossing.version, crossing.methods)
    return (WIDEST_FIRST.index(change.width), *place)


def _by_place(t: Topology) -> Mapping[_Place, list[Crossing]]:
    found: defaultdict[_Place, list[Crossing]] = defaultdict(list)
    for each in (*_doors(t), *_calls(t)):
        inner = each.version if each.direction is Direction.NORTH_SOUTH else each.target
        found[each.direction, each.source, inner, each.methods[0]].append(each)
    return found


def _doors(t: Topology) -> Iterator[Crossing]:
    for name, door in t.doors.items():
        header = t.version_header(door)
        for path in door.paths:
            crossing = Crossing(
                direction=Direction.NORTH_SOUTH,
                source=t.host_of(door),
                target=door.service,
                methods=(),
                paths=(path,),
                door=name,
                version=": ".join(header) if header else "",
                terms=terms_of(t, door),
            )
            yield from (replace(crossing, methods=(method,)) for method in door.methods)


def _calls(t: Topology) -> Iterator[Crossing]:
    for edge in edges(t):
        if edge.direction is not Direction.NORTH_SOUTH:
            source, target = (party.rpartition("/sa/")[2] for party in (edge.source, edge.target))
            parties = (("caller", source, edge.source), ("callee", target, edge.target))
            yield Crossing(
                direction=edge.direction,
                source=source,
                target=target,
                methods=(edge.method,),
                paths=(edge.path,),
                terms=(*(fact(name, party) for name, short, party in parties if short != party), *spoken_by(t, target)),
            )


def _there(found: Mapping[_Place, list[Crossing]], place: _Place) -> list[Crossing]:
    """Return what may answer at a place: who says a version is answered by doors that ask for none, too, but on one path by that of his own."""
    direction, source, version, method = place
    anyway = found.get((direction, source, "", method), []) if direction is Direction.NORTH_SOUTH and version else []
    return [*anyway, *found.get(place, [])]


def _at(place: _Place, old: list[Crossing], new: list[Crossing]) -> Iterator[Change]:
    """Yield what is different at one place, but what is told where no version is asked for.

    At each path the most specific pattern answers, on either side: a door that is gone may leave its paths to a wider one.
    """
    direction, _, version, _ = place
    for path in sorted({path for each in (*old, *new) for path in each.paths}):
        was, now = _answering(old, path), _answering(new, path)
        if direction is Direction.NORTH_SOUTH and version not in {each.version for each in (was, now) if each}:
            continue
        if now is not None and was is None:
            yield Change(kind=Kind.ADDED, width=Width.WIDER, crossing=now)
        elif was is not None and now is None:
            yield Change(kind=Kind.REMOVED, width=Width.NARROWER, crossing=was)
        elif was is not None and now is not None and (terms := tuple(_changed(was.terms, now.terms))):
            widths = {term.width for term in terms}
            width = next(each for each in (Width.WIDER, Width.NARROWER, Width.NEITHER) if each in widths)
            yield Change(kind=Kind.CHANGED, width=width, crossing=replace(now, paths=(path,)), terms=terms)


def _answering(crossings: Iterable[Crossing], path: str) -> Crossing | None:
    """Return what answers all requests of a path pattern; None where nothing answers them all."""
    found = {each.paths[0]: each for each in crossings if covers(each.paths[0], path)}
    return found[max(found, key=specificity)] if found else None


def _changed(old: Terms, new: Terms) -> Iterator[Changed]:
    """Yield the terms that are others. One that only one side has belongs to its credential, which then is another, too, and says it."""
    before, after = {term.name: term for term in old}, {term.name: term for term in new}
    for name in {**before, **after}:
        was, now = before.get(name), after.get(name)
        if was is None or now is None:
            yield Changed(name=name, old=was.text if was else "", new=now.text if now else "", width=Width.NEITHER)
        elif was.text != now.text:
            yield Changed(name=name, old=was.text, new=now.text, width=now.against(was))


def _together(found: Iterable[Change]) -> Iterator[Change]:
    """Yield as one what differs in nothing but the method, and then what differs in nothing but the path."""
    by_method = _merged(found, lambda crossing: replace(crossing, methods=()))
    yield from _merged(by_method, lambda crossing: replace(crossing, paths=()))


def _merged(found: Iterable[Change], without: Callable[[Crossing], Crossing]) -> Iterator[Change]:
    alike: defaultdict[object, list[Change]] = defaultdict(list)
    for each in found:
        spelled = tuple((term.name, term.text) for term in each.crossing.terms)
        alike[each.kind, each.terms, replace(without(each.crossing), terms=()), spelled].append(each)
    for first, *others in alike.values():
        crossings = [each.crossing for each in (first, *others)]
        methods = tuple(sorted({method for crossing in crossings for method in crossing.methods}))
        paths = tuple(sorted({path for crossing in crossings for path in crossing.paths}))
        yield replace(first, crossing=replace(first.crossing, methods=methods, paths=paths))
