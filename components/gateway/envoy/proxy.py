"""The proxies of Envoy Gateway: how they run, what they ask of the edge, and what they show the mesh."""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

from components.binding import Binding
from components.contracts import CounterStore, IngressOutputs, OutsideEdge
from components.gateway import routes
from components.gateway.envoy.doors import API, PROVIDER
from components.gateway.inside import callers
from components.headers import BELIEVED, HIDDEN
from components.scaling import BUDGET, most, spread
from topology.derive import draining, names, network
from topology.derive.manifest import Manifest, manifest
from topology.model.base import size_in_bytes
from topology.model.door import JwtAuth
from topology.model.system import Topology

LABELS: Final = {names.APP_LABEL: names.GATEWAY, names.LAYER_LABEL: names.GATEWAY}
POD_PORT: Final = 10443
"""Where the proxies listen for port 443: Envoy Gateway adds 10,000 to ports below 1,024."""
MANAGED_SERVICE: Final = "gateway-envoy"
"""The Service that Envoy Gateway makes for itself. Ours has the plain name."""
XDS_PORT: Final = 18000
COUNTER_XDS_PORT: Final = 18001
CONTROLLER: Final = {"control-plane": "envoy-gateway"}
COUNTER: Final = {"app.kubernetes.io/name": "envoy-ratelimit"}
COUNTER_PORT: Final = 8081
HEADERS_TIMEOUT: Final = "10s"

LOG: Final = {
    "time": "%START_TIME%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "edge": "%DOWNSTREAM_PEER_URI_SAN%",
    "host": "%REQ(:AUTHORITY)%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ)%",
    "route": "%ROUTE_NAME%",
    "consumer": f"%REQ({names.CONSUMER_HEADER})%",
    "subject": f"%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:{PROVIDER}:sub)%",
    "tier": f"%REQ({names.TIER_HEADER})%",
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "milliseconds": "%DURATION%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
    "upstream": "%UPSTREAM_HOST%",
    "protocol": "%PROTOCOL%",
}
"""One line of JSON for each request: who asked for what, and what came of it. No query string, no credential, no body."""


def envoy_proxy(binding: Binding, t: Topology) -> Manifest:
    """Return how the proxies run. They show every TLS backend the gateway's client certificate."""
    largest = max((size_in_bytes(door.max_body) for door in t.doors.values()), default=0)
    least = binding.replicas.gateway
    kubernetes: dict[str, Any] = {
        "envoyService": {"name": MANAGED_SERVICE, "type": "ClusterIP"},
        "envoyDeployment": {
            "pod": {"labels": LABELS, "topologySpreadConstraints": spread(LABELS)},
            "container": {
                # Named here: the controller's own default is pinned by a digest that no mirror or imported image can match.
                "image": binding.image("envoy"),
                "resources": {
                    "requests": {"cpu": "100m", "memory": "128Mi"},
                    "limits": {"memory": f"{512 + 4 * largest // 2**20}Mi"},
                },
            },
        },
        "envoyHpa": {"minReplicas": least, "maxReplicas": most(least)},
        "envoyPDB": dict(BUDGET),
    }
    spec = {
        "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
        "backendTLS": {
            "clientCertificateRef": {"group": "", "kind": "Secret", "name": names.GATEWAY_CLIENT_SECRET},
            "minVersion": "1.2",
        },
        "telemetry": {
            "accessLog": {
                "settings": [{"format": {"type": "JSON", "json": LOG}, "sinks": [{"type": "File", "file": {"path": "/dev/stdout"}}]}]
            }
        },
        "shutdown": {"drainTimeout": f"{draining.drain(t)}s", "minDrainDuration": f"{draining.NOTICE}s"},
    }
    return manifest(API, "EnvoyProxy", names.GATEWAY, names.GATEWAY_NAMESPACE, spec)


def client_traffic(edge: OutsideEdge | None = None) -> Manifest:
    """Return what the proxies ask of whoever connects, and what they refuse or take away; `edge` is one outside the cluster."""
    target = {"group": routes.GROUP, "kind": "Gateway", "name": names.GATEWAY}
    spec = {
        "targetRefs": [target],
        "tls": {"minVersion": "1.2", "alpnProtocols": ["h2", "http/1.1"], **({} if edge else _edge_certificate())},
        "headers": {
            **(_headers_at_the_first_proxy() if edge else _headers_behind_the_edge()),
            "xForwardedClientCert": {"mode": "Sanitize"},
            "withUnderscoresAction": "RejectRequest",
        },
        # The edge says one address, the client's, or says it last.
        "clientIPDetection": {"xForwardedFor": {"numTrustedHops": 1}},
        "path": {"escapedSlashesAction": "RejectRequest", "disableMergeSlashes": False},
        "timeout": {"http": {"requestHeadersReceivedTimeout": HEADERS_TIMEOUT}},
        "http2": {"maxConcurrentStreams": 128},
    }
    return manifest(API, "ClientTrafficPolicy", names.GATEWAY, names.GATEWAY_NAMESPACE, spec)


def _edge_certificate() -> dict[str, Any]:
    """Return what an edge of pods has to show: its certificate. One outside the cluster has none to show (`OutsideEdge`)."""
    edge = {"type": "Exact", "value": f"{names.SPIFFE}{names.EDGE_IDENTITY}"}
    return {
        "clientValidation": {
            "mode": "RequireAndVerify",
            "caCertificateRefs": [{"group": "", "kind": "Secret", "name": names.GATEWAY_SERVER_SECRET}],
            "subjectAltNames": {"uris": [edge]},
        }
    }


def _headers_behind_the_edge() -> dict[str, Any]:
    """Return how headers are treated that the edge has cleaned; it alone can connect, and has made the request's id itself."""
    return {"earlyRequestHeaders": {"remove": [*names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS]}, "requestID": "Preserve"}


def _headers_at_the_first_proxy() -> dict[str, Any]:
    """Return how headers are treated that came as clients sent them, and what answers keep to themselves."""
    said = {"name": names.REQUEST_ID_HEADER, "value": f"%REQ({names.REQUEST_ID_HEADER})%"}
    return {
        "earlyRequestHeaders": {"remove": list(BELIEVED)},
        "requestID": "Generate",
        "lateResponseHeaders": {
            "set": [said],
            "remove": [header for header in HIDDEN if header != names.REQUEST_ID_HEADER],
        },
    }


def backend_tls(ingress: IngressOutputs) -> Manifest:
    """Return how the proxies verify a mesh's ingress."""
    spec = {
        "targetRefs": [{"group": "", "kind": "Service", "name": ingress.service, "sectionName": ingress.port_name}],
        "validation": {
            "hostname": ingress.server_name,
            "caCertificateRefs": [{"group": "", "kind": "Secret", "name": ingress.server_secret}],
        },
    }
    return manifest(routes.API, "BackendTLSPolicy", names.GATEWAY, ingress.namespace, spec)


def fence(
    binding: Binding, t: Topology, ingresses: Iterable[IngressOutputs], counters: CounterStore | None, edge: OutsideEdge | None = None
) -> Manifest:
    """Return whom the proxies accept (the edge) and whom they call (the meshes' ingresses, their controller, the issuers' key sets)."""
    egress = [network.dns(), network.reach([network.pods(names.ENVOY_GATEWAY_NAMESPACE, CONTROLLER)], XDS_PORT)]
    egress += [network.reach([network.pods(ingress.namespace, ingress.pod_labels)], ingress.pod_port) for ingress in ingresses]
    if counters is not None:
        egress.append(network.reach([network.pods(names.ENVOY_GATEWAY_NAMESPACE, COUNTER)], COUNTER_PORT))
    if ports := key_set_ports(t):
        egress.append(network.outside(binding.inside, *ports))
    return network.policy(names.GATEWAY, names.GATEWAY_NAMESPACE, LABELS, ingress=[network.accept(callers(edge), POD_PORT)], egress=egress)


def key_set_ports(t: Topology) -> list[int]:
    """Return the ports of the key sets of issuers that doors trust, sorted."""
    used = {door.auth.jwt for door in t.doors.values() if isinstance(door.auth, JwtAuth)}
    return sorted({urlsplit(t.issuers[name].jwks_uri).port or 443 for name in used})
