"""Calls that proxies make for themselves: asking a rate-limit service whether a request is one too many.

A service whose topology asks for a global limit has a counter to ask. The call is no call between services, so it is no edge; it
is recognised only where the topology asks for it, where the service's own proxy is told to ask (an EnvoyFilter on its pods), and
for that one operation.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.resource import Resource
from policies.reading.selectors import matches_labels
from policies.reading.values import mapping, sequence
from topology.edges import Direction, Edge, identity
from topology.model.service import Scope

if TYPE_CHECKING:
    from policies.reading.stack import Stack

FILTER: Final = "envoy.filters.http.ratelimit"
OPERATION: Final = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"


def counter_calls(stack: "Stack") -> frozenset[Edge]:
    """Return the calls of limited services' proxies to their counters."""
    found: set[Edge] = set()
    for name, service in stack.intent.services.items():
        if service.limit is not None and service.limit.scope is Scope.GLOBAL:
            source = identity(stack.intent, name)
            for target in _counters(stack, source):
                found.add(Edge(direction=Direction.EAST_WEST, source=source, target=target, method="POST", path=OPERATION))
    return frozenset(found)


def _counters(stack: "Stack", source: str) -> Iterator[str]:
    services = {identity(stack.intent, name) for name in (*stack.intent.services, *stack.intent.compositions)}
    for resource in stack.of("EnvoyFilter.networking.istio.io"):
        labels = stack.reading(resource, lambda resource=resource: resource.at("spec", "workloadSelector", "labels", default={}))
        if labels and any(pod.namespace == resource.namespace and matches_labels(labels, pod.labels) for pod in stack.holders(source)):
            for host in sequence(stack.reading(resource, lambda resource=resource: list(_clusters(resource)))):
                asked = stack.traffic.service(host)
                yield from ({stack.identity(pod) for pod in asked.pods} - services - {""} if asked else ())


def _clusters(resource: Resource) -> Iterator[str]:
    """Yield the hosts of the rate-limit services that a filter's proxies ask: Envoy names a cluster `outbound|port||host`."""
    for patch in resource.at("spec", "configPatches", default=[]):
        value: Mapping[str, Any] = mapping(mapping(patch.get("patch")).get("value"))
        if value.get("name") == FILTER:
            service = mapping(mapping(value.get("typed_config")).get("rate_limit_service"))
            cluster = mapping(mapping(service.get("grpc_service")).get("envoy_grpc")).get("cluster_name") or ""
            if cluster.startswith("outbound|"):
                yield cluster.rpartition("|")[2]
