"""The meaning of `cors`: what browsers are told, at which paths. The other half of it is that nothing else is told them.

A preflight bears neither a credential nor the header of an API version, only the name of the method that will follow. So doors whose
paths meet on one host have one answer: the policy that they name, with the methods and headers of them all. Like `topology.edges` it is
shared by generators and judge, stays small, and is tested against tables written by hand.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from topology.model.base import HeaderName, HostName, HttpMethod, Name
from topology.model.cors import Cors
from topology.model.door import API_KEY_HEADER, ApiKeyAuth, Door, JwtAuth
from topology.model.system import Topology
from topology.paths import PathPattern, overlap


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """What the API gateway alone answers to preflights for some paths of a host."""

    host: HostName
    doors: tuple[Name, ...]
    """The doors whose paths meet here, in the order of the topology."""
    paths: tuple[PathPattern, ...]
    """Their paths, each once."""
    policy: Name
    cors: Cors
    methods: tuple[HttpMethod, ...]
    """Sorted."""
    headers: tuple[HeaderName, ...]
    """Those of the policy, and those that the doors need, sorted."""


def preflights(t: Topology) -> tuple[Preflight, ...]:
    """Return every answer to a preflight, in the order of the doors."""
    return tuple(_answer(t, group) for group in _groups(t))


def by_door(t: Topology) -> dict[Name, Preflight]:
    """Return what preflights for each door that names a policy are answered."""
    return {name: answer for answer in preflights(t) for name in answer.doors}


def needed_headers(t: Topology, door: Door) -> Iterator[HeaderName]:
    """Yield the headers without which nobody can use a door: that of its credential, and that of its API's version."""
    match door.auth:
        case JwtAuth():
            yield "authorization"
        case ApiKeyAuth():
            yield API_KEY_HEADER
        case _:
            pass
    if (version := t.version_header(door)) is not None:
        yield version[0]


def meeting(t: Topology, names: Iterable[Name]) -> Iterator[tuple[Name, Name]]:
    """Yield each two of some doors that have a path in common on one host. A path begins with a segment of its own, as a law says."""
    near: defaultdict[tuple[HostName, str], dict[Name, None]] = defaultdict(dict)
    for name in names:
        for path in t.doors[name].paths:
            near[t.host_of(t.doors[name]), path.split("/")[1]][name] = None
    pairs = dict.fromkeys(pair for bucket in near.values() for pair in combinations(bucket, 2))
    for one, other in pairs:
        if any(overlap(path, another) for path in t.doors[one].paths for another in t.doors[other].paths):
            yield one, other


def _groups(t: Topology) -> Iterator[list[Name]]:
    """Yield the doors with a policy by what is answered together: each group holds the doors that meet one of it."""
    group = {name: [name] for name, door in t.doors.items() if door.cors in t.cors}
    for one, other in meeting(t, group):
        if group[one] is not group[other]:
            joined = [*group[one], *group[other]]
            group |= dict.fromkeys(joined, joined)
    order = {name: index for index, name in enumerate(group)}
    yield from (sorted(each, key=order.__getitem__) for each in {id(each): each for each in group.values()}.values())


def _answer(t: Topology, group: Sequence[Name]) -> Preflight:
    doors = [t.doors[name] for name in group]
    policy = next(door.cors for door in doors if door.cors)
    cors = t.cors[policy]
    return Preflight(
        host=t.host_of(doors[0]),
        doors=tuple(group),
        paths=tuple(dict.fromkeys(path for door in doors for path in door.paths)),
        policy=policy,
        cors=cors,
        methods=tuple(sorted({method for door in doors for method in door.methods})),
        headers=tuple(sorted({*cors.headers, *(header for door in doors for header in needed_headers(t, door))})),
    )
