"""A topology with its calls indexed from both ends, so that each service's documents are derived without searching."""

from collections import defaultdict
from dataclasses import dataclass

from topology.derive.namespaces import mesh_of_namespace
from topology.model.base import Name, ServiceName
from topology.model.door import Door
from topology.model.service import HttpOperation, Operation, Protocol, Service
from topology.model.system import COMPOSITION_PORT, Bridge, Egress, Topology


@dataclass(frozen=True, kw_only=True)
class Call:
    """One caller's leave to call one callee inside a mesh."""

    caller: ServiceName
    callee: ServiceName
    operations: tuple[Operation, ...]
    """Empty: a connection, of which nothing finer can be told (TCP)."""


class Relations:
    """Who calls whom, by caller and by callee; built once for a topology."""

    def __init__(self, t: Topology) -> None:
        """Walk every call once."""
        self.t = t
        self.calls_of: defaultdict[ServiceName, list[Call]] = defaultdict(list)
        self.calls_to: defaultdict[ServiceName, list[Call]] = defaultdict(list)
        self.doors_to: defaultdict[ServiceName, list[tuple[Name, Door]]] = defaultdict(list)
        self.bridges_of: defaultdict[ServiceName, list[Bridge]] = defaultdict(list)
        self.bridges_to: defaultdict[ServiceName, list[Bridge]] = defaultdict(list)
        self.egress_of: defaultdict[ServiceName, list[Egress]] = defaultdict(list)
        self.doors_of_mesh: defaultdict[Name, list[tuple[Name, Door]]] = defaultdict(list)
        self.egress_of_mesh: defaultdict[Name, list[tuple[Name, Egress]]] = defaultdict(list)
        self.bridges_out_of_mesh: defaultdict[Name, list[Bridge]] = defaultdict(list)
        self.bridges_into_mesh: defaultdict[Name, list[Bridge]] = defaultdict(list)
        self.namespaces = mesh_of_namespace(t)
        self._index()

    def _index(self) -> None:
        t = self.t
        for caller, service in t.services.items():
            for callee, granted in service.calls.items():
                self._add(Call(caller=caller, callee=callee, operations=granted))
        for caller, composition in t.compositions.items():
            asked: defaultdict[ServiceName, list[Operation]] = defaultdict(list)
            for part in composition.parts.values():
                asked[part.service].append(HttpOperation(methods=("GET",), paths=(part.path,)))
            for callee, granted in asked.items():
                self._add(Call(caller=caller, callee=callee, operations=tuple(granted)))
        for name, door in t.doors.items():
            self.doors_to[door.service].append((name, door))
            self.doors_of_mesh[t.mesh_of(door.service)].append((name, door))
        for bridge in t.bridges.values():
            self.bridges_of[bridge.source].append(bridge)
            self.bridges_to[bridge.target].append(bridge)
            self.bridges_out_of_mesh[t.mesh_of(bridge.source)].append(bridge)
            self.bridges_into_mesh[t.mesh_of(bridge.target)].append(bridge)
        for name, exit_ in t.egress.items():
            self.egress_of_mesh[t.mesh_of(exit_.services[0])].append((name, exit_))
            for service in exit_.services:
                self.egress_of[service].append(exit_)

    def _add(self, call: Call) -> None:
        self.calls_of[call.caller].append(call)
        self.calls_to[call.callee].append(call)

    def protocol(self, name: ServiceName) -> Protocol:
        """Return what a service speaks; a composition speaks HTTP."""
        workload = self.t.workload(name)
        return workload.protocol if isinstance(workload, Service) else Protocol.HTTP

    def port(self, name: ServiceName) -> int:
        """Return the port of a service: of its pods and of its Kubernetes Service."""
        workload = self.t.workload(name)
        return workload.port if isinstance(workload, Service) else COMPOSITION_PORT

    def bridging(self, mesh: Name) -> bool:
        """Say whether a mesh has a side of the internal gateway."""
        return mesh in self.bridges_out_of_mesh or mesh in self.bridges_into_mesh

    def audited(self, name: ServiceName) -> bool:
        """Say whether every request to a service is logged and traced."""
        workload = self.t.workload(name)
        return isinstance(workload, Service) and workload.audit
