"""What shows that each place can ask at all: refusals seen from there mean nothing otherwise."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from topology.derive import names
from topology.derive.probes.calls import everybody, granted, member_control
from topology.derive.probes.expectation import Answered
from topology.derive.probes.probe import Family, Probe, Stage
from topology.derive.probes.request import Request, Scheme
from topology.derive.probes.target import At, Target
from topology.derive.probes.vantage import NODE, STRANGER, Place, Vantage, uncaptured
from topology.edges import Direction
from topology.model.base import Name, ServiceName
from topology.model.system import Topology

STRANGER_CONTROL: Final = "controls/stranger"
NODE_CONTROL: Final = "controls/node"


def controls(t: Topology) -> Iterator[Probe]:
    """Yield what shows that strangers, members and past-the-sidecar callers can ask at all."""
    edge = Target(at=At.NAME, name=names.fqdn(names.EDGE, names.EDGE_NAMESPACE), port=names.HTTPS_PORT)
    asked = Request(scheme=Scheme.HTTPS, host=t.hosts[0])
    for identifier, vantage in ((STRANGER_CONTROL, STRANGER), (NODE_CONTROL, NODE)):
        yield _control(identifier, vantage, edge, asked, Answered(), "the public address answers everybody")
    proxy, known = Target(at=At.NAME, name="127.0.0.1", port=15021), witnesses(t)
    for mesh in t.meshes:
        ready = Request(path="/healthz/ready")
        member = Vantage(place=Place.MEMBER, mesh=mesh)
        alive = _control(member_control(mesh), member, proxy, ready, Answered(status=200), "the sidecar is ready")
        yield replace(alive, controls=(past(t, known[mesh]),)) if mesh in known else alive
    for name in dict.fromkeys((*callers(t), *known.values())):
        yield _control(
            past(t, name), uncaptured(t, name), istiod(t, name), Request(scheme=Scheme.HTTPS), Answered(), "every proxy reaches istiod"
        )


def past(t: Topology, name: ServiceName) -> str:
    """Return the id of the control that a pod can ask past its sidecar."""
    return f"controls/past-sidecar/{t.namespace_of(name)}/{name}"


def witnesses(t: Topology) -> dict[Name, ServiceName]:
    """Return for each mesh a service whose control plane must answer it: a stranger who gets no identity is refused only if somebody gets one."""
    found: dict[Name, ServiceName] = {}
    for name in (*callers(t), *everybody(t)):
        found.setdefault(t.mesh_of(name), name)
    return found


def istiod(t: Topology, name: ServiceName, port: int = names.ISTIOD_XDS_PORT) -> Target:
    """Return a port of the control plane of a service's mesh."""
    mesh = t.mesh_of(name)
    return Target(at=At.NAME, name=names.fqdn(names.istiod(mesh), t.meshes[mesh].control_plane), port=port)


def callers(t: Topology) -> list[ServiceName]:
    """Return the services that call others of their mesh."""
    return list(dict.fromkeys(caller for caller, _ in granted(t, Direction.EAST_WEST)))


def _control(identifier: str, vantage: Vantage, target: Target, request: Request, expect: Answered, why: str) -> Probe:  # noqa: PLR0913, PLR0917 # the parts of a probe
    return Probe(
        id=identifier,
        family=Family.CONTROL,
        vantage=vantage,
        target=target,
        request=request,
        expect=expect,
        why=why,
        stage=Stage.CONTROL,
    )
