"""What may cross, a line each: doors with what they ask for, calls with their methods."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final

from cli.judging import Judged
from topology.edges import ANY_METHOD, ANY_PATH, Direction
from topology.model.door import ApiKeyAuth, Door, JwtAuth
from topology.model.system import Topology
from topology.terms import PUBLIC, consumers_of, limits_text, tiers_of

MOST_CONSUMERS: Final = 3
"""More consumers of a door than this are counted, not named."""
MOST_TIERS: Final = 3
"""More tiers of a door than this are counted after the first."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One path of a door, or of the calls of one service to another."""

    source: str
    """The host of a door; who calls."""
    target: str
    path: str
    """Empty where only the connection can be told."""
    methods: str
    """Joined by commas; empty where any is meant."""
    terms: str = ""
    """What a door asks for."""


def door_rows(t: Topology, *, verbose: bool) -> list[Row]:
    """Return the doors by host and path."""
    rows = (
        Row(source=t.host_of(door), target=door.service, path=path, methods=method, terms=_terms(t, door, verbose=verbose))
        for door in t.doors.values()
        for path in door.paths
        for method in door.methods
    )
    return sorted(_joined(rows), key=attrgetter("source", "path", "target", "terms"))


def call_rows(judged: Judged, direction: Direction) -> list[Row]:
    """Return the calls of a direction by caller and callee."""
    rows = (
        Row(
            source=short(edge.source),
            target=short(edge.target),
            path="" if edge.path == ANY_PATH else edge.path,
            methods="" if edge.method == ANY_METHOD else edge.method,
        )
        for edge in judged.stack.expected
        if edge.direction is direction
    )
    return sorted(_joined(rows), key=attrgetter("source", "target", "path"))


def short(party: str) -> str:
    """Return a party as people name it: the account of an identity, else the party itself."""
    return party.rpartition("/sa/")[2]


def _joined(rows: Iterable[Row]) -> list[Row]:
    """Return rows that differ in nothing but the method as one."""
    methods: defaultdict[Row, set[str]] = defaultdict(set)
    for row in rows:
        methods[replace(row, methods="")].add(row.methods)
    return [replace(row, methods=",".join(sorted(found))) for row, found in methods.items()]


def _terms(t: Topology, door: Door, *, verbose: bool) -> str:
    if verbose:
        return f"{shown(t, door, most=len(t.consumers))} · {limits_text(t, door)}"
    return f"{shown(t, door, most=MOST_CONSUMERS)} · {_few(tiers_of(door)) or 'no limit'}"


def _few(tiers: Sequence[str]) -> str:
    """Name some tiers, and count the rest."""
    more = [f"and {len(tiers) - MOST_TIERS} more"] if len(tiers) > MOST_TIERS else []
    return " ".join([", ".join(tiers[:MOST_TIERS]), *more])


def shown(t: Topology, door: Door, *, most: int) -> str:
    """Return what clients show, and whose it is: `jwt accounts`, `api-key of acme, globex`, `public`; of more consumers than `most` their number."""
    match door.auth:
        case JwtAuth():
            return f"jwt {door.auth.jwt}"
        case ApiKeyAuth():
            consumers = consumers_of(t, door)
            return f"api-key of {', '.join(consumers) if len(consumers) <= most else f'{len(consumers)} consumers'}"
        case _:
            return PUBLIC
