"""The proxies on the way, each with its Service and with whoever may connect to it.

A Service leads to the port on which its proxies listen, whichever gateway was chosen, so a refusal there is never that of a closed port.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from topology.derive import names
from topology.derive.probes.expectation import Answered
from topology.derive.probes.pods import layer_pods
from topology.derive.probes.probe import Family, Probe, Stage
from topology.derive.probes.request import Request, Scheme
from topology.derive.probes.target import At, Target
from topology.derive.probes.vantage import Place, Vantage, uncaptured
from topology.model.base import Name, ServiceName
from topology.model.system import Topology

CONNECT = Request(scheme=Scheme.TCP, seconds=2.0)


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One layer's proxies."""

    role: Name
    namespace: Name
    neighbour: Vantage
    """The layer before it, which may connect."""
    services: frozenset[ServiceName] = field(default_factory=frozenset[ServiceName])
    """Services that may connect."""
    mesh: Name = ""
    """Empty: it belongs to none."""

    @property
    def label(self) -> str:
        """Return what people call it."""
        return f"{self.role} of {self.mesh}" if self.mesh else self.role

    @property
    def target(self) -> Target:
        """Return its Service."""
        return service(self.role, self.namespace)

    @property
    def control(self) -> str:
        """Return the id of the control that the layer before connects."""
        return f"controls/neighbour/{self.label}"


def service(role: Name, namespace: Name) -> Target:
    """Return the Service of a layer."""
    return Target(at=At.NAME, name=names.fqdn(role, namespace), port=names.HTTPS_PORT)


def pod(role: Name, namespace: Name) -> Vantage:
    """Return the vantage of a layer's pod. Its own traffic is captured by no sidecar."""
    return Vantage(place=Place.POD, pods=layer_pods(namespace, role))


def hops(t: Topology) -> Iterator[Hop]:
    """Yield the layers behind the edge."""
    gateway = pod(names.GATEWAY, names.GATEWAY_NAMESPACE)
    yield Hop(role=names.GATEWAY, namespace=names.GATEWAY_NAMESPACE, neighbour=pod(names.EDGE, names.EDGE_NAMESPACE))
    doors = t.doors_by_mesh()
    for mesh, about in t.meshes.items():
        if mesh in doors:
            yield Hop(role=names.INGRESS, namespace=about.ingress, neighbour=gateway, mesh=mesh)
        if exits := [exit_ for exit_ in t.egress.values() if t.mesh_of(exit_.services[0]) == mesh]:
            yield Hop(
                role=names.EGRESS,
                namespace=about.egress,
                neighbour=uncaptured(t, exits[0].services[0]),
                services=frozenset(name for exit_ in exits for name in exit_.services),
                mesh=mesh,
            )
        leaving = [bridge.source for bridge in t.bridges.values() if t.mesh_of(bridge.source) == mesh]
        arriving = [t.mesh_of(bridge.source) for bridge in t.bridges.values() if t.mesh_of(bridge.target) == mesh]
        if leaving or arriving:
            yield Hop(
                role=names.BRIDGE,
                namespace=about.bridge,
                neighbour=uncaptured(t, leaving[0]) if leaving else pod(names.BRIDGE, t.meshes[arriving[0]].bridge),
                services=frozenset(leaving),
                mesh=mesh,
            )


def controls(t: Topology) -> Iterator[Probe]:
    """Yield what shows that each layer takes connections: those of the layer before it."""
    for hop in hops(t):
        yield Probe(
            id=hop.control,
            family=Family.CONTROL,
            vantage=hop.neighbour,
            target=hop.target,
            request=CONNECT,
            expect=Answered(),
            why=f"{hop.label} takes connections of the layer before it",
            stage=Stage.CONTROL,
        )
