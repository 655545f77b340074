"""Counters that several proxies share: a Redis for the gateway's tiers, and in each mesh a rate-limit service for its services."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from topology.derive import names, network, traffic
from topology.derive.identity import API as SECURITY
from topology.derive.limits import CONNECTION_MANAGER, PRIORITY, ROUTER
from topology.derive.manifest import Manifest, manifest
from topology.derive.relations import Relations
from topology.derive.workloads import (
    CONFIG_ANNOTATION,
    RESOURCES,
    RESTRICTED_CONTAINER,
    SCRATCH,
    SCRATCH_MOUNT,
    config_digest,
    pod_template,
)
from topology.edges import identity
from topology.model.base import Name, ServiceName
from topology.model.service import Scope, Service, ServiceLimit
from topology.model.system import Topology

REDIS_LABELS: Final = {names.APP_LABEL: names.REDIS}
RATE_LIMIT_LABELS: Final = {names.APP_LABEL: names.RATE_LIMIT}
EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 # of the pod, whose NetworkPolicy says who comes near
LOOPBACK: Final = "127.0.0.1"
DOMAIN: Final = "perimeter"
REDIS_SETTINGS: Final = ("--port", str(names.REDIS_PORT), "--protected-mode", "no", "--save", "", "--dir", SCRATCH_MOUNT["mountPath"])
"""Redis without a disk: counters may be forgotten."""
CONFIG_PATH: Final = "/data/ratelimit/config"
FILTER: Final = "envoy.filters.http.ratelimit"
TYPE: Final = "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit"
TIMEOUT: Final = "0.25s"


def tiers_count_globally(t: Topology) -> bool:
    """Say whether a tier's limits hold across all gateway instances."""
    return any(tier.scope is Scope.GLOBAL for tier in t.tiers.values())


def redis(image: str, clients: Sequence[dict[str, Any]]) -> Iterator[Manifest]:
    """Yield the gateway's counters: a Redis that forgets on restart, reached by its clients (NetworkPolicy peers) alone."""
    namespace = names.COUNTERS_NAMESPACE
    yield network.policy(names.REDIS, namespace, REDIS_LABELS, ingress=[network.accept(clients, names.REDIS_PORT)], egress=[])
    yield _account(names.REDIS, namespace)
    template = pod_template(REDIS_LABELS, names.REDIS, _redis_container(image, EVERYWHERE), spread=[], volumes=[SCRATCH])
    yield _deployment(names.REDIS, namespace, REDIS_LABELS, template)
    port = {"name": "tcp-redis", "port": names.REDIS_PORT, "targetPort": names.REDIS_PORT, "protocol": "TCP"}
    spec = {"type": "ClusterIP", "selector": REDIS_LABELS, "ports": [port]}
    yield manifest("v1", "Service", names.REDIS, namespace, spec, labels=REDIS_LABELS)


def limited(r: Relations, mesh: Name) -> dict[ServiceName, ServiceLimit]:
    """Return the services of a mesh whose limit is counted once for all their instances."""
    return {
        name: service.limit
        for name, service in r.t.services.items()
        if service.limit is not None and service.limit.scope is Scope.GLOBAL and r.t.mesh_of(name) == mesh
    }


def counted(r: Relations, name: ServiceName) -> bool:
    """Say whether a service's limit is counted once for all its instances."""
    service = r.t.workload(name)
    return isinstance(service, Service) and service.limit is not None and service.limit.scope is Scope.GLOBAL


def namespace_of(mesh: Name) -> Name:
    """Return the namespace of a mesh's rate-limit service."""
    return f"{mesh}-{names.RATE_LIMIT}"


def host(mesh: Name) -> str:
    """Return the DNS name of a mesh's rate-limit service."""
    return names.fqdn(names.RATE_LIMIT, namespace_of(mesh))


def rate_limit_service(r: Relations, mesh: Name, image: str, redis_image: str) -> Iterator[Manifest]:
    """Yield the rate-limit service of a mesh, itself in the mesh: only the limited services may ask it.

    One pod holds the service and its Redis, which listens on the loopback address alone.
    """
    t, namespace = r.t, namespace_of(mesh)
    asking = limited(r, mesh)
    config = {
        "domain": DOMAIN,
        "descriptors": [
            {"key": "generic_key", "value": name, "rate_limit": {"unit": limit.per, "requests_per_unit": limit.requests}}
            for name, limit in asking.items()
        ],
    }
    yield _account(names.RATE_LIMIT, namespace)
    rules = [
        {
            "from": [{"source": {"principals": [identity(t, name) for name in asking]}}],
            "to": [{"operation": {"methods": ["POST"], "paths": ["/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"]}}],
        }
    ]
    selector = {"matchLabels": RATE_LIMIT_LABELS}
    yield manifest(SECURITY, "AuthorizationPolicy", names.RATE_LIMIT, namespace, {"selector": selector, "action": "ALLOW", "rules": rules})
    istiod = network.pods(t.meshes[mesh].control_plane, {names.APP_LABEL: "istiod", names.REVISION_LABEL: mesh})
    callers = [network.pods(t.namespace_of(name), {names.APP_LABEL: name}) for name in asking]
    yield network.policy(
        names.RATE_LIMIT,
        namespace,
        RATE_LIMIT_LABELS,
        ingress=[network.accept(callers, names.RATE_LIMIT_PORT)],
        egress=[network.dns(), network.reach([istiod], names.ISTIOD_XDS_PORT)],
    )
    quiet = {
        "workloadSelector": {"labels": RATE_LIMIT_LABELS},
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
        "egress": [{"hosts": ["~/*"]}],
    }
    yield manifest(traffic.API, "Sidecar", names.RATE_LIMIT, namespace, quiet)
    seen_by = traffic.exported(namespace, (t.namespace_of(name) for name in asking))
    mutual = {"host": host(mesh), "exportTo": seen_by, "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}}
    yield manifest(traffic.API, "DestinationRule", names.RATE_LIMIT, namespace, mutual)
    # JSON is YAML, and spelled one way only.
    files = {"config.yaml": json.dumps(config, indent=2)}
    yield manifest("v1", "ConfigMap", names.RATE_LIMIT, namespace, data=files)
    template = pod_template(
        RATE_LIMIT_LABELS,
        names.RATE_LIMIT,
        _rate_limit_container(image),
        spread=[],
        volumes=[SCRATCH, {"name": "config", "configMap": {"name": names.RATE_LIMIT}}],
    )
    template["metadata"]["annotations"] = {CONFIG_ANNOTATION: config_digest(files)}
    template["spec"]["containers"].append(_redis_container(redis_image, LOOPBACK))
    yield _deployment(names.RATE_LIMIT, namespace, RATE_LIMIT_LABELS, template)
    port = {
        "name": "grpc",
        "port": names.RATE_LIMIT_PORT,
        "targetPort": names.RATE_LIMIT_PORT,
        "protocol": "TCP",
        "appProtocol": "grpc",
    }
    spec = {"type": "ClusterIP", "selector": RATE_LIMIT_LABELS, "ports": [port]}
    yield manifest("v1", "Service", names.RATE_LIMIT, namespace, spec, labels=RATE_LIMIT_LABELS)


def filter_for(r: Relations, name: ServiceName) -> Manifest | None:
    """Return what has a service's proxies ask the mesh's rate-limit service; None where the service has no global limit.

    When the rate-limit service does not answer, the call is refused (500): a limit that fails open is none.
    """
    if not counted(r, name):
        return None
    cluster = f"outbound|{names.RATE_LIMIT_PORT}||{host(r.t.mesh_of(name))}"
    value = {
        "domain": DOMAIN,
        "failure_mode_deny": True,
        "timeout": TIMEOUT,
        "rate_limit_service": {
            "grpc_service": {"envoy_grpc": {"cluster_name": cluster}, "timeout": TIMEOUT},
            "transport_api_version": "V3",
        },
    }
    asks = {
        "applyTo": "HTTP_FILTER",
        "match": {
            "context": "SIDECAR_INBOUND",
            "listener": {
                "filterChain": {
                    "filter": {
                        "name": CONNECTION_MANAGER,
                        "subFilter": {"name": ROUTER},
                    }
                }
            },
        },
        "patch": {"operation": "INSERT_BEFORE", "value": {"name": FILTER, "typed_config": {"@type": TYPE, **value}}},
    }
    tallies = {
        "applyTo": "HTTP_ROUTE",
        "match": {
            "context": "SIDECAR_INBOUND",
            "routeConfiguration": {"vhost": {"name": f"inbound|http|{r.port(name)}", "route": {"action": "ANY"}}},
        },
        "patch": {
            "operation": "MERGE",
            "value": {"route": {"rate_limits": [{"actions": [{"generic_key": {"descriptor_value": name}}]}]}},
        },
    }
    spec = {"workloadSelector": {"labels": {names.APP_LABEL: name}}, "priority": PRIORITY, "configPatches": [asks, tallies]}
    return manifest("networking.istio.io/v1alpha3", "EnvoyFilter", f"{name}-limit", r.t.namespace_of(name), spec)


def _account(name: Name, namespace: Name) -> Manifest:
    return manifest("v1", "ServiceAccount", name, namespace, automountServiceAccountToken=False)


def _deployment(name: Name, namespace: Name, labels: dict[str, str], template: dict[str, Any]) -> Manifest:
    spec = {"replicas": 1, "strategy": {"type": "Recreate"}, "selector": {"matchLabels": labels}, "template": template}
    return manifest("apps/v1", "Deployment", name, namespace, spec, labels=labels)


def _redis_container(image: str, address: str) -> dict[str, Any]:
    check = {"tcpSocket": {"port": names.REDIS_PORT}}
    if address == LOOPBACK:
        check = {"exec": {"command": ["redis-cli", "-h", address, "ping"]}}
    return {
        "name": names.REDIS,
        "image": image,
        "command": ["redis-server", "--bind", address, *REDIS_SETTINGS],
        "ports": [{"name": "redis", "containerPort": names.REDIS_PORT, "protocol": "TCP"}],
        "securityContext": RESTRICTED_CONTAINER,
        "resources": RESOURCES,
        "volumeMounts": [SCRATCH_MOUNT],
        "readinessProbe": check,
    }


def _rate_limit_container(image: str) -> dict[str, Any]:
    env = {
        "LOG_LEVEL": "warn",
        "REDIS_SOCKET_TYPE": "tcp",
        "REDIS_URL": f"{LOOPBACK}:{names.REDIS_PORT}",
        "USE_STATSD": "false",
        "RUNTIME_ROOT": "/data",
        "RUNTIME_SUBDIRECTORY": "ratelimit",
        "RUNTIME_WATCH_ROOT": "false",
        "RUNTIME_IGNOREDOTFILES": "true",
        "HOST": LOOPBACK,
        "GRPC_HOST": EVERYWHERE,
        "GRPC_PORT": str(names.RATE_LIMIT_PORT),
        "DEBUG_HOST": LOOPBACK,
    }
    return {
        "name": names.RATE_LIMIT,
        "image": image,
        "command": ["/bin/ratelimit"],
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "ports": [{"name": "grpc", "containerPort": names.RATE_LIMIT_PORT, "protocol": "TCP"}],
        "securityContext": RESTRICTED_CONTAINER,
        "resources": RESOURCES,
        "volumeMounts": [SCRATCH_MOUNT, {"name": "config", "mountPath": CONFIG_PATH, "readOnly": True}],
        "readinessProbe": {"tcpSocket": {"port": names.RATE_LIMIT_PORT}},
    }
