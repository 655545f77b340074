"""The platform: the first thing that is made, and the last that goes."""

from collections.abc import Iterator
from typing import Any, Final

import pulumi

from components.binding import Binding, GatewayKind
from components.certificates import Certificates
from components.charts import release
from components.cluster import gateway_api
from components.cluster.counters import CLIENTS, Counters
from components.component import Component
from components.context import Context
from components.contracts import Platform, PublicIssuer
from components.keys import ApiKey
from components.placement import layers_in_cluster
from components.ways import ways
from topology.derive import counters, names, namespaces, network, ratelimit
from topology.derive.manifest import Manifest
from topology.derive.relations import Relations
from topology.model.base import Name
from topology.model.system import Topology

CERT_MANAGER_VALUES: Final[dict[str, Any]] = {
    "crds": {"enabled": True},
    # Without this, whoever may edit a namespace may have certificates of the gateway's identity made for himself.
    "global": {"rbac": {"aggregateClusterRoles": False}, "leaderElection": {"namespace": names.CERT_MANAGER_NAMESPACE}},
    "prometheus": {"enabled": False},
}
CERT_MANAGER_WEBHOOK_PORT = 10250


class Cluster(Component, layer="cluster"):
    """Namespaces with default-deny, cert-manager with its issuers, API keys, shared counters, CRDs of the Gateway API."""

    platform: Platform

    def __init__(self, context: Context, *, parent: pulumi.Resource) -> None:
        """Register everything."""
        binding, r = context.binding, context.relations
        super().__init__("cluster", {"gateway": str(binding.gateway), "certificateIssuer": _issuer(binding)}, parent=parent)
        self._binding, self._proved = binding, context.issuer is not None
        closed = {document["metadata"]["name"]: self._closed(document) for document in _namespaces(binding, r)}
        cert_manager = release(
            binding,
            "cert-manager",
            "cert-manager",
            names.CERT_MANAGER_NAMESPACE,
            _cert_manager(context.issuer),
            parent=self,
            after=[closed[names.CERT_MANAGER_NAMESPACE]],
        )
        certificates = Certificates(context, closed, parent=self, after=[cert_manager])
        gateways = {way.binding.gateway for way in ways(binding, r.t)}
        crds = self.add_all(gateway_api.definitions()) if GatewayKind.KONG in gateways else []
        counting = _counting(binding, r.t)
        shared = Counters(counting, closed[names.COUNTERS_NAMESPACE], parent=self).store if counting else None
        self.platform = Platform(
            namespaces=closed,
            certificates=certificates.issued,
            gateway_api=tuple(crds),
            api_keys={consumer: ApiKey(consumer, binding.rotation, parent=self).secret for consumer in r.t.consumers},
            counters=shared,
        )
        self.register_outputs({"namespaces": sorted(closed)})

    def _closed(self, namespace: Manifest) -> pulumi.Resource:
        """Return the policy that closes a namespace, made right after the namespace itself."""
        name = namespace["metadata"]["name"]
        made = self.add(namespace)
        policy = self._cert_manager_policy() if name == names.CERT_MANAGER_NAMESPACE else network.default_deny(name)
        return self.add(policy, after=[made])

    def _cert_manager_policy(self) -> Manifest:
        """Return what cert-manager's pods may do: be asked by the API server, and ask it; with a public issuer, ask outside too."""
        binding = self._binding
        egress = [network.dns(), network.ranges(binding.api_server, *binding.api_server_ports)]
        if binding.certificate_issuer or self._proved:
            egress.append(network.outside(binding.inside, 80, 443))
        webhook = [{"ports": network.tcp(CERT_MANAGER_WEBHOOK_PORT)}]
        return network.policy("cert-manager", names.CERT_MANAGER_NAMESPACE, {}, ingress=webhook, egress=egress)


def build_platform(context: Context, *, parent: pulumi.Resource) -> Platform:
    """Build the platform."""
    return Cluster(context, parent=parent).platform


def _cert_manager(issuer: PublicIssuer | None) -> dict[str, Any]:
    if issuer is None:
        return CERT_MANAGER_VALUES
    labels = dict(issuer.pod_labels)
    # Whether a proof can be seen yet, it asks the cluster's own name service: it reaches no other.
    asks = ["--dns01-recursive-nameservers-only"]
    return {**CERT_MANAGER_VALUES, "podLabels": labels, "serviceAccount": {"labels": labels}, "extraArgs": asks}


def _namespaces(binding: Binding, r: Relations) -> Iterator[Manifest]:
    t = r.t
    yield from namespaces.platform(layers_in_cluster(binding, t))
    yield from namespaces.control_planes(t)
    for mesh in t.meshes:
        yield from namespaces.gateways(mesh, _mesh_gateways(r, mesh))
        if ratelimit.limited(r, mesh):
            yield namespaces.member(ratelimit.namespace_of(mesh), mesh)
    yield from namespaces.applications(t)
    if _counting(binding, t):
        yield namespaces.namespace(names.COUNTERS_NAMESPACE, namespaces.ENFORCE_RESTRICTED)


def _counting(binding: Binding, t: Topology) -> Binding | None:
    """Return the binding of the gateway in the cluster that counts limits in a Redis of its own."""
    found = (way.binding for way in ways(binding, t) if way.binding.gateway in CLIENTS and counters.tiers_count_globally(way.t))
    return next(found, None)


def _mesh_gateways(r: Relations, mesh: Name) -> tuple[Name, ...]:
    m = r.t.meshes[mesh]
    used = {m.ingress: r.opens(mesh), m.egress: r.exits(mesh), m.bridge: r.bridging(mesh)}
    return tuple(namespace for namespace, wanted in used.items() if wanted)


def _issuer(binding: Binding) -> str | None:
    return binding.certificate_issuer.name if binding.certificate_issuer else None
