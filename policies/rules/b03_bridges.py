"""B03: between meshes, exactly the bridges, through both sides of the internal gateway."""

from collections.abc import Iterator
from typing import ClassVar

from policies.gateway_grants import wide_grants
from policies.layers import Layer
from policies.proof import ProofRule, proxies_on, shortcuts
from policies.reading.accepted import ports_of
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.rule import Finding, Severity
from topology.edges import Direction, Edge


class Bridges(ProofRule):
    """A service of another trust domain is reached by exactly the bridges of the topology, through both internal gateways.

    Forbids:
        A call from one trust domain into another that no bridge names; one that does not pass the caller's and the target's
        internal gateway, each of which checks the identity of whoever asks; an internal gateway that other pods can connect to,
        or whose policy accepts an operation that no bridge names, even if a layer behind it refuses it.
        Also the opposite: a bridge that some resource refuses.

    Why:
        A trust domain is one certificate authority's word. A policy that accepts an identity of another trust domain directly, or
        an alias of it, makes one authority's mistake the other's: whoever can sign there is believed here.

    Instead:
        Write a bridge in the topology; both gateways, their certificates and their policies follow from it.
    """

    id: ClassVar[str] = "B03"
    name: ClassVar[str] = "meshes-meet-at-the-bridges-only"
    severity: ClassVar[Severity] = Severity.CRITICAL
    frameworks: ClassVar[tuple[str, ...]] = ("NIST SP 800-207A", "SPIFFE federation")
    direction = Direction.BRIDGE
    reads = frozenset({"Certificate", "ClusterIssuer", "Issuer"})

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Yield every way too many or too few between meshes."""
        yield from self.compare(stack)
        yield from shortcuts(self, stack, self.direction, _both_sides, "an internal gateway of each mesh")
        for pod in proxies_on(stack, self.direction):
            yield from self.strangers(stack, pod, ports_of(stack, pod))
        yield from wide_grants(self, stack, Layer.BRIDGE, lambda pod, caller: _asked(stack, pod, caller))


def _both_sides(roles: tuple[str, ...]) -> bool:
    return len(roles) == 2 and roles[0].partition("/ns/")[0] != roles[1].partition("/ns/")[0]


def _asked(stack: Stack, pod: Pod, caller: str) -> Iterator[Edge]:
    """Yield the bridged calls that a caller asks of an internal gateway: its own on its side, all that cross on the other."""
    here, there = stack.identity(pod).partition("/ns/")[0], caller.partition("/ns/")[0]
    for edge in stack.expected:
        source, target = edge.source.partition("/ns/")[0], edge.target.partition("/ns/")[0]
        if edge.direction is Direction.BRIDGE and (edge.source == caller if here == there else (source, target) == (there, here)):
            yield edge
