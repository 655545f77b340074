"""Values of Istio's charts."""

import json
from typing import Any, Final

from components.binding import Binding
from components.scaling import BUDGET, CPU_TARGET, most, spread
from components.versions import ISTIO_VERSION
from topology.derive import draining, identity, names, telemetry
from topology.derive.manifest import Manifest
from topology.model.base import Name, seconds
from topology.model.system import Topology

RESTRICTED: Final[dict[str, Any]] = {"seccompProfile": {"type": "RuntimeDefault"}}
TRUSTED_PROXIES: Final = 2
"""The edge and the gateway: the mesh ingress takes the client's address from the second place from the right."""

QUIET_HEADERS: Final[dict[str, Any]] = {
    "server": {"disabled": True},
    "envoyDebugHeaders": {"disabled": True},
    "attemptCount": {"disabled": True},
    "metadataExchangeHeaders": {"mode": "IN_MESH"},
}
"""What proxies do not tell anybody."""

GATEWAY_CPU: Final = "100m"
"""What Istio's chart asks for too. By 0.35 vCPU for 1,000 requests a second (istio.io, `performance-and-scalability`, of 1.16), an instance is
joined by another one at about 200 a second."""
ISTIOD_CPU: Final = "200m"
"""The chart's 500m would not leave much of a small cluster. With less, each rollout of workloads would make autoscaling add instances, which
take over no proxy that is already connected."""
RETRY_KEYS: Final = "1m"
"""Longest time for which an ingress refuses every token after the issuer is back, where istiod started during its outage."""


def base(t: Topology) -> dict[str, Any]:
    """Return the values of the chart with Istio's CRDs. Whatever is applied is validated by the first mesh's istiod, or refused."""
    first = next(iter(t.meshes))
    return {
        "defaultRevision": first,
        "global": {"istioNamespace": t.meshes[first].control_plane},
        "base": {"validationFailurePolicy": "Fail"},
    }


def istiod(binding: Binding, t: Topology, mesh: Name) -> dict[str, Any]:
    """Return the values of a mesh's control plane."""
    m, least = t.meshes[mesh], binding.replicas.istiod
    return {
        "revision": mesh,
        "autoscaleEnabled": True,
        "autoscaleMin": least,
        "autoscaleMax": most(least),
        "cpu": {"targetAverageUtilization": CPU_TARGET},
        "pdb": dict(BUDGET),
        "topologySpreadConstraints": spread(names.istiod_labels(mesh)),
        "resources": {"requests": {"cpu": ISTIOD_CPU, "memory": "256Mi"}},
        "base": {"validationFailurePolicy": "Fail"},
        "global": {
            "istioNamespace": m.control_plane,
            "hub": binding.image("istio"),
            "tag": ISTIO_VERSION,
            "proxy": {"resources": {"requests": {"cpu": "10m", "memory": "64Mi"}}},
        },
        "env": _environment(t),
        "meshConfig": _mesh_config(binding, t, mesh),
        **RESTRICTED,
    }


def gateway(binding: Binding, t: Topology, mesh: Name, role: Name) -> dict[str, Any]:
    """Return the values of one of a mesh's own gateways. The chart's Service would be public: ours stands beside it."""
    least: int = getattr(binding.replicas, role)
    # A request keeps the id that it has: a gateway, which takes its clients for the internet, would make a new one.
    drain = draining.drain(t)
    proxy_config: dict[str, Any] = {
        "terminationDrainDuration": f"{drain}s",
        "proxyHeaders": {**QUIET_HEADERS, "requestId": {"disabled": True}},
        # By default a gateway sends its caller's whole certificate on, to services and to outside hosts alike.
        "gatewayTopology": {"forwardClientCertDetails": "SANITIZE"},
    }
    if role == names.INGRESS:
        proxy_config["gatewayTopology"]["numTrustedProxies"] = TRUSTED_PROXIES
    return {
        "name": role,
        "revision": mesh,
        "labels": {names.LAYER_LABEL: role, **names.trust_label(t, mesh)},
        # The chart's image has no tag, for which the API server would default to Always.
        "imagePullPolicy": "IfNotPresent",
        "autoscaling": {
            "enabled": True,
            "minReplicas": least,
            "maxReplicas": most(least),
            "targetCPUUtilizationPercentage": CPU_TARGET,
        },
        # The chart makes none for a single instance.
        "podDisruptionBudget": dict(BUDGET),
        "topologySpreadConstraints": spread(identity.gateway_labels(role)),
        "service": {"type": "None"},
        "securityContext": RESTRICTED,
        "terminationGracePeriodSeconds": draining.grace(drain),
        "podAnnotations": {"proxy.istio.io/config": json.dumps(proxy_config, sort_keys=True)},
        "resources": {"requests": {"cpu": GATEWAY_CPU, "memory": "96Mi"}, "limits": {"memory": "1Gi"}},
    }


def _environment(t: Topology) -> dict[str, str]:
    found = {
        "ENABLE_DEBUG_ON_HTTP": "false",
        "PILOT_ENABLE_GATEWAY_API": "false",
        "PILOT_ENABLE_GATEWAY_API_STATUS": "false",
        "PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER": "false",
        "PILOT_FILTER_GATEWAY_CLUSTER_CONFIG": "true",
    }
    if t.issuers:
        # A key set that could not be fetched when istiod started is tried again only by this refresh.
        shortest = min((RETRY_KEYS, *(issuer.key_cache for issuer in t.issuers.values())), key=seconds)
        found["PILOT_JWT_PUB_KEY_REFRESH_INTERVAL"] = shortest
    return found


def _mesh_config(binding: Binding, t: Topology, mesh: Name) -> dict[str, Any]:
    m = t.meshes[mesh]
    providers: list[Manifest] = [
        {
            "name": telemetry.ACCESS_LOG,
            "envoyFileAccessLog": {"path": "/dev/stdout", "logFormat": {"labels": telemetry.LOG_FORMAT}},
        }
    ]
    looked_at: list[Manifest] = [{"matchLabels": {names.MESH_LABEL: mesh}}]
    if collector := binding.collector:
        # A provider that istiod cannot find is left out of every proxy without another word: no trace would ever begin.
        looked_at.append({"matchLabels": {names.NAMESPACE_NAME_LABEL: collector.namespace}})
        service = names.fqdn(collector.service, collector.namespace)
        providers.append({"name": telemetry.TRACES, "opentelemetry": {"service": service, "port": collector.port}})
    return {
        "trustDomain": m.trust_domain,
        "rootNamespace": m.control_plane,
        "discoverySelectors": looked_at,
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
        "pathNormalization": {"normalization": "DECODE_AND_MERGE_SLASHES"},
        "meshMTLS": {"minProtocolVersion": "TLSV1_3"},
        "ingressControllerMode": "OFF",
        "extensionProviders": providers,
        "defaultConfig": {"holdApplicationUntilProxyStarts": True, "proxyHeaders": QUIET_HEADERS},
    }
