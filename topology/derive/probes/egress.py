"""Ways out: named hosts for named services, through the egress gateway; nothing else, whoever asks."""

from collections.abc import Iterator
from typing import Final

from topology.derive import names
from topology.derive.probes.calls import alive, everybody, granted
from topology.derive.probes.expectation import Admitted, Refused
from topology.derive.probes.hops import CONNECT, hops, service
from topology.derive.probes.layer import INSIDE, Layer
from topology.derive.probes.places import STRANGER_CONTROL, past
from topology.derive.probes.probe import Family, Probe
from topology.derive.probes.request import Request, Scheme
from topology.derive.probes.target import EDGE, At, Target
from topology.derive.probes.vantage import inside, uncaptured
from topology.edges import Direction
from topology.model.base import HostName, ServiceName
from topology.model.system import Egress, OutsideProtocol, Topology

PLAIN_PORT: Final = 80
UNNAMED: Final = "unnamed.perimeter-probe.example"
NOWHERE: Final = "198.51.100.1"
"""An address of documentation (RFC 5737), so that a name that does not resolve refuses nothing by itself."""
METADATA: Final = "169.254.169.254"
PAST: Final = (
    ("API server", names.fqdn("kubernetes", "default"), names.HTTPS_PORT),
    ("unnamed host", NOWHERE, names.HTTPS_PORT),
    ("metadata", METADATA, PLAIN_PORT),
)
"""What a process that runs as the sidecar's user would ask for."""


def asked_port(port: int) -> int:
    """Return the port on which an application asks for an outside host, in plain HTTP."""
    return PLAIN_PORT if port == names.HTTPS_PORT else port


def _asked(exit_: Egress) -> tuple[Target, Request]:
    """Return what an application asks for, and how."""
    if exit_.protocol is OutsideProtocol.TCP:
        return Target(at=At.NAME, name=exit_.host, port=exit_.port), CONNECT
    return Target(at=At.NAME, name=exit_.host, port=asked_port(exit_.port)), Request(path="/", seconds=10.0)


def egress(t: Topology) -> Iterator[Probe]:
    """Yield every service's ways out, named and not."""
    for exit_name, exit_ in t.egress.items():
        mesh = t.mesh_of(exit_.services[0])
        target, request = _asked(exit_)
        for name in everybody(t):
            allowed = name in exit_.services
            if not allowed and t.mesh_of(name) != mesh:
                continue
            yield Probe(
                id=f"{Family.EGRESS}/{name}->{exit_name}",
                family=Family.EGRESS,
                vantage=inside(t, name),
                target=target,
                request=request,
                expect=Admitted() if allowed else Refused(by=INSIDE),
                why=f"{exit_name} is for {', '.join(exit_.services)}",
                controls=(alive(t, name), *([] if allowed else [f"{Family.EGRESS}/{exit_.services[0]}->{exit_name}"])),
            )
    past_sidecar = {caller for caller, _ in granted(t, Direction.EAST_WEST)}
    for name in everybody(t):
        for what, host, address, scheme, port in (
            ("unnamed host", UNNAMED, NOWHERE, Scheme.HTTP, PLAIN_PORT),
            ("unnamed host by TLS", UNNAMED, NOWHERE, Scheme.HTTPS, names.HTTPS_PORT),
            ("metadata", METADATA, METADATA, Scheme.HTTP, PLAIN_PORT),
        ):
            yield _out(t, name, what, host, address, scheme, port)
        for what, address, port in PAST if name in past_sidecar else ():
            yield Probe(
                id=f"{Family.EGRESS}/{name}->{what} past its sidecar",
                family=Family.EGRESS,
                vantage=uncaptured(t, name),
                target=Target(at=At.NAME, name=address, port=port),
                request=CONNECT,
                expect=Refused(by=(Layer.NETWORK,)),
                why=f"{name} reaches nothing that the topology does not name, not even past its sidecar",
                controls=(past(t, name),),
            )
        yield from _hairpins(t, name)


def _hairpins(t: Topology, name: ServiceName) -> Iterator[Probe]:
    """Yield a service's way back to the system's own doors: their public name, the public address, and the layers behind it.

    The sidecar alone stands in the way here: what gets past it is answered by the edge, or by nobody where the network stops it.
    """
    host, gateway = t.hosts[0], next(hops(t))
    by_name = Target(at=At.NAME, name=NOWHERE, port=PLAIN_PORT)
    edge = service(names.EDGE, names.EDGE_NAMESPACE)
    for what, target, scheme, control in (
        ("public name", by_name, Scheme.HTTP, STRANGER_CONTROL),
        ("public address", EDGE, Scheme.HTTPS, STRANGER_CONTROL),
        ("edge", edge, Scheme.HTTPS, STRANGER_CONTROL),
        (gateway.label, gateway.target, Scheme.HTTPS, gateway.control),
    ):
        yield Probe(
            id=f"{Family.EGRESS}/{name}->{what} by its sidecar",
            family=Family.EGRESS,
            vantage=inside(t, name),
            target=target,
            request=Request(path="/", scheme=scheme, host=host),
            expect=Refused(by=(Layer.OWN_PROXY, Layer.TRANSPORT) if scheme is Scheme.HTTP else (Layer.TRANSPORT,)),
            why=f"{name} calls services, not the system's own doors",
            controls=(alive(t, name), control),
        )


def _out(t: Topology, name: str, what: str, host: HostName, address: str, scheme: Scheme, port: int) -> Probe:  # noqa: PLR0913, PLR0917 # the parts of a probe
    return Probe(
        id=f"{Family.EGRESS}/{name}->{what}",
        family=Family.EGRESS,
        vantage=inside(t, name),
        target=Target(at=At.NAME, name=address, port=port),
        request=Request(path="/", scheme=scheme, host=host, seconds=5.0),
        expect=Refused(by=(Layer.OWN_PROXY, Layer.TRANSPORT)),
        why=f"{name} may ask only for hosts that the topology names",
        controls=(alive(t, name),),
    )
