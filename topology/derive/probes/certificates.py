"""Client certificates at gateway and ingresses: only the layer before each is let in, and not even it without a token."""

from collections.abc import Iterator
from dataclasses import replace

from topology.derive import names
from topology.derive.probes import examples
from topology.derive.probes.credential import Certificate
from topology.derive.probes.doors import entrance, requests_of
from topology.derive.probes.expectation import Refused
from topology.derive.probes.layer import UNREACHED, Layer
from topology.derive.probes.places import NODE_CONTROL
from topology.derive.probes.pods import layer_pods
from topology.derive.probes.probe import Family, Probe
from topology.derive.probes.request import Request, Scheme
from topology.derive.probes.target import At, Target
from topology.derive.probes.vantage import NODE, Place, Vantage
from topology.model.base import Name
from topology.model.door import JwtAuth
from topology.model.system import Topology


def certificates(t: Topology) -> Iterator[Probe]:
    """Yield connections to gateway and ingresses with certificates that are not their caller's, from their neighbours and from the node."""
    if not t.doors:
        return
    host = t.hosts[0]
    name, door = next(iter(t.doors.items()))
    first = requests_of(t, door)[0]
    path = examples.path_of(first.pattern)
    edge = Vantage(place=Place.POD, pods=layer_pods(names.EDGE_NAMESPACE, names.EDGE))
    gateway = Vantage(place=Place.POD, pods=layer_pods(names.GATEWAY_NAMESPACE, names.GATEWAY))
    service = Target(at=At.NAME, name=names.fqdn(names.GATEWAY, names.GATEWAY_NAMESPACE), port=names.HTTPS_PORT)
    wrong = {
        "gateway": (Certificate.NONE, Certificate.SELF_MADE, Certificate.GATEWAY),
        "ingress": (Certificate.NONE, Certificate.SELF_MADE, Certificate.EDGE),
    }
    asked = Request(path=path, scheme=Scheme.HTTPS, host=host, sni=host)
    rows = [("gateway", edge, service)]
    for mesh, about in t.meshes.items():
        if any(t.mesh_of(other.service) == mesh for other in t.doors.values()):
            target = Target(at=At.NAME, name=names.fqdn(names.INGRESS, about.ingress), port=names.HTTPS_PORT)
            rows.append((f"ingress of {mesh}", gateway, target))
    for label, neighbour, target in rows:
        for shown in wrong[label.split()[0]]:
            for vantage in (neighbour, NODE):
                yield Probe(
                    id=f"{Family.CERTIFICATES}/{vantage}->{label}/{shown}",
                    family=Family.CERTIFICATES,
                    vantage=vantage,
                    target=target,
                    request=replace(asked, certificate=shown),
                    expect=Refused(by=UNREACHED),
                    why=f"{label} takes the certificate of the layer before it alone",
                    controls=(entrance(name, first), *([NODE_CONTROL] if vantage is NODE else [])),
                )
    yield from _without_token(t, gateway, asked)


def _without_token(t: Topology, gateway: Vantage, asked: Request) -> Iterator[Probe]:
    """Yield what a gateway that was taken over would try: a door's request without its token, at the ingress."""
    seen: set[Name] = set()
    for name, door in t.doors.items():
        mesh = t.mesh_of(door.service)
        if mesh in seen or not isinstance(door.auth, JwtAuth):
            continue
        seen.add(mesh)
        operation, host = requests_of(t, door)[0], t.host_of(door)
        path = examples.path_of(operation.pattern)
        yield Probe(
            id=f"{Family.CERTIFICATES}/{gateway}->ingress of {mesh}/without token",
            family=Family.CERTIFICATES,
            vantage=gateway,
            target=Target(at=At.NAME, name=names.fqdn(names.INGRESS, t.meshes[mesh].ingress), port=names.HTTPS_PORT),
            request=replace(asked, method=operation.method, path=path, host=host, certificate=Certificate.GATEWAY),
            expect=Refused(by=(Layer.PROXY,), statuses=(401, 403)),
            why="the gateway's word is not enough: the ingress looks for itself",
            controls=(entrance(name, operation),),
        )
