"""Requests to a service that the topology treats alike: by door, by the header of the canary, and the share that each version gets."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.reading.patterns import ByFirst, Pattern, parse
from policies.reading.requests import Requests
from policies.reading.virtual_services import Route
from policies.shares import Shares, promised
from topology.model.base import HostName, HttpMethod, Name, ServiceName
from topology.model.door import Door
from topology.model.system import Topology

Header = tuple[str, str]
"""Name in small letters, and value."""

_Entry = tuple[Pattern, tuple[Header, ...]]
"""A path of a door, and the header that it asks for."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Requests that the topology treats alike."""

    said: str
    requests: Requests
    lacking: frozenset[Header] = frozenset()
    """Headers that they do not have."""
    wanted: Shares
    """Which version gets which share of them."""

    def answering(self, routes: ByFirst[Route]) -> Iterator[Route]:
        """Yield the routes that take some of them, of a list in which the first that fits takes a request.

        Raises:
            UnknownValueError: where that cannot be told.
        """
        left: Requests | None = self.requests
        for route in routes.about(self.requests.path):
            if left is None:
                return
            if self.lacking.isdisjoint(route.headers):
                if any(route.taken(left)):
                    yield route
                left = route.left(left)


def of_calls(t: Topology, name: ServiceName) -> Iterator[Kind]:
    """Yield the kinds of requests that services send to another."""
    yield from _by_canary(t, name, Kind(said=f"requests to {name}", requests=Requests(), wanted=promised(t.services[name])))


class Doors:
    """The doors of a topology by what they lead to, and what they take from each other."""

    def __init__(self, t: Topology) -> None:
        """Index the doors once."""
        self._t = t
        self._to: defaultdict[ServiceName, list[tuple[Name, Door]]] = defaultdict(list)
        entries: defaultdict[tuple[HostName, HttpMethod], list[_Entry]] = defaultdict(list)
        for called, door in t.doors.items():
            self._to[door.service].append((called, door))
            for method in door.methods:
                entries[t.host_of(door), method] += [(parse(path), _asked(t, door)) for path in door.paths]
        self._entries = {key: ByFirst(([entry[0]], entry) for entry in found) for key, found in entries.items()}
        self._headers = frozenset(header for door in t.doors.values() for header in _asked(t, door))

    def kinds(self, name: ServiceName, hosts: Iterable[HostName]) -> Iterator[Kind]:
        """Yield the kinds of requests that come to a service through the doors of some hosts."""
        for called, door in self._to[name]:
            for requests in self.through(door) if self._t.host_of(door) in hosts else ():
                kind = Kind(
                    said=f"requests of the door {called} to {name}",
                    requests=requests,
                    lacking=self.lacking(requests),
                    wanted=promised(self._t.services[name], door.version),
                )
                yield from [kind] if door.version else _by_canary(self._t, name, kind)

    def lacking(self, requests: Requests) -> frozenset[Header]:
        """Return the headers by which doors are told apart and that some requests do not have."""
        return self._headers - set(requests.headers)

    def through(self, door: Door) -> Iterator[Requests]:
        """Yield the requests of a door: of overlapping doors, the more specific answers."""
        host, headers = self._t.host_of(door), _asked(self._t, door)
        for method in door.methods:
            for path in map(parse, door.paths):
                others = [other for other, asked in self._entries[host, method].about(path) if asked in {(), headers}]
                taken = tuple(other for other in others if other != path and other.within(path))
                yield Requests(host=host, method=method, path=path, without=taken, headers=headers)


def _by_canary(t: Topology, name: ServiceName, kind: Kind) -> Iterator[Kind]:
    """Yield requests with the header of a service's canary, and those without it."""
    canary = t.services[name].canary
    header = frozenset({(canary.header, canary.value)} if canary else ())
    yield Kind(said=kind.said, requests=kind.requests, lacking=kind.lacking | header, wanted=kind.wanted)
    if canary and (having := kind.requests.having(header)):
        said = f"{kind.said} with {canary.header}: {canary.value}"
        yield Kind(said=said, requests=having, lacking=kind.lacking, wanted=promised(t.services[name], canary.version))


def _asked(t: Topology, door: Door) -> tuple[Header, ...]:
    """Return the headers that a door asks for: that of its API's version, or none."""
    header = t.version_header(door)
    return (header,) if header else ()
