"""K01: services have no address outside the cluster."""

from collections.abc import Iterator
from typing import Final

from policies.checks import attempt
from policies.layers import Layer, layers_of
from policies.reading.controllers import GATEWAY_API, Controller, class_of
from policies.reading.exposure import is_internal
from policies.reading.resource import Resource
from policies.reading.services import Service
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

INSIDE: Final = frozenset({"ClusterIP", "ExternalName"})
"""Types without an address outside. ExternalName is K03's."""

PUBLIC: Final = frozenset({"NodePort", "LoadBalancer"})

BALANCED: Final = frozenset({Layer.GATEWAY, Layer.INGRESS})
"""Layers that may stand behind a load balancer of the private network, where the edge is not in the cluster."""


class K01(Rule):
    """Every Service is a ClusterIP, but the edge's.

    Forbids:
        Services of type NodePort or LoadBalancer for anything but the edge; a LoadBalancer for the API gateway or the mesh
        ingress that is not internal; Gateways and charts that make such a Service by themselves, which is the default of
        Istio's chart `gateway`, of Istio's GatewayClass, of Envoy Gateway and of Kong's chart.

    Why:
        A NodePort opens a port on every node, and a LoadBalancer an address for everybody: requests then arrive without WAF,
        token check and rate limit. That a NetworkPolicy would refuse them is no reason to publish the address.

    Instead:
        Write `type: ClusterIP`, and tell charts and controllers to do so::

            kind: EnvoyProxy
            spec:
              provider:
                type: Kubernetes
                kubernetes:
                  envoyService: {type: ClusterIP}
    """

    id = "K01"
    name = "services-are-cluster-ips"
    severity = Severity.CRITICAL
    frameworks = ("C-0256",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check Services of the program, then those that charts and controllers will make."""
        yield from self.over(stack.of("Service", "ServicePatch"), lambda resource: self._type(resource, stack))
        made = (resource for resource, _ in stack.derived if resource.kind == "Service")
        yield from self.over(made, lambda resource: self._type(resource, stack))
        for gateway in stack.of(f"Gateway.{GATEWAY_API}"):
            yield from attempt(self, gateway, self._gateway(gateway, stack))

    def _type(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        kind: str = resource.at("spec", "type", default="ClusterIP")
        if kind in INSIDE:
            return
        if kind not in PUBLIC:
            yield self.undecided(resource, f"{kind} is no type of Service that is known", "write ClusterIP")
            return
        service = stack.service(resource.namespace, resource.name)
        behind = self._behind(service, stack) if service else frozenset[Layer | None]()
        if behind == frozenset[Layer | None]({Layer.EDGE}):
            return
        if kind == "LoadBalancer" and behind and behind <= BALANCED and service and is_internal(service, stack.clouds):
            return
        what = "a public load balancer" if kind == "LoadBalancer" else "a port of every node"
        yield self.broken(
            resource,
            f"its type {kind} makes it {what}: {self._whom(service, behind)} is reached past edge and gateway",
            "make it ClusterIP; only the edge has a public address",
        )

    @staticmethod
    def _behind(service: Service, stack: Stack) -> frozenset[Layer | None]:
        layers = layers_of(stack)
        return frozenset(layers.pods.get(pod) for pod in service.pods)

    @staticmethod
    def _whom(service: Service | None, behind: frozenset[Layer | None]) -> str:
        named = [str(layer) for layer in behind if layer]
        if named:
            return named[0]
        return f"what {service} selects" if service else "what it selects"

    def _gateway(self, gateway: Resource, stack: Stack) -> Iterator[Finding]:
        view = class_of(gateway, stack.find)
        if view.controller is Controller.OTHER:
            yield self.undecided(
                gateway,
                "it is not known who serves its class: most controllers make a public load balancer for a Gateway",
                "use a GatewayClass of the program, served by Envoy Gateway or Kong",
            )
