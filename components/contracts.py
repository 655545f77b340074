"""What one layer hands to the next. Layers know each other only by these values.

How a request travels, so that neighbours agree:

* The gateway forwards the path and the `Host` header unchanged. The mesh ingress, which chose the route by them, rewrites the path
  (`door.rewrite`), so that two doors whose rewritten paths coincide never become one.
* The gateway forwards the client's token in `Authorization` on JWT doors: the mesh ingress verifies it again, turns it into
  `x-perimeter-subject` and `x-perimeter-tier`, and removes it. On other doors the gateway removes `Authorization`.
* On API-key doors the gateway removes the key and sets `x-perimeter-consumer` and `x-perimeter-tier`.
* The edge makes `x-request-id` (in the form of a UUID of version 4), or the gateway where the edge stands outside the cluster; what comes
  after preserves it.
* Request and response headers of a door (`requestHeaders`, `responseHeaders`), lifecycle headers, caching, body limits and the
  limits of tiers belong to the gateway; canary, weights, mirror, faults, retries and the timeout of the call to the mesh.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from topology.model.base import HeaderName, HostName, Name


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A certificate authority that the program makes, for hops between the cluster and what stands around it."""

    certificate: pulumi.Output[str]
    """PEM."""
    key: pulumi.Output[str]
    """PEM, secret."""


@dataclass(frozen=True, kw_only=True)
class LoadBalancer:
    """A private load balancer in front of a mesh's ingress, for a gateway that is no pod of the cluster."""

    address: str
    """Its static address."""
    server_name: HostName
    """The name by which the gateway asks for it; SNI, and a DNS name in the ingress's certificate."""
    annotations: Mapping[str, str]
    """Of the Service: by them the cluster's cloud makes the load balancer private."""


@dataclass(frozen=True, kw_only=True)
class OutsideGateway:
    """What the cluster must know of a gateway that stands in the network around it."""

    addresses: tuple[str, ...]
    """Ranges that it calls from; none where the stack's alternative serves every host."""
    load_balancers: Mapping[Name, LoadBalancer]
    """By mesh, for each behind which it has doors."""
    authority: Authority
    """Signs the gateway's client certificate and the certificates of the ingresses."""


@dataclass(frozen=True, kw_only=True)
class OutsideEdge:
    """What a gateway of pods must know of an edge that stands in the network around the cluster.

    It shows no client certificate, so the network alone says who is calling; it asks for no name in TLS; and it makes no request id.
    """

    addresses: tuple[str, ...]
    """Ranges that it calls from; nobody else reaches the gateway."""


@dataclass(frozen=True, kw_only=True)
class PublicIssuer:
    """What cert-manager must know to get a certificate that browsers trust: how it proves that the hosts are ours."""

    solver: Mapping[str, Any]
    """By DNS (cert-manager, `ACMEChallengeSolverDNS01`)."""
    pod_labels: Mapping[str, str]
    """Of cert-manager's pods and ServiceAccount: by them the cluster's cloud lends them an identity."""
    ready: tuple[pulumi.Resource, ...]


@dataclass(frozen=True, kw_only=True)
class ClusterOutputs:
    """The cluster that the system runs in, and what lies around it."""

    providers: tuple[pulumi.ProviderResource, ...]
    """Every provider that layers need: that of Kubernetes, and that of the cloud."""
    gateway: OutsideGateway | None
    """None where the stack file has no gateway outside the cluster."""
    edge: OutsideEdge | None = None
    """None where pods of the edge stand in front of the gateway, or the gateway is no pod of the cluster either."""
    issuer: PublicIssuer | None = None
    """None where an authority made on deploy signs what clients see, or one of the user's."""
    land: object | None
    """What the cloud's own edge and gateway stand on, such as `components.azure.land.AzureLand` or `components.aws.land.AwsLand`; None where there is no cloud."""


@dataclass(frozen=True, kw_only=True)
class CounterStore:
    """The Redis in which the gateway counts the limits of tiers with scope `global`. Its NetworkPolicy lets only the gateway in."""

    host: HostName
    port: int
    namespace: Name
    pod_labels: Mapping[str, str]
    ready: pulumi.Resource


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What lies beneath the layers: namespaces, certificates, keys, and the CRDs that no layer brings itself."""

    namespaces: Mapping[Name, pulumi.Resource]
    """Every namespace with its default-deny policy in place: a resource in it depends on this one resource."""
    certificates: pulumi.Resource
    """The issuer of all certificates. The Secrets named in `topology.derive.names` (`EDGE_SERVER_SECRET`, ...) appear after it."""
    gateway_api: tuple[pulumi.Resource, ...]
    """The Gateway API's CRDs. Empty when the chosen gateway's chart brings them."""
    api_keys: Mapping[Name, pulumi.Output[str]]
    """The key of each consumer of the topology, secret."""
    counters: CounterStore | None
    """None where no tier of the topology has a global limit."""


@dataclass(frozen=True, kw_only=True)
class IngressOutputs:
    """The door of one mesh, which accepts only the gateway's client certificate."""

    namespace: Name
    service: Name
    """A ClusterIP Service in that namespace."""
    port: int
    """Port of the Service; it speaks TLS."""
    port_name: str
    pod_labels: Mapping[str, str]
    pod_port: int
    server_name: HostName
    """SNI to send, and a DNS name in the ingress's certificate."""
    server_secret: Name
    """Secret in that namespace whose `ca.crt` verifies the ingress."""
    ready: pulumi.Resource
    """The Service: what points at it depends on it."""


@dataclass(frozen=True, kw_only=True)
class MeshOutputs:
    """All meshes of the system."""

    ingress: Mapping[Name, IngressOutputs]
    """By mesh; a mesh without doors has none."""
    guards: Mapping[Name, pulumi.Resource]
    """The allow-nothing policy of each mesh, which waits for its istiod and for STRICT mutual TLS: what must stand before a workload."""
    control_planes: Mapping[Name, pulumi.Resource]
    """The istiod Release of each mesh: what creates Istio objects, or needs injection, depends on it."""


@dataclass(frozen=True, kw_only=True)
class Below:
    """Everything that an edge or a gateway stands on."""

    cluster: ClusterOutputs
    platform: Platform
    mesh: MeshOutputs


@dataclass(frozen=True, kw_only=True)
class GatewayOutputs:
    """The API gateway, which accepts only the edge's client certificate."""

    namespace: Name
    service: Name
    port: int
    pod_labels: Mapping[str, str]
    pod_port: int
    server_name: HostName
    """SNI to send where the client's own host name is not, and a DNS name in the gateway's certificate."""
    ready: pulumi.Resource
    """The Service."""


@dataclass(frozen=True, kw_only=True)
class OutsideGatewayOutputs:
    """An API gateway outside the cluster, which accepts only the edge's network and the system's hosts."""

    host: HostName
    """The name of its private address."""
    port: int
    authority: pulumi.Output[str]
    """PEM certificate of the authority that signs its server certificates for the system's public hosts."""
    status_path: str
    """Answers 200 without credentials, for health probes."""
    left_in_answers: frozenset[HeaderName]
    """Headers that it cannot take out of answers: where a door asks for it, the edge has to."""
    ready: pulumi.Resource


@dataclass(frozen=True, kw_only=True)
class EdgeOutputs:
    """The edge: the only public address."""

    name: str | pulumi.Output[str]
    """What to look for: `namespace/service` in a cluster, a DNS name in a cloud."""
    port: int
    ready: pulumi.Resource
    """What clients connect to."""
