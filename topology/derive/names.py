# ruff: noqa: S105 # names of Secrets, not secrets
"""The platform's names, ports, labels and internal headers, each once."""

from typing import Final

from topology.model import door
from topology.model.base import HostName, Name, ServiceName
from topology.model.system import Topology

# Namespaces of the layers around the mesh. Those of the mesh are in the topology (`meshes`).
EDGE_NAMESPACE: Final = "edge"
GATEWAY_NAMESPACE: Final = "gateway"
ENVOY_GATEWAY_NAMESPACE: Final = "envoy-gateway-system"
CERT_MANAGER_NAMESPACE: Final = "cert-manager"
COUNTERS_NAMESPACE: Final = "ratelimit"
DNS_NAMESPACE: Final = "kube-system"

# Workloads, Services and ServiceAccounts of the layers; each bears one name in all three roles.
EDGE: Final = "edge"
GATEWAY: Final = "gateway"
INGRESS: Final = "ingress"
EGRESS: Final = "egress"
BRIDGE: Final = "bridge"
REDIS: Final = "redis"
RATE_LIMIT: Final = "ratelimit"

# Labels.
APP_LABEL: Final = "app"
VERSION_LABEL: Final = "version"
LAYER_LABEL: Final = "perimeter.dev/layer"
"""On pods that pass requests on: `edge`, `gateway`, `ingress`, `egress` or `bridge`. NetworkPolicies of neighbours select by it."""
MESH_LABEL: Final = "perimeter.dev/mesh"
"""On namespaces: the mesh whose control plane looks at them (`discoverySelectors`)."""
REVISION_LABEL: Final = "istio.io/rev"
LOCALITY_LABEL: Final = "topology.istio.io/locality"
TRUST_DOMAIN_LABEL: Final = "perimeter.dev/trust-domain"
"""On pods of a mesh. A pod keeps the trust domain with which its proxy was injected: only a new pod has another."""
NAMESPACE_NAME_LABEL: Final = "kubernetes.io/metadata.name"

# Ports of pods and Services.
HTTPS_PORT: Final = 443
"""Port of the Services `edge/edge`, `gateway/gateway`, `<ingress>/ingress`, `<egress>/egress`, `<bridge>/bridge`."""
HTTPS_PORT_NAME: Final = "https"
EDGE_POD_PORT: Final = 8443
EDGE_NODE_PORT: Final = 30443
"""Where the edge is public on each node, unless the stack file names another."""
MESH_GATEWAY_POD_PORT: Final = 8443
ISTIOD_XDS_PORT: Final = 15012
ISTIOD_WEBHOOK_PORT: Final = 15017
DNS_PORT: Final = 53
RATE_LIMIT_PORT: Final = 8081
REDIS_PORT: Final = 6379

# Identities of the layers outside the mesh, as the URI SAN of their client certificates. `boundary` is no mesh's trust domain.
BOUNDARY_TRUST_DOMAIN: Final = "boundary"
EDGE_IDENTITY: Final = f"{BOUNDARY_TRUST_DOMAIN}/ns/{EDGE_NAMESPACE}/sa/{EDGE}"
GATEWAY_IDENTITY: Final = f"{BOUNDARY_TRUST_DOMAIN}/ns/{GATEWAY_NAMESPACE}/sa/{GATEWAY}"
SPIFFE: Final = "spiffe://"

# Secrets of type kubernetes.io/tls that cert-manager writes, with `tls.crt`, `tls.key` and the issuing CA in `ca.crt`.
EDGE_SERVER_SECRET: Final = "edge-server"
EDGE_CLIENT_SECRET: Final = "edge-client"
GATEWAY_SERVER_SECRET: Final = "gateway-server"
GATEWAY_CLIENT_SECRET: Final = "gateway-client"
INGRESS_SERVER_SECRET: Final = "ingress-server"
BRIDGE_SECRET: Final = "bridge"

# Headers that only the layers may set. A client's copy is removed at the edge and again at the gateway.
REQUEST_ID_HEADER: Final = "x-request-id"
"""Made by the edge and passed on by every layer after it. It has the form of a UUID of version 4
(`xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx`): Envoy reads the sampling decision out of that `4`."""
SUBJECT_HEADER: Final = "x-perimeter-subject"
"""The verified token's `sub`; set at the mesh ingress from the token itself."""
TIER_HEADER: Final = "x-perimeter-tier"
"""The client's tier: from the token's tier claim at the mesh ingress, or from the consumer's API key at the gateway."""
CONSUMER_HEADER: Final = "x-perimeter-consumer"
"""The consumer that the API key belongs to; set by the gateway."""
API_KEY_HEADER: Final = door.API_KEY_HEADER
"""Where a client shows its API key. The gateway removes it."""
IDENTITY_HEADERS: Final = (SUBJECT_HEADER, TIER_HEADER, CONSUMER_HEADER)
CLIENT_CERTIFICATE_HEADER: Final = "x-forwarded-client-cert"
TRACE_INTERNAL_HEADERS: Final = (
    CLIENT_CERTIFICATE_HEADER,
    "x-envoy-internal",
    "x-envoy-original-path",
    "x-envoy-original-host",
    "x-envoy-original-method",
    "x-envoy-original-url",
    "x-envoy-force-trace",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-max-retries",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-stream-duration-ms",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-external-address",
    "x-envoy-ip-tags",
    "x-envoy-is-timeout-retry",
    "x-envoy-attempt-count",
    "x-envoy-peer-metadata",
    "x-envoy-peer-metadata-id",
)
"""Headers by which Envoy proxies steer each other; no client may send them (Envoy, `header_sanitizing`)."""


def fqdn(service: str, namespace: str) -> str:
    """Return the full DNS name of a Kubernetes Service."""
    return f"{service}.{namespace}.svc.cluster.local"


def trust_label(t: Topology, mesh: Name) -> dict[str, str]:
    """Return the label that makes pods anew when their mesh's trust domain changes; a label's value has 63 characters at most."""
    return {TRUST_DOMAIN_LABEL: t.meshes[mesh].trust_domain[:63].rstrip("-.")}


def address(t: Topology, service: ServiceName) -> str:
    """Return the full DNS name of a service or composition of the topology."""
    return fqdn(service, t.namespace_of(service))


def bridged_host(t: Topology, target: ServiceName) -> HostName:
    """Return the name by which one side of the internal gateway asks the other for a service: `account.banking.bridge.internal`."""
    return f"{target}.{t.mesh_of(target)}.bridge.internal"


def istiod_labels(mesh: Name) -> dict[str, str]:
    """Return the labels by which Istio's chart selects the pods of a mesh's istiod."""
    return {APP_LABEL: "istiod", REVISION_LABEL: mesh}


def istiod(mesh: Name) -> str:
    """Return the name of a mesh's istiod Deployment and Service: the revision is the mesh's name."""
    return f"istiod-{mesh}"


def gateway_identity(t: Topology, mesh: Name, role: str) -> str:
    """Return the identity of a mesh's own gateway; `role` is `ingress`, `egress` or `bridge`."""
    m = t.meshes[mesh]
    namespace = {INGRESS: m.ingress, EGRESS: m.egress, BRIDGE: m.bridge}[role]
    return f"{m.trust_domain}/ns/{namespace}/sa/{role}"
