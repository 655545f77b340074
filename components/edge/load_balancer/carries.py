"""What a topology may ask for and the load balancer in front of nginx cannot carry."""

from collections.abc import Iterator

from components.binding import Binding
from components.edge.load_balancer.idle import LONGEST, silence
from topology.findings import Finding
from topology.model.system import Topology


def uncarried(binding: Binding, t: Topology) -> Iterator[Finding]:
    """Yield the hosts that are not in the zone, and the doors whose answers come later than a connection lives."""
    if binding.azure and binding.azure.zone:
        yield from _hosts(t, binding.azure.zone.name)
    for name, door in t.doors.items():
        if silence(t, name) > LONGEST:
            reason = f"is longer than the load balancer of Azure keeps a silent connection, which is {LONGEST} minutes"
            yield Finding(
                path=("doors", name, "timeout"), given=door.timeout, reason=reason, suggestion="answer sooner, and let clients ask again"
            )


def _hosts(t: Topology, zone: str) -> Iterator[Finding]:
    for host in t.public_hosts():
        if host != zone and not host.endswith(f".{zone}"):
            reason = f"is not in the zone {zone} of `perimeter:azure.dnsZone`, which has to prove it and to say its address"
            yield Finding(path=("hosts",), given=host, reason=reason, suggestion="name the zone that holds it; or leave `dnsZone` out")
