"""B04: to the outside, exactly the egress of the topology, through the egress gateway."""

from collections.abc import Iterator
from typing import ClassVar

from policies.proof import ProofRule, proxies_on, shortcuts
from policies.reading.accepted import ports_of
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.rule import Finding, Hop, Severity
from topology.edges import Direction


class EgressOnly(ProofRule):
    """An outside host is reached by exactly the services that the topology names, through the egress gateway.

    Forbids:
        A service that reaches an outside host which the topology does not give it; one that reaches any outside address directly,
        because its NetworkPolicies let it; an egress gateway that accepts other callers, or that does not speak TLS to the host: no
        DestinationRule with TLS holds for its pods and the port that it calls. TLS of the application itself does not count, and bytes are
        passed on unread to those hosts alone that the topology calls over TCP. Also the opposite: an outside host of the topology that some
        resource refuses, or whose name its callers' pods do not know under the address that proxies take its connections at.

    Why:
        What leaves the mesh is how data leaves the company. A sidecar with REGISTRY_ONLY is no boundary (Istio's own words): an
        application can go around it. The NetworkPolicy of the pod and the egress gateway's policy are.

    Instead:
        Write the host and its services under `egress` in the topology.
    """

    id: ClassVar[str] = "B04"
    name: ClassVar[str] = "the-outside-is-reached-through-egress-only"
    severity: ClassVar[Severity] = Severity.CRITICAL
    frameworks: ClassVar[tuple[str, ...]] = ("NIST SP 800-207", "MITRE ATT&CK TA0010")
    direction = Direction.EGRESS
    reads = frozenset({"ServiceEntry"})

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Yield every way too many or too few to the outside."""
        yield from self.compare(stack)
        yield from shortcuts(self, stack, self.direction, lambda roles: len(roles) == 1, "the egress gateway")
        exits = proxies_on(stack, self.direction)
        for pod in exits:
            yield from self.strangers(stack, pod, ports_of(stack, pod))
        for pod in stack.pods:
            if stack.member(pod) and pod not in exits:
                yield from self._direct(stack, pod)

    def _direct(self, stack: Stack, pod: Pod) -> Iterator[Finding]:
        """Yield how a pod of a mesh that is no egress gateway reaches outside addresses directly."""
        network = stack.network
        if network.is_open(pod, "Egress"):
            message = f"{pod} can reach any outside address: no NetworkPolicy restricts their egress"
            yield self.broken(pod.resource, message, "add the namespace's default-deny NetworkPolicy")
            return
        for opening in network.openings(pod, "Egress"):
            if opening.names(None):
                ports = ", ".join(map(str, opening.ports))
                hops = [
                    Hop(place=str(pod), allowed_by=""),
                    Hop(place="outside addresses", allowed_by=str(opening.policy), urn=opening.policy.urn),
                ]
                message = f"{opening.policy} lets {pod} reach outside addresses on {ports}, past the egress gateway"
                yield self.broken(opening.policy, message, "name the pods they may call; only the egress gateway goes outside", hops)
