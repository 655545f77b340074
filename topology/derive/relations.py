"""A topology with its calls indexed from both ends, so that each service's documents are derived without searching."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from topology.derive.namespaces import mesh_of_namespace
from topology.model.base import Name, ServiceName
from topology.model.service import HttpOperation, Operation, Protocol, Service
from topology.model.system import COMPOSITION_PORT, Topology


@dataclass(frozen=True, kw_only=True)
class Call:
    """One caller's leave to call one callee inside a mesh."""

    caller: ServiceName
    callee: ServiceName
    operations: tuple[Operation, ...]
    """Empty: a connection, of which nothing finer can be told (TCP)."""


K = TypeVar("K")
V = TypeVar("V")


class Index(dict[K, tuple[V, ...]]):
    """Entries by key; a key without entries has an empty tuple, and is still not there."""

    def __missing__(self, key: K) -> tuple[V, ...]:
        """Return no entries."""
        return ()


def _index(pairs: Iterable[tuple[K, V]]) -> Index[K, V]:
    found: defaultdict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return Index({key: tuple(values) for key, values in found.items()})


class Relations:
    """Who calls whom, by caller and by callee; built once for a topology."""

    def __init__(self, t: Topology) -> None:
        """Walk every call once."""
        self.t = t
        self.namespaces = mesh_of_namespace(t)
        calls = list(_calls(t))
        self.calls_of = _index((call.caller, call) for call in calls)
        self.calls_to = _index((call.callee, call) for call in calls)
        doors = t.doors.values()
        self.doors_to = _index((door.service, door) for door in doors)
        self.doors_of_mesh = _index((t.mesh_of(door.service), door) for door in doors)
        bridges = t.bridges.values()
        self.bridges_of = _index((bridge.source, bridge) for bridge in bridges)
        self.bridges_to = _index((bridge.target, bridge) for bridge in bridges)
        self.bridges_out_of_mesh = _index((t.mesh_of(bridge.source), bridge) for bridge in bridges)
        self.bridges_into_mesh = _index((t.mesh_of(bridge.target), bridge) for bridge in bridges)
        self.egress_of = _index((service, exit_) for exit_ in t.egress.values() for service in exit_.services)
        self.egress_of_mesh = _index((t.mesh_of(exit_.services[0]), (name, exit_)) for name, exit_ in t.egress.items())

    def protocol(self, name: ServiceName) -> Protocol:
        """Return what a service speaks; a composition speaks HTTP."""
        return self.t.protocol_of(name)

    def port(self, name: ServiceName) -> int:
        """Return the port of a service: of its pods and of its Kubernetes Service."""
        workload = self.t.workload(name)
        return workload.port if isinstance(workload, Service) else COMPOSITION_PORT

    def opens(self, mesh: Name) -> bool:
        """Say whether a mesh has doors."""
        return mesh in self.doors_of_mesh

    def exits(self, mesh: Name) -> bool:
        """Say whether a service of a mesh may call outside hosts."""
        return mesh in self.egress_of_mesh

    def bridging(self, mesh: Name) -> bool:
        """Say whether a mesh has a side of the internal gateway."""
        return mesh in self.bridges_out_of_mesh or mesh in self.bridges_into_mesh

    def audited(self, name: ServiceName) -> bool:
        """Say whether every request to a service is logged and traced."""
        workload = self.t.workload(name)
        return isinstance(workload, Service) and workload.audit


def _calls(t: Topology) -> Iterator[Call]:
    for caller, service in t.services.items():
        for callee, granted in service.calls.items():
            yield Call(caller=caller, callee=callee, operations=granted)
    for caller, composition in t.compositions.items():
        asked: defaultdict[ServiceName, list[Operation]] = defaultdict(list)
        for part in composition.parts.values():
            asked[part.service].append(HttpOperation(methods=("GET",), paths=(part.path,)))
        for callee, granted in asked.items():
            yield Call(caller=caller, callee=callee, operations=tuple(granted))
