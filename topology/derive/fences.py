"""The NetworkPolicy of every workload of the mesh: its callers on its port, its callees on theirs, and what a proxy itself needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from topology.derive import names, network, ratelimit
from topology.derive.identity import gateway_labels
from topology.derive.manifest import Manifest
from topology.derive.relations import Relations
from topology.model.base import Name, ServiceName
from topology.model.door import JwtAuth
from topology.model.system import Topology

_Gateway = tuple[Name, list[dict[str, Any]], list[network.Rule]]
"""Namespace of a gateway, whom it accepts, and what it may call."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Addresses of the environment that policies must name."""

    inside: tuple[str, ...]
    """Address ranges that are not outside."""
    api_server: tuple[str, ...]
    """Address ranges of the Kubernetes API server."""
    api_server_ports: tuple[int, ...]
    gateways: Mapping[Name, list[network.Peer]] = field(default_factory=dict[Name, list[network.Peer]])
    """By mesh, who calls its ingress; not there: the pods of the gateway."""
    private_hosts: Mapping[Name, tuple[str, ...]] = field(default_factory=dict[Name, tuple[str, ...]])
    """By egress, the address ranges of its host; not there: the host is on the internet."""
    collector: tuple[dict[str, Any], int] | None = None
    """Peer and port of the trace collector that proxies send to."""


def service(r: Relations, name: ServiceName, around: Surroundings) -> Manifest:
    """Return the policy of a service or composition."""
    t = r.t
    mesh = t.meshes[t.mesh_of(name)]
    callers = [_pods(t, call.caller) for call in r.calls_to[name]]
    callers += [_gateway(mesh.ingress, names.INGRESS)] if r.doors_to[name] else []
    callers += [_gateway(mesh.bridge, names.BRIDGE)] if r.bridges_to[name] else []
    ingress = [network.accept(callers, r.port(name))] if callers else []
    egress = _proxy_needs(t, t.mesh_of(name), around)
    egress += [network.reach([_pods(t, call.callee)], r.port(call.callee)) for call in r.calls_of[name]]
    if r.egress_of[name]:
        egress.append(network.reach([_gateway(mesh.egress, names.EGRESS)], names.MESH_GATEWAY_POD_PORT))
    if r.bridges_of[name]:
        egress.append(network.reach([_gateway(mesh.bridge, names.BRIDGE)], names.MESH_GATEWAY_POD_PORT))
    if ratelimit.counted(r, name):
        counting = network.pods(ratelimit.namespace_of(t.mesh_of(name)), ratelimit.LABELS)
        egress.append(network.reach([counting], names.RATE_LIMIT_PORT))
    return network.policy(name, t.namespace_of(name), {names.APP_LABEL: name}, ingress=ingress, egress=egress)


def gateway(r: Relations, mesh: Name, role: Name, around: Surroundings) -> Manifest:
    """Return the policy of one of a mesh's own gateways: `ingress`, `egress` or `bridge`."""
    namespace, accepted, egress = {names.INGRESS: _ingress, names.EGRESS: _egress, names.BRIDGE: _bridge}[role](r, mesh, around)
    return network.policy(
        role,
        namespace,
        gateway_labels(role),
        ingress=[network.accept(accepted, names.MESH_GATEWAY_POD_PORT)],
        egress=[*_proxy_needs(r.t, mesh, around), *egress],
    )


def _ingress(r: Relations, mesh: Name, around: Surroundings) -> _Gateway:
    behind = dict.fromkeys(door.service for door in r.doors_of_mesh[mesh])
    reached = [network.reach([_pods(r.t, name)], r.port(name)) for name in behind]
    callers = around.gateways.get(mesh) or [network.layer(names.GATEWAY_NAMESPACE, names.GATEWAY)]
    return r.t.meshes[mesh].ingress, callers, reached


def _egress(r: Relations, mesh: Name, around: Surroundings) -> _Gateway:
    exits = r.egress_of_mesh[mesh]
    callers = dict.fromkeys(service for _, exit_ in exits for service in exit_.services)
    public = sorted({exit_.port for name, exit_ in exits if name not in around.private_hosts})
    reached = [network.outside(around.inside, *public)] if public else []
    reached += [network.ranges(around.private_hosts[name], exit_.port) for name, exit_ in exits if name in around.private_hosts]
    return r.t.meshes[mesh].egress, [_pods(r.t, caller) for caller in callers], reached


def _bridge(r: Relations, mesh: Name, _around: Surroundings) -> _Gateway:
    t = r.t
    leaving, arriving = r.bridges_out_of_mesh[mesh], r.bridges_into_mesh[mesh]
    accepted = [_pods(t, name) for name in dict.fromkeys(bridge.source for bridge in leaving)]
    accepted += [_other_side(t, name) for name in dict.fromkeys(t.mesh_of(bridge.source) for bridge in arriving)]
    beyond = [_other_side(t, name) for name in dict.fromkeys(t.mesh_of(bridge.target) for bridge in leaving)]
    reached = [network.reach(beyond, names.MESH_GATEWAY_POD_PORT)] if beyond else []
    reached += [network.reach([_pods(t, name)], r.port(name)) for name in dict.fromkeys(bridge.target for bridge in arriving)]
    return t.meshes[mesh].bridge, accepted, reached


def control_plane(r: Relations, mesh: Name, around: Surroundings) -> Manifest:
    """Return the policy of a mesh's istiod: its own proxies, and the API server's webhook calls, which come from no pod."""
    t, m = r.t, r.t.meshes[mesh]
    members = [name for name, owner in r.namespaces.items() if owner == mesh]
    members += [m.ingress] if r.opens(mesh) else []
    members += [m.egress] if r.exits(mesh) else []
    members += [m.bridge] if r.bridging(mesh) else []
    members += [ratelimit.namespace_of(mesh)] if ratelimit.limited(r, mesh) else []
    proxies = [network.pods(namespace, {}) for namespace in members]
    fetched = any(isinstance(door.auth, JwtAuth) for door in r.doors_of_mesh[mesh])
    return network.policy(
        names.istiod(mesh),
        m.control_plane,
        names.istiod_labels(mesh),
        ingress=[
            network.accept(proxies, names.ISTIOD_XDS_PORT),
            # The webhook is asked by the API server, whose address is no pod's: TLS and the API server's trust guard it.
            {"ports": network.tcp(names.ISTIOD_WEBHOOK_PORT)},
        ],
        egress=[
            network.dns(),
            network.ranges(around.api_server, *around.api_server_ports),
            *([network.outside(around.inside, *_key_set_ports(t))] if fetched else []),
        ],
    )


def _key_set_ports(t: Topology) -> list[int]:
    """Return the ports of the issuers' key sets."""
    found: set[int] = set()
    for issuer in t.issuers.values():
        authority = issuer.jwks_uri.removeprefix("https://").split("/", 1)[0]
        _, _, port = authority.partition(":")
        found.add(int(port) if port else names.HTTPS_PORT)
    return sorted(found)


def _proxy_needs(t: Topology, mesh: Name, around: Surroundings) -> list[network.Rule]:
    """Return what every proxy calls: the name service, its control plane, and the trace collector."""
    istiod = network.pods(t.meshes[mesh].control_plane, names.istiod_labels(mesh))
    rules = [network.dns(), network.reach([istiod], names.ISTIOD_XDS_PORT)]
    if around.collector:
        peer, port = around.collector
        rules.append(network.reach([peer], port))
    return rules


def _pods(t: Topology, name: ServiceName) -> dict[str, Any]:
    return network.pods(t.namespace_of(name), {names.APP_LABEL: name})


def _gateway(namespace: Name, role: Name) -> dict[str, Any]:
    return network.pods(namespace, gateway_labels(role))


def _other_side(t: Topology, mesh: Name) -> dict[str, Any]:
    return _gateway(t.meshes[mesh].bridge, names.BRIDGE)
