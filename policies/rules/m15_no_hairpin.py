"""M15: calls between services never leave the mesh and come back."""

import re
from collections.abc import Iterator
from typing import Final

from policies.checks import attempt
from policies.layers import FRONT, Layers, layers_of
from policies.reading.pods import TEMPLATES
from policies.reading.resource import Resource
from policies.reading.services import CLUSTER_DOMAIN
from policies.reading.stack import Stack
from policies.reading.virtual_services import MESH, routes_of
from policies.rule import Finding, Rule, Severity
from policies.rules.k11_no_addresses import texts

FIX: Final = "call the service by its own name inside the mesh"


class M15(Rule):
    """No service is told to call the edge, the API gateway, the mesh ingress or a public host of its own system.

    Forbids:
        A public host of the system, or the name of a Service of edge, API gateway or mesh ingress: in variables, arguments and
        ConfigMaps of services, as destination of a route for sidecars, as host or endpoint of a ServiceEntry, or as target of
        an ExternalName.

    Why:
        A call that goes out and comes in again through the front door arrives with the API gateway's identity instead of the
        caller's: every service may then call every door, whatever the topology says. It spends the clients' rate limits, and an
        outage of the edge becomes an outage inside.

    Instead:
        Call the service::

            env:
              - name: ORDERS_URL
                value: http://orders.shop.svc.cluster.local:8080
    """

    id = "M15"
    name = "no-hairpin"
    severity = Severity.CRITICAL
    frameworks = ("NIST SP 800-204B",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check what services are told, and where names lead."""
        layers = layers_of(stack)
        front = _front_names(stack, layers)
        pattern = _pattern(front)
        told = (resource for resource in stack.of("ConfigMap", *TEMPLATES) if resource.namespace in stack.app_namespaces)
        yield from self.over(told, lambda resource: self._texts(resource, pattern))
        for resource in stack.of("VirtualService.networking.istio.io"):
            yield from attempt(self, resource, self._routes(resource, pattern))
        yield from self.over(stack.of("ServiceEntry.networking.istio.io"), lambda resource: self._entry(resource, pattern))
        yield from self.over(stack.of("Service"), lambda resource: self._alias(resource, pattern))

    def _texts(self, resource: Resource, pattern: re.Pattern[str]) -> Iterator[Finding]:
        for where, text in texts(resource):
            if found := pattern.search(text):
                yield self.broken(resource, f"{where} names {found[0]}, through which clients come in from outside", FIX)

    def _routes(self, resource: Resource, pattern: re.Pattern[str]) -> Iterator[Finding]:
        for route in routes_of(resource):
            if MESH not in route.gateways:
                continue
            for destination in route.destinations:
                if pattern.search(destination.host):
                    yield self.broken(
                        resource, f"it sends services' calls to {destination.host}, through which clients come in from outside", FIX
                    )
                    return

    def _entry(self, resource: Resource, pattern: re.Pattern[str]) -> Iterator[Finding]:
        names = [
            *resource.at("spec", "hosts", default=[]),
            *(each.get("address", "") for each in resource.at("spec", "endpoints", default=[])),
        ]
        for name in names:
            if pattern.search(str(name)):
                yield self.broken(resource, f"it makes {name} callable from inside, through which clients come in from outside", FIX)

    def _alias(self, resource: Resource, pattern: re.Pattern[str]) -> Iterator[Finding]:
        target = resource.at("spec", "externalName", default="")
        if pattern.search(target):
            yield self.broken(resource, f"it is an alias of {target}, through which clients come in from outside", FIX)


def _front_names(stack: Stack, layers: Layers) -> frozenset[str]:
    """Return the names by which the front door is called: public hosts, and Services of its layers."""
    found = {f"{name}.{namespace}" for (namespace, name), layer in layers.services.items() if layer in FRONT}
    return frozenset(found | set(stack.intent.public_hosts()))


def _pattern(names: frozenset[str]) -> re.Pattern[str]:
    """Return an expression that finds any of the names where it stands alone, with or without the cluster's suffix."""
    alternatives = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    suffix = f"(?:\\.svc(?:\\.{re.escape(CLUSTER_DOMAIN)})?)?"
    return re.compile(rf"(?<![\w.-])(?:{alternatives}){suffix}\.?(?![\w-]|\.\w)", re.IGNORECASE)
