"""How calls to a service are routed and bounded: versions, weights, canary, mirror, faults, timeouts, retries, ejection."""

from collections.abc import Iterable
from typing import Any, Final

from topology.derive import names
from topology.derive.manifest import Manifest, manifest
from topology.derive.relations import Relations
from topology.model.base import HostName, Name, ServiceName, VersionName
from topology.model.service import Protocol, Resilience, Service
from topology.model.system import Topology

API: Final = "networking.istio.io/v1"
HERE: Final = "."
"""In `exportTo`: the object's own namespace."""
MESH: Final = "mesh"
"""In `gateways`: every sidecar."""
NO_RETRIES: Final = {"attempts": 0}
"""Istio retries twice unless told otherwise; what is not in the topology is not done."""
STREAMS: Final = frozenset({Protocol.WEBSOCKET})
"""Protocols whose connections outlive any sensible request timeout."""

Route = dict[str, Any]


def call_routes(r: Relations, name: ServiceName, caller: ServiceName | None = None) -> list[Route]:
    """Return the HTTP routes to a service, in order: canary first, then by weight.

    `caller` is whose calls they are for, since a fault may single out callers; None is a gateway, which no fault names.
    """
    t, service = r.t, r.t.workload(name)
    host, port = names.address(t, name), r.port(name)
    if not isinstance(service, Service):
        return [{"route": [_destination(host, port)], **request_timeout(r, name), "retries": NO_RETRIES}]
    common = _common(r, name, fault_for(service, caller))
    if len(service.versions) == 1:
        return [{"route": [_destination(host, port)], **common, **_mirror(service, host, port)}]
    routes: list[Route] = []
    if canary := service.canary:
        routes.append(
            {
                "match": [{"headers": {canary.header: {"exact": canary.value}}}],
                **to_version(r, name, canary.version, caller),
            }
        )
    weighted = [
        {**_destination(host, port, version), "weight": about.weight} for version, about in service.versions.items() if about.weight
    ]
    return [*routes, {"route": weighted, **common, **_mirror(service, host, port)}]


def to_version(r: Relations, name: ServiceName, version: VersionName, caller: ServiceName | None = None) -> Route:
    """Return the HTTP route to one version of a service, whatever its weights say."""
    service = r.t.services[name]
    host, port = names.address(r.t, name), r.port(name)
    only = version if len(service.versions) > 1 else None
    mirror = {} if service.mirror and service.mirror.version == version else _mirror(service, host, port)
    return {"route": [_destination(host, port, only)], **_common(r, name, fault_for(service, caller)), **mirror}


def fault_for(service: Service, caller: ServiceName | None) -> dict[str, Any]:
    """Return the fault that the calls of one caller meet, the first abort and the first delay that concern it."""
    concerned = [fault for fault in service.faults if caller in fault.callers or not fault.callers]
    found: dict[str, Any] = {}
    for fault in concerned:
        if fault.abort is not None:
            found.setdefault("abort", {"httpStatus": fault.abort, "percentage": {"value": fault.percent}})
        if fault.delay is not None:
            found.setdefault("delay", {"fixedDelay": fault.delay, "percentage": {"value": fault.percent}})
    return found


def virtual_service(r: Relations, name: ServiceName) -> Manifest | None:
    """Return the routes that sidecars use to a service; None where no sidecar calls it, or nothing differs from plain TCP."""
    t = r.t
    if not r.calls_to[name]:
        return None
    service, host = t.workload(name), names.address(t, name)
    namespace = t.namespace_of(name)
    spec: dict[str, Any] = {"hosts": [host], "exportTo": exported(namespace, (t.namespace_of(call.caller) for call in r.calls_to[name]))}
    if isinstance(service, Service) and service.protocol is Protocol.TCP:
        if len(service.versions) == 1:
            return None
        port = r.port(name)
        weighted = [
            {**_destination(host, port, version), "weight": about.weight} for version, about in service.versions.items() if about.weight
        ]
        spec["tcp"] = [{"route": weighted}]
    else:
        spec["http"] = _sidecar_routes(r, name)
    return manifest(API, "VirtualService", name, namespace, spec)


def destination_rule(r: Relations, name: ServiceName) -> Manifest:
    """Return how any caller connects to a service: mutual TLS, bounds, ejection, nearest first, and its versions."""
    t, service = r.t, r.t.workload(name)
    mesh, namespace = t.meshes[t.mesh_of(name)], t.namespace_of(name)
    resilience = service.resilience if isinstance(service, Service) else Resilience()
    callers = [t.namespace_of(call.caller) for call in r.calls_to[name]]
    callers += [mesh.ingress] if r.doors_to[name] else []
    callers += [mesh.bridge] if r.bridges_to[name] else []
    spec: dict[str, Any] = {
        "host": names.address(t, name),
        "exportTo": exported(namespace, callers),
        "trafficPolicy": _policy(t, resilience, r.protocol(name)),
    }
    if isinstance(service, Service) and len(service.versions) > 1:
        spec["subsets"] = [{"name": subset(version), "labels": {names.VERSION_LABEL: version}} for version in service.versions]
    return manifest(API, "DestinationRule", name, namespace, spec)


def sidecar(r: Relations, name: ServiceName, extra: Iterable[str] = ()) -> Manifest:
    """Return what a service's proxy knows of the world: the services it may call, and nothing else.

    `extra` are further hosts in the form `namespace/name`, such as a trace collector.
    """
    t = r.t
    mesh = t.meshes[t.mesh_of(name)]
    hosts = [f"{t.namespace_of(call.callee)}/{names.address(t, call.callee)}" for call in r.calls_of[name]]
    hosts += [f"{mesh.bridge}/{names.fqdn(bridge.target, mesh.bridge)}" for bridge in r.bridges_of[name]]
    if exits := r.egress_of[name]:
        hosts += [f"{mesh.egress}/{exit_.host}" for exit_ in exits]
        hosts.append(f"{mesh.egress}/{names.fqdn(names.EGRESS, mesh.egress)}")
    hosts = sorted({*hosts, *extra})
    spec = {
        "workloadSelector": {"labels": {names.APP_LABEL: name}},
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
        "egress": [{"hosts": hosts or ["~/*"]}],
    }
    return manifest(API, "Sidecar", name, t.namespace_of(name), spec)


def served(hosts: Iterable[HostName]) -> list[str]:
    """Return the hosts of a Gateway's server, to which only VirtualServices of the Gateway's own namespace can be bound."""
    return [f"./{host}" for host in hosts]


def request_timeout(r: Relations, name: ServiceName) -> dict[str, str]:
    """Return the `timeout` of a route to a service; none for a stream, which Istio then lets last."""
    service = r.t.workload(name)
    if not isinstance(service, Service):
        return {"timeout": Resilience().timeout}
    return {} if service.protocol in STREAMS else {"timeout": service.resilience.timeout}


def exported(own: Name, namespaces: Iterable[Name]) -> list[str]:
    """Return `exportTo`: the object's own namespace and exactly those that need it."""
    return [HERE, *sorted({*namespaces} - {own})]


def _sidecar_routes(r: Relations, name: ServiceName) -> list[Route]:
    """Return the routes of all callers: those that a fault singles out first, each matched by its pods."""
    service = r.t.workload(name)
    routes: list[Route] = []
    if isinstance(service, Service):
        single = dict.fromkeys(caller for fault in service.faults for caller in fault.callers)
        callers = {call.caller for call in r.calls_to[name]}
        for caller in single:
            if caller in callers:
                routes += [matched(route, sources(r.t, caller)) for route in call_routes(r, name, caller)]
    return [*routes, *call_routes(r, name)]


def sources(t: Topology, caller: ServiceName) -> dict[str, Any]:
    """Return the match of one caller's pods."""
    return {"sourceLabels": {names.APP_LABEL: caller}, "sourceNamespace": t.namespace_of(caller)}


def matched(route: Route, condition: dict[str, Any]) -> Route:
    """Return a route under one more condition: in Istio the members of `match` are alternatives, so it goes into each."""
    return {**route, "match": [{**existing, **condition} for existing in route.get("match", [{}])]}


def _common(r: Relations, name: ServiceName, fault: dict[str, Any]) -> dict[str, Any]:
    service = r.t.services[name]
    found: dict[str, Any] = {**request_timeout(r, name), "retries": NO_RETRIES}
    if retries := service.resilience.retries:
        found["retries"] = {"attempts": retries.attempts, "perTryTimeout": retries.per_try, "retryOn": ",".join(retries.retry_on)}
    if fault:
        found["fault"] = fault
    return found


def subset(version: VersionName) -> str:
    """Return the name of a version as a subset, which must be a DNS label."""
    return version.replace(".", "-")


def _destination(host: HostName, port: int, version: VersionName | None = None) -> dict[str, Any]:
    destination: dict[str, Any] = {"host": host, "port": {"number": port}}
    if version is not None:
        destination["subset"] = subset(version)
    return {"destination": destination}


def _mirror(service: Service, host: HostName, port: int) -> dict[str, Any]:
    if service.mirror is None:
        return {}
    version = service.mirror.version if len(service.versions) > 1 else None
    return {"mirrors": [{**_destination(host, port, version), "percentage": {"value": service.mirror.percent}}]}


def _policy(t: Topology, resilience: Resilience, protocol: Protocol) -> dict[str, Any]:
    connections = resilience.connections
    pool: dict[str, Any] = {"tcp": {"maxConnections": connections.max_connections}}
    if protocol is not Protocol.TCP:
        pool["http"] = {
            "http1MaxPendingRequests": connections.max_pending,
            "maxRequestsPerConnection": connections.max_requests_per_connection,
        }
    policy: dict[str, Any] = {"tls": {"mode": "ISTIO_MUTUAL"}, "connectionPool": pool}
    if t.datacenters:
        policy["loadBalancer"] = {"simple": "LEAST_REQUEST", "localityLbSetting": {"enabled": True}}
    if ejection := t.ejection_of(resilience):
        policy["outlierDetection"] = {
            "consecutive5xxErrors": ejection.consecutive_errors,
            "interval": ejection.interval,
            "baseEjectionTime": ejection.duration,
            "maxEjectionPercent": ejection.max_percent,
        }
    return policy
