"""Which entry of the topology file a resource was made for, as the components say to which it belongs, and in which line that stands."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from cli.judging import Judged
from policies.reading.resource import Resource
from topology.findings import KeyPath, spell
from topology.load import lines_of
from topology.model.system import Topology

Names = Callable[[Topology, str], Iterator[KeyPath]]
"""Yields the entries of a topology that something of a name may have been made for."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """An entry of the topology file."""

    where: str
    """As people spell it: `doors.orders`."""
    line: int
    """Counted from 1."""


def _service(t: Topology, name: str) -> Iterator[KeyPath]:
    yield from ((section, name) for section, entries in (("services", t.services), ("compositions", t.compositions)) if name in entries)


def _mesh(t: Topology, name: str) -> Iterator[KeyPath]:
    yield from [("meshes", name)] if name in t.meshes else []


def _door(t: Topology, name: str) -> Iterator[KeyPath]:
    door = name.partition(".")[0]  # what belongs to a door beside its route is called `orders.preflight`, `orders.body`
    yield from [("doors", door)] if door in t.doors else []


def _way_out(t: Topology, name: str) -> Iterator[KeyPath]:
    yield from (("egress", key) for key, entry in t.egress.items() if entry.host == name)


OF_RESOURCE: Final[Mapping[str, Names]] = {"perimeter:gateway": _door, "perimeter:mesh:Egress": _way_out}
"""By the type of a component, or how it begins: what its resources are called after."""

OF_COMPONENT: Final[Mapping[str, Names]] = {"perimeter:workload:Workload": _service, "perimeter:mesh:Mesh": _mesh}
"""By its type: what a component itself is called after."""


def origins(judged: Judged) -> Callable[[str], Origin | None]:
    """Return a function from the URN of a resource to the entry that it was made for; None where it serves the whole system."""
    t, known = judged.stack.intent, judged.stack.by_urn
    lines = cache(lambda: lines_of(judged.topology))

    @cache
    def origin(urn: str) -> Origin | None:
        found = next(_entries(t, known[urn], known), None) if urn in known else None
        return Origin(where=spell(found), line=line) if found and (line := lines()(found)) else None

    return origin


def _entries(t: Topology, resource: Resource, known: Mapping[str, Resource]) -> Iterator[KeyPath]:
    """Yield the entries that a resource was made for, the narrowest first."""
    for component in _ancestors(resource, known):
        for kind, names in OF_RESOURCE.items():
            if component.token == kind or component.token.startswith(f"{kind}:"):
                yield from names(t, resource.name)
        if names := OF_COMPONENT.get(component.token):
            yield from names(t, component.name)


def _ancestors(resource: Resource, known: Mapping[str, Resource]) -> Iterator[Resource]:
    while (parent := known.get(resource.parent)) is not None:
        yield parent
        resource = parent
