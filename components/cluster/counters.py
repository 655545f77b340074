"""The Redis in which gateway instances count together."""

from typing import Any, Final

import pulumi

from components.binding import Binding, GatewayKind
from components.component import Component
from components.contracts import CounterStore
from topology.derive import counters, names, network

CLIENTS: Final[dict[GatewayKind, dict[str, Any]]] = {
    GatewayKind.ENVOY_GATEWAY: network.pods(names.ENVOY_GATEWAY_NAMESPACE, {"app.kubernetes.io/name": "envoy-ratelimit"}),
    GatewayKind.KONG: network.layer(names.GATEWAY_NAMESPACE, names.GATEWAY),
}
"""Whose pods speak to Redis: Envoy Gateway's own rate-limit service, or Kong's proxies."""


class Counters(Component, layer="cluster"):
    """A Redis that only the gateway reaches."""

    store: CounterStore

    def __init__(self, binding: Binding, namespace: pulumi.Resource, *, parent: pulumi.Resource) -> None:
        """Register Redis."""
        super().__init__("counters", {"client": str(binding.gateway)}, parent=parent)
        made = self.add_with_needs(counters.redis(binding.image("redis"), [CLIENTS[binding.gateway]]), after=[namespace])
        host = names.fqdn(names.REDIS, names.COUNTERS_NAMESPACE)
        self.store = CounterStore(
            host=host,
            port=names.REDIS_PORT,
            namespace=names.COUNTERS_NAMESPACE,
            pod_labels=counters.REDIS_LABELS,
            ready=made[-1],
        )
        self.register_outputs({"host": host})
