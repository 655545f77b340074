"""The internal gateway between two meshes: both sides check the other's identity, and neither trusts the other's authority.

caller -> (mutual TLS of its mesh) -> bridge of its mesh -> (mutual TLS of the bridge authority) -> bridge of the target's mesh
-> (mutual TLS of that mesh) -> target. The caller asks for `http://<target>.<bridge namespace of its own mesh>:<port of the target>`.
"""

from collections.abc import Iterator
from typing import Any

from topology.derive import names, traffic
from topology.derive.identity import gateway_labels
from topology.derive.ingress import MINIMUM_TLS
from topology.derive.manifest import Manifest, manifest
from topology.derive.relations import Relations
from topology.derive.workloads import service_port
from topology.model.base import Name, ServiceName
from topology.model.service import Protocol
from topology.model.system import Bridge


def services(r: Relations, mesh: Name) -> Iterator[Manifest]:
    """Yield the Services by which callers of a mesh reach services of others: each selects this mesh's side of the bridge."""
    namespace = r.t.meshes[mesh].bridge
    for target in _by_target(r, mesh):
        port = {**service_port(r, target), "targetPort": names.MESH_GATEWAY_POD_PORT}
        spec = {"type": "ClusterIP", "selector": gateway_labels(names.BRIDGE), "ports": [port]}
        yield manifest("v1", "Service", target, namespace, spec)


def documents(r: Relations, mesh: Name) -> Iterator[Manifest]:
    """Yield the Istio objects of one mesh's side; none where no bridge touches the mesh."""
    if not r.bridging(mesh):
        return
    namespace = r.t.meshes[mesh].bridge
    leaving = _by_target(r, mesh)
    yield _gateway(r, mesh, leaving)
    for target, bridges in leaving.items():
        yield from _way_out(r, namespace, target, bridges)
    for target in dict.fromkeys(bridge.target for bridge in r.bridges_into_mesh[mesh]):
        yield _way_in(r, namespace, target)


def _by_target(r: Relations, mesh: Name) -> dict[ServiceName, list[Bridge]]:
    found: dict[ServiceName, list[Bridge]] = {}
    for bridge in r.bridges_out_of_mesh[mesh]:
        found.setdefault(bridge.target, []).append(bridge)
    return found


def _gateway(r: Relations, mesh: Name, leaving: dict[ServiceName, list[Bridge]]) -> Manifest:
    t, namespace = r.t, r.t.meshes[mesh].bridge
    servers: list[dict[str, Any]] = []
    if leaving:
        servers.append(
            {
                "port": {"number": names.HTTPS_PORT, "name": "https-out", "protocol": "HTTPS"},
                "hosts": traffic.served(names.fqdn(target, namespace) for target in leaving),
                "tls": {"mode": "ISTIO_MUTUAL"},
            }
        )
    if arriving := r.bridges_into_mesh[mesh]:
        peers = dict.fromkeys(names.gateway_identity(t, t.mesh_of(bridge.source), names.BRIDGE) for bridge in arriving)
        servers.append(
            {
                "port": {"number": names.HTTPS_PORT, "name": "https-in", "protocol": "HTTPS"},
                "hosts": traffic.served(dict.fromkeys(names.bridged_host(t, bridge.target) for bridge in arriving)),
                "tls": {
                    "mode": "MUTUAL",
                    "credentialName": names.BRIDGE_SECRET,
                    "subjectAltNames": [f"{names.SPIFFE}{peer}" for peer in peers],
                    "minProtocolVersion": MINIMUM_TLS,
                },
            }
        )
    return manifest(traffic.API, "Gateway", names.BRIDGE, namespace, {"selector": gateway_labels(names.BRIDGE), "servers": servers})


def _way_out(r: Relations, namespace: Name, target: ServiceName, bridges: list[Bridge]) -> Iterator[Manifest]:
    """Yield what leads from the callers to their side of the bridge, and from there to the other side."""
    t = r.t
    here, there = names.fqdn(target, namespace), names.bridged_host(t, target)
    other = t.mesh_of(target)
    seen_by = traffic.exported(namespace, (t.namespace_of(bridge.source) for bridge in bridges))
    own, port = f"{namespace}/{names.BRIDGE}", r.port(target)
    near = {"host": here, "exportTo": seen_by, "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL", "sni": here}}}
    yield manifest(traffic.API, "DestinationRule", target, namespace, near)
    common = {**traffic.request_timeout(r, target), "retries": traffic.NO_RETRIES}
    to_here = {"route": [{"destination": {"host": here, "port": {"number": port}}}], "rewrite": {"authority": here}, **common}
    calls = {"match": [{"gateways": [traffic.MESH]}], **to_here}
    to_there = {"destination": {"host": there, "port": {"number": names.HTTPS_PORT}}}
    onward = {"match": [{"gateways": [own]}], "route": [to_there], "rewrite": {"authority": there}, **common}
    spec = {"hosts": [here], "gateways": [traffic.MESH, own], "exportTo": seen_by, "http": [calls, onward]}
    yield manifest(traffic.API, "VirtualService", target, namespace, spec)
    protocol = "GRPC" if r.protocol(target) is Protocol.GRPC else "HTTP"
    yield manifest(
        traffic.API,
        "ServiceEntry",
        there,
        namespace,
        {
            "hosts": [there],
            "exportTo": [traffic.HERE],
            "location": "MESH_EXTERNAL",
            "resolution": "DNS",
            "ports": [{"number": names.HTTPS_PORT, "name": protocol.lower(), "protocol": protocol}],
            "endpoints": [{"address": names.fqdn(names.BRIDGE, t.meshes[other].bridge)}],
        },
    )
    mutual = {
        "mode": "MUTUAL",
        "credentialName": names.BRIDGE_SECRET,
        "sni": there,
        "subjectAltNames": [f"{names.SPIFFE}{names.gateway_identity(t, other, names.BRIDGE)}"],
    }
    far = {"host": there, "exportTo": [traffic.HERE], "trafficPolicy": {"tls": mutual}}
    yield manifest(traffic.API, "DestinationRule", there, namespace, far)


def _way_in(r: Relations, namespace: Name, target: ServiceName) -> Manifest:
    """Return what leads from this side of the bridge to the target, routed as the target's own callers are."""
    host = names.bridged_host(r.t, target)
    authority = {"rewrite": {"authority": names.address(r.t, target)}}
    spec = {
        "hosts": [host],
        "gateways": [f"{namespace}/{names.BRIDGE}"],
        "exportTo": [traffic.HERE],
        "http": [{**route, **authority} for route in traffic.call_routes(r, target)],
    }
    return manifest(traffic.API, "VirtualService", target, namespace, spec)
