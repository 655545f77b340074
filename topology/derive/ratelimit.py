"""The rate-limit service of a mesh, which counts for all instances of a limited service."""

import json
from collections.abc import Iterator
from typing import Any, Final

from topology.derive import counters, names, network, traffic
from topology.derive.identity import API as SECURITY
from topology.derive.limits import CONNECTION_MANAGER, PRIORITY, ROUTER
from topology.derive.manifest import Manifest, manifest
from topology.derive.relations import Relations
from topology.derive.workloads import (
    CONFIG_ANNOTATION,
    RESTRICTED_CONTAINER,
    SCRATCH,
    SCRATCH_MOUNT,
    config_digest,
    pod_template,
    resources,
)
from topology.edges import identity
from topology.model.base import Name, ServiceName
from topology.model.service import Resources, Scope, Service, ServiceLimit

LABELS: Final = {names.APP_LABEL: names.RATE_LIMIT}
DOMAIN: Final = "perimeter"
CONFIG_PATH: Final = "/data/ratelimit/config"
FILTER: Final = "envoy.filters.http.ratelimit"
TYPE: Final = "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit"
TIMEOUT: Final = "0.25s"


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
    yield counters.account(names.RATE_LIMIT, namespace)
    rules = [
        {
            "from": [{"source": {"principals": [identity(t, name) for name in asking]}}],
            "to": [{"operation": {"methods": ["POST"], "paths": ["/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"]}}],
        }
    ]
    selector = {"matchLabels": LABELS}
    yield manifest(SECURITY, "AuthorizationPolicy", names.RATE_LIMIT, namespace, {"selector": selector, "action": "ALLOW", "rules": rules})
    istiod = network.pods(t.meshes[mesh].control_plane, names.istiod_labels(mesh))
    callers = [network.pods(t.namespace_of(name), {names.APP_LABEL: name}) for name in asking]
    yield network.policy(
        names.RATE_LIMIT,
        namespace,
        LABELS,
        ingress=[network.accept(callers, names.RATE_LIMIT_PORT)],
        egress=[network.dns(), network.reach([istiod], names.ISTIOD_XDS_PORT)],
    )
    quiet = {
        "workloadSelector": {"labels": LABELS},
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
        LABELS,
        names.RATE_LIMIT,
        _rate_limit_container(image),
        spread=[],
        volumes=[SCRATCH, {"name": "config", "configMap": {"name": names.RATE_LIMIT}}],
    )
    template["metadata"] = {"labels": {**LABELS, **names.trust_label(t, mesh)}, "annotations": {CONFIG_ANNOTATION: config_digest(files)}}
    template["spec"]["containers"].append(counters.redis_container(redis_image, counters.LOOPBACK))
    yield counters.deployment(names.RATE_LIMIT, namespace, LABELS, template)
    port = {
        "name": "grpc",
        "port": names.RATE_LIMIT_PORT,
        "targetPort": names.RATE_LIMIT_PORT,
        "protocol": "TCP",
        "appProtocol": "grpc",
    }
    spec = {"type": "ClusterIP", "selector": LABELS, "ports": [port]}
    yield manifest("v1", "Service", names.RATE_LIMIT, namespace, spec, labels=LABELS)


def filter_for(r: Relations, name: ServiceName) -> Manifest | None:
    """Return what has a service's proxies ask the mesh's rate-limit service; None where the service has no global limit.

    When the rate-limit service does not answer, the call is refused (500): a limit that fails open is none.
    """
    if not counted(r, name):
        return None
    service = host(r.t.mesh_of(name))
    # Without an authority Envoy names the cluster in its place, whose `|` the other proxy refuses: each call would end with 500.
    asked = {"cluster_name": f"outbound|{names.RATE_LIMIT_PORT}||{service}", "authority": service}
    value = {
        "domain": DOMAIN,
        "failure_mode_deny": True,
        "timeout": TIMEOUT,
        "rate_limit_service": {
            "grpc_service": {"envoy_grpc": asked, "timeout": TIMEOUT},
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


def _rate_limit_container(image: str) -> dict[str, Any]:
    env = {
        "LOG_LEVEL": "warn",
        "REDIS_SOCKET_TYPE": "tcp",
        "REDIS_URL": f"{counters.LOOPBACK}:{names.REDIS_PORT}",
        "USE_STATSD": "false",
        "RUNTIME_ROOT": "/data",
        "RUNTIME_SUBDIRECTORY": "ratelimit",
        "RUNTIME_WATCH_ROOT": "false",
        "RUNTIME_IGNOREDOTFILES": "true",
        "HOST": counters.LOOPBACK,
        "GRPC_HOST": counters.EVERYWHERE,
        "GRPC_PORT": str(names.RATE_LIMIT_PORT),
        "DEBUG_HOST": counters.LOOPBACK,
    }
    return {
        "name": names.RATE_LIMIT,
        "image": image,
        "command": ["/bin/ratelimit"],
        "env": [{"name": key, "value": value} for key, value in env.items()],
        "ports": [{"name": "grpc", "containerPort": names.RATE_LIMIT_PORT, "protocol": "TCP"}],
        "securityContext": RESTRICTED_CONTAINER,
        "resources": resources(Resources()),
        "volumeMounts": [SCRATCH_MOUNT, {"name": "config", "mountPath": CONFIG_PATH, "readOnly": True}],
        "readinessProbe": {"tcpSocket": {"port": names.RATE_LIMIT_PORT}},
    }
