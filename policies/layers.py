"""Who stands where on the request path: the layers around the services, found by what resources lead to, not by names.

client -> edge -> API gateway -> mesh ingress -> services; services -> egress gateway, bridge, rate-limit service.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from weakref import WeakKeyDictionary

from policies.checks import at
from policies.reading.meshes import Mesh, Proxy
from policies.reading.patterns import meet_hosts
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.services import Service, host_of
from policies.reading.stack import Stack
from policies.reading.waf import fronts
from topology.edges import Direction


class Layer(StrEnum):
    """A layer of proxies around the services."""

    EDGE = "the edge"
    GATEWAY = "the API gateway"
    INGRESS = "the mesh ingress"
    EGRESS = "the egress gateway"
    BRIDGE = "the bridge between meshes"
    LIMITER = "the rate-limit service"


FRONT: Final = frozenset({Layer.EDGE, Layer.GATEWAY, Layer.INGRESS})
"""Layers through which requests come in from outside; no service may call them."""

RATE_LIMIT_FILTER: Final = "envoy.filters.http.ratelimit"

Workload = tuple[str, str]
"""Namespace and ServiceAccount: an identity without its trust domain."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Layers:
    """The pods and Services of each layer, and what the topology lets pass between them and the services."""

    pods: Mapping[Pod, Layer]
    services: Mapping[tuple[str, str], Layer]
    """Namespace and name of every Service that leads to pods of a layer."""
    calls: Mapping[Workload, frozenset[Workload]]
    """Declared calls inside a mesh, by caller."""
    callers: Mapping[Workload, frozenset[Workload]]
    """The same by callee."""
    doors: frozenset[Workload]
    """Workloads that a door leads to."""
    bridged: Mapping[Workload, frozenset[Workload]]
    """Declared calls to other meshes, by caller."""
    crossings: frozenset[tuple[str, str]]
    """Trust domains between which some bridge leads, from and to."""
    exits: Mapping[Workload, frozenset[str]]
    """Outside hosts that a workload may call."""
    limited: frozenset[Pod]
    """Pods whose proxy asks the rate-limit service."""

    def of(self, layer: Layer) -> frozenset[Pod]:
        """Return the pods of a layer."""
        return frozenset(pod for pod, its in self.pods.items() if its is layer)

    def service_at(self, host: str, namespace: str) -> Layer | None:
        """Return the layer that a host name leads to when it is used in a namespace, or None."""
        meant = host_of(host, namespace)
        return self.services.get((meant[1], meant[0])) if meant else None

    def bridge_targets(self) -> frozenset[Workload]:
        """Return the workloads that are called from another mesh."""
        return frozenset(target for targets in self.bridged.values() for target in targets)


def workload_of(principal: str) -> Workload:
    """Return namespace and account of an identity."""
    namespace, _, account = principal.partition("/ns/")[2].partition("/sa/")
    return namespace, account


def workload(pod: Pod) -> Workload:
    """Return namespace and account of a pod."""
    return pod.namespace, pod.service_account


_FOUND: WeakKeyDictionary[Stack, Layers] = WeakKeyDictionary()


def layers_of(stack: Stack) -> Layers:
    """Return the layers of a stack; computed once."""
    if stack not in _FOUND:
        _FOUND[stack] = _layers(stack)
    return _FOUND[stack]


def _layers(stack: Stack) -> Layers:
    pods: dict[Pod, Layer] = {}
    limiters, limited = _limiters(stack)
    pods.update(dict.fromkeys((pod for service in limiters for pod in service.pods), Layer.LIMITER))
    pods.update(_mesh_gateways(stack))
    gateway = frozenset(pod for each in stack.gateways for pod in each.pods)
    pods.update(dict.fromkeys(gateway, Layer.GATEWAY))
    pods.update(dict.fromkeys(_edge(stack, gateway), Layer.EDGE))
    services = {(service.namespace, service.name): pods[pod] for pod in pods for service in stack.services_of(pod)}
    calls: defaultdict[Workload, set[Workload]] = defaultdict(set)
    callers: defaultdict[Workload, set[Workload]] = defaultdict(set)
    bridged: defaultdict[Workload, set[Workload]] = defaultdict(set)
    crossings: set[tuple[str, str]] = set()
    exits: defaultdict[Workload, set[str]] = defaultdict(set)
    for edge in stack.expected:
        source, target = workload_of(edge.source), workload_of(edge.target)
        match edge.direction:
            case Direction.EAST_WEST:
                calls[source].add(target)
                callers[target].add(source)
            case Direction.BRIDGE:
                bridged[source].add(target)
                crossings.add((edge.source.partition("/")[0], edge.target.partition("/")[0]))
            case Direction.EGRESS:
                exits[source].add(edge.target.rpartition(":")[0])
            case Direction.NORTH_SOUTH:
                pass
    return Layers(
        pods=pods,
        services=services,
        calls=_frozen(calls),
        callers=_frozen(callers),
        doors=frozenset(workload_of(edge.target) for edge in stack.expected if edge.direction is Direction.NORTH_SOUTH),
        bridged=_frozen(bridged),
        crossings=frozenset(crossings),
        exits={source: frozenset(hosts) for source, hosts in exits.items()},
        limited=frozenset(limited),
    )


def _frozen(found: Mapping[Workload, set[Workload]]) -> Mapping[Workload, frozenset[Workload]]:
    return {key: frozenset(values) for key, values in found.items()}


def _mesh_gateways(stack: Stack) -> Iterator[tuple[Pod, Layer]]:
    """Yield the pods that are gateways of a mesh, told apart by what their Gateways answer to."""
    hosts: defaultdict[Pod, set[str]] = defaultdict(set)
    for gateway in stack.mesh_gateways:
        for pod in gateway.pods:
            hosts[pod].update(host for server in gateway.servers for host in server.hosts)
    asked = {
        pod
        for gateway in stack.gateways
        for listener in gateway.listeners
        for rule in listener.rules
        for backend in rule.backends
        if (service := stack.service(backend.namespace, backend.name))
        for pod in service.pods
    }
    outside = frozenset(exit_.host for exit_ in stack.intent.egress.values())
    public = stack.intent.public_hosts()
    for pod in stack.pods:
        member = stack.member(pod)
        if member is None or member[1] is not Proxy.GATEWAY:
            continue
        if pod in asked or any(meet_hosts(host, door) for host in hosts[pod] for door in public):
            yield pod, Layer.INGRESS
        elif hosts[pod] & outside:
            yield pod, Layer.EGRESS
        elif hosts[pod]:
            yield pod, Layer.BRIDGE


def _edge(stack: Stack, gateway: frozenset[Pod]) -> Iterator[Pod]:
    """Yield the pods whose nginx passes requests on to the API gateway; in a system without doors a public one passes none on."""
    if not stack.intent.doors:
        yield from (front.nginx.pod for front in fronts(stack))
    behind = {f"{service.name}.{service.namespace}" for pod in gateway for service in stack.services_of(pod)}
    for nginx in stack.nginx:
        addresses = [address for upstream in nginx.upstreams.values() for address in upstream]
        addresses += [
            arg for directive in nginx.main.walk() if directive.name in {"proxy_pass", "grpc_pass", "set"} for arg in directive.args
        ]
        if any(name in address for address in addresses for name in behind):
            yield nginx.pod


def _limiters(stack: Stack) -> tuple[list[Service], set[Pod]]:
    """Return the Services that shared limits are counted at, and the pods whose proxies ask them (EnvoyFilters)."""
    services: list[Service] = []
    limited: set[Pod] = set()
    for resource in stack.of("EnvoyFilter"):
        for host in stack.reading(resource, lambda resource=resource: list(_counted_at(resource))) or ():
            meant = host_of(host, resource.namespace)
            service = stack.service(meant[1], meant[0]) if meant else None
            if service:
                services.append(service)
                labels = resource.at("spec", "workloadSelector", "labels", default={})
                limited.update(stack.pods.with_labels(resource.namespace, labels) if labels else ())
    return services, limited


def _counted_at(resource: Resource) -> Iterator[str]:
    patches: list[Mapping[str, Any]] = resource.at("spec", "configPatches", default=[])
    for patch in patches:
        if at(patch, "patch", "value", "name") == RATE_LIMIT_FILTER:
            config = at(patch, "patch", "value", "typed_config", default={})
            cluster: str = at(config, "rate_limit_service", "grpc_service", "envoy_grpc", "cluster_name", default="")
            if cluster.startswith("outbound|"):
                yield cluster.rpartition("|")[2]


@dataclass(frozen=True, kw_only=True)
class Collector:
    """Where proxies of a mesh send traces and logs to."""

    host: str
    port: int


PROVIDERS: Final = ("opentelemetry", "zipkin", "envoyOtelAls", "envoyHttpAls", "envoyTcpAls", "lightstep", "datadog")
"""Kinds of provider in `meshConfig.extensionProviders` that name a Service to send to."""


def collectors(meshes: Iterable[Mesh]) -> frozenset[Collector]:
    """Return the telemetry services of meshes."""
    found: set[Collector] = set()
    for mesh in meshes:
        providers: list[Mapping[str, Any]] = mesh.config.get("extensionProviders") or []
        for provider in providers:
            for kind in PROVIDERS:
                if service := at(provider, kind, "service"):
                    # A namespace may stand in front: `namespace/host`.
                    found.add(Collector(host=str(service).rpartition("/")[2], port=int(at(provider, kind, "port", default=0))))
    return frozenset(found)
