"""B01: from outside, exactly the doors."""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from policies.checks import attempt
from policies.door_routes import answered
from policies.gateway_grants import wide_grants
from policies.layers import Layer
from policies.proof import WIDEN, ProofRule, proxies_on, shortcuts
from policies.reading.accepted import ports_of
from policies.reading.gateways import ApiGateway
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.rule import Finding, Severity
from topology.edges import Direction, Edge


class NorthSouth(ProofRule):
    """What the internet reaches is exactly the doors of the topology, each with its credential.

    Forbids:
        Any way from a public address to a service that is no door: another host, path, method or service, a weaker credential, a
        way that leaves out edge, API gateway or mesh ingress, a public address of anything but the edge. Also the opposite: a door
        that some layer refuses, or its API version with the header that chooses it. And, at address level, a pod that may connect to the gateway or to the mesh ingress without being
        the layer before it; and a policy of the mesh ingress that accepts an operation which no door has, even if another layer
        refuses it.

    Why:
        Each layer can be right by itself and the whole still be open: a route too wide is harmless until a policy behind it is
        widened too. Here every public address is followed through nginx, the API gateway's routes and policies, the mesh ingress,
        its routes and the service's own policy, and what arrives is compared with the doors.

    Instead:
        Write a door in the topology; every layer follows from it. Where this rule is broken, the path shows hop by hop which
        resource let the request pass, the last one being where it is closed most easily.
    """

    id: ClassVar[str] = "B01"
    name: ClassVar[str] = "outside-reaches-exactly-the-doors"
    severity: ClassVar[Severity] = Severity.CRITICAL
    frameworks: ClassVar[tuple[str, ...]] = ("OWASP API1", "OWASP API9", "NIST SP 800-207", "NSA/CISA Kubernetes Hardening")
    direction = Direction.NORTH_SOUTH
    reads = frozenset(
        {
            "BackendTLSPolicy",
            "Certificate",
            "ClientTrafficPolicy",
            "ConfigMap",
            "EnvoyProxy",
            "GRPCRoute",
            "Gateway",
            "GatewayClass",
            "HTTPRoute",
            "HTTPRouteFilter",
            "Ingress",
            "KongClusterPlugin",
            "KongConsumer",
            "KongPlugin",
            "ReferenceGrant",
            "Release",
            "RequestAuthentication",
            "SecurityPolicy",
        }
    )

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Yield every way too many or too few from outside."""
        yield from self.compare(stack)
        yield from shortcuts(self, stack, self.direction, _all_layers, "edge, API gateway and mesh ingress, in this order")
        for gateway in stack.gateways:
            yield from attempt(self, gateway.gateway, self._unanswered(stack, gateway))
        for pod in proxies_on(stack, self.direction):
            yield from self.strangers(stack, pod, ports_of(stack, pod))
        yield from wide_grants(self, stack, Layer.INGRESS, lambda pod, _: _asked(stack, pod))

    def _unanswered(self, stack: Stack, gateway: ApiGateway) -> Iterator[Finding]:
        """Yield the requests of doors told apart by a header that no listener of a gateway answers: calls as such have no headers."""
        found = [each for listener in gateway.listeners for each in answered(stack, gateway, listener)]
        whole = {each.name for each in found if not each.left}
        for each in found:
            if each.name not in whole and (asked := next((requests for requests in each.left if requests.headers), None)):
                header, value = asked.headers[0]
                message = f"the topology allows what the plan refuses at {gateway}: no route for {asked} with {header}: {value} (door {each.name})"
                yield self.broken(gateway.gateway, message, WIDEN)


def _all_layers(roles: tuple[str, ...]) -> bool:
    return len(roles) == 3 and roles[:2] == ("edge", "gateway")


def _asked(stack: Stack, pod: Pod) -> Iterator[Edge]:
    """Yield the doors' calls as they arrive at a mesh's ingress."""
    here = stack.identity(pod).partition("/ns/")[0]
    for edge in stack.expected:
        if edge.direction is Direction.NORTH_SOUTH and edge.target.partition("/ns/")[0] == here:
            yield replace(edge, path=edge.entry, entry="")
