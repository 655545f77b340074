"""Envoy Gateway's own installation: its controller, what it may look at, and what reaches it."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from components.binding import Binding
from components.contracts import CounterStore
from components.gateway.envoy import proxy
from topology.derive import names, namespaces, network
from topology.derive.manifest import Manifest
from topology.model.base import Name

CONTROLLER_NAME: Final = "gateway.envoyproxy.io/gatewayclass-controller"


def values(binding: Binding, watched: Iterable[Name], counters: CounterStore | None) -> dict[str, Any]:
    """Return the values of the chart: proxies in the gateway's namespace, nothing watched but what routes need, no opt-in extension."""
    config: dict[str, Any] = {
        "gateway": {"controllerName": CONTROLLER_NAME},
        "provider": {
            "type": "Kubernetes",
            "kubernetes": {
                "deploy": {"type": "GatewayNamespace"},
                # Its own namespace too: it looks there for its certificate and its own address, and the chart's Roles follow this list.
                "watch": {"type": "Namespaces", "namespaces": [names.ENVOY_GATEWAY_NAMESPACE, *watched]},
            },
        },
        "logging": {"level": {"default": "info"}},
    }
    if counters is not None:
        # Without the counters nobody knows who has had enough, so nobody gets more.
        config["rateLimit"] = {
            "backend": {"type": "Redis", "redis": {"url": f"{counters.host}:{counters.port}"}},
            "failClosed": True,
            # The default of 20 ms, with failClosed, refused one request in a thousand under load.
            "timeout": "200ms",
        }
    return {
        "crds": {"enabled": True},
        "topologyInjector": {"enabled": False},
        "service": {"type": "ClusterIP"},
        "global": {
            "images": {"envoyGateway": {"image": binding.image("envoy-gateway")}, "ratelimit": {"image": binding.image("ratelimit")}}
        },
        "config": {"envoyGateway": config},
    }


def namespace() -> Manifest:
    """Return the controller's namespace."""
    return namespaces.namespace(names.ENVOY_GATEWAY_NAMESPACE, namespaces.ENFORCE_RESTRICTED)


def fences(binding: Binding, counters: CounterStore | None) -> Iterator[Manifest]:
    """Yield who reaches whom in the controller's namespace: proxies their controller, and both the API server."""
    at = names.ENVOY_GATEWAY_NAMESPACE
    api_server = network.ranges(binding.api_server, *binding.api_server_ports)
    proxies = network.pods(names.GATEWAY_NAMESPACE, proxy.LABELS)
    asked = [network.accept([proxies], proxy.XDS_PORT)]
    if counters is not None:
        asked.append(network.accept([network.pods(at, proxy.COUNTER)], proxy.COUNTER_XDS_PORT))
    yield network.policy("envoy-gateway", at, proxy.CONTROLLER, ingress=asked, egress=[network.dns(), api_server])
    yield network.policy("certgen", at, {"app": "certgen"}, ingress=[], egress=[network.dns(), api_server])
    if counters is not None:
        calls = [
            network.dns(),
            network.reach([network.pods(at, proxy.CONTROLLER)], proxy.COUNTER_XDS_PORT),
            network.reach([network.pods(counters.namespace, counters.pod_labels)], counters.port),
        ]
        accepts = [network.accept([proxies], proxy.COUNTER_PORT)]
        yield network.policy("envoy-ratelimit", at, proxy.COUNTER, ingress=accepts, egress=calls)
