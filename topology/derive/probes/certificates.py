"""Client certificates at gateway, ingresses and bridges: only the layer before each is let in, and at an ingress not without a token."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from topology.derive import names
from topology.derive.probes import examples
from topology.derive.probes.calls import allowed_id, granted
from topology.derive.probes.credential import Certificate
from topology.derive.probes.doors import entrance, requests_of
from topology.derive.probes.expectation import Refused
from topology.derive.probes.hops import hops, pod, service
from topology.derive.probes.layer import UNREACHED, Layer
from topology.derive.probes.places import NODE_CONTROL
from topology.derive.probes.probe import Family, Probe
from topology.derive.probes.request import Request, Scheme
from topology.derive.probes.vantage import NODE, Vantage, uncaptured
from topology.edges import Direction
from topology.model.base import Name
from topology.model.door import JwtAuth
from topology.model.system import Topology

WRONG: Final = {
    names.GATEWAY: (Certificate.NONE, Certificate.SELF_MADE, Certificate.GATEWAY),
    names.INGRESS: (Certificate.NONE, Certificate.SELF_MADE, Certificate.EDGE),
}
"""What a layer does not take."""
FOREIGN: Final = (Certificate.NONE, Certificate.SELF_MADE, Certificate.GATEWAY)
"""What no side of a bridge takes: the gateway's is good, and of another authority."""
WITHOUT_KEY: Final = (Certificate.NONE, Certificate.SELF_MADE)
"""What is shown from a service's pod: no key of a layer is brought there."""


def certificates(t: Topology) -> Iterator[Probe]:
    """Yield connections that show a certificate which is not their caller's, or none."""
    yield from _way_in(t)
    yield from _across(t)


def _way_in(t: Topology) -> Iterator[Probe]:
    """Yield connections to gateway and ingresses with certificates that are not their caller's, from their neighbours and from the node."""
    if not t.doors:
        return
    host = t.hosts[0]
    name, door = next(iter(t.doors.items()))
    first = requests_of(t, door)[0]
    path = examples.path_of(first.pattern)
    asked = Request(path=path, scheme=Scheme.HTTPS, host=host, sni=host)
    for hop in hops(t):
        for shown in WRONG.get(hop.role, ()):
            for vantage in (hop.neighbour, NODE):
                yield Probe(
                    id=f"{Family.CERTIFICATES}/{vantage}->{hop.label}/{shown}",
                    family=Family.CERTIFICATES,
                    vantage=vantage,
                    target=hop.target,
                    request=replace(asked, certificate=shown),
                    expect=Refused(by=UNREACHED),
                    why=f"{hop.label} takes the certificate of the layer before it alone",
                    controls=(entrance(name, first), *([NODE_CONTROL] if vantage is NODE else [])),
                )
    yield from _without_token(t, pod(names.GATEWAY, names.GATEWAY_NAMESPACE), asked)


def _across(t: Topology) -> Iterator[Probe]:
    """Yield connections to both sides of each bridge, by the name that leads there: from a caller past its sidecar, from the other side."""
    seen: set[tuple[Name, str]] = set()
    for (source, target), (operation, *_) in granted(t, Direction.BRIDGE).items():
        here, there = t.mesh_of(source), t.mesh_of(target)
        near, far = t.meshes[here].bridge, t.meshes[there].bridge
        control = allowed_id(Direction.BRIDGE, source, target, operation)
        for label, side, vantage, usable, host in (
            (f"bridge of {here}, out", near, uncaptured(t, source), WITHOUT_KEY, names.fqdn(target, near)),
            (f"bridge of {there}, in", far, pod(names.BRIDGE, near), FOREIGN, names.bridged_host(t, target)),
        ):
            if (here, label) in seen:
                continue
            seen.add((here, label))
            for asking, showing in ((vantage, usable), (NODE, FOREIGN)):
                for shown in showing:
                    yield Probe(
                        id=f"{Family.CERTIFICATES}/{asking}->{label}/from {here}/{shown}",
                        family=Family.CERTIFICATES,
                        vantage=asking,
                        target=service(names.BRIDGE, side),
                        request=Request(
                            path=examples.path_of(operation.pattern), scheme=Scheme.HTTPS, host=host, sni=host, certificate=shown
                        ),
                        expect=Refused(by=UNREACHED),
                        why=f"{label} takes the certificate of its mesh's services or of the other side alone",
                        controls=(control, *([NODE_CONTROL] if asking is NODE else [])),
                    )


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
            target=service(names.INGRESS, t.meshes[mesh].ingress),
            request=replace(asked, method=operation.method, path=path, host=host, certificate=Certificate.GATEWAY),
            expect=Refused(by=(Layer.PROXY,), statuses=(401, 403)),
            why="the gateway's word is not enough: the ingress looks for itself",
            controls=(entrance(name, operation),),
        )
