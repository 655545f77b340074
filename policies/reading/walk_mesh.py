"""Follow requests through a gateway of a mesh: its servers, its policies, the routes that are bound to it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from policies.reading.flow import Arrival, Flow
from policies.reading.guards import Guard
from policies.reading.istio_gateways import MeshGateway, MeshServer
from policies.reading.patterns import ByFirst, meet_hosts
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, sequence
from policies.reading.virtual_services import hosts_of, routes_of
from policies.reading.walk_hosts import routed
from policies.reading.walk_identity import admit, refuse_by_policy

if TYPE_CHECKING:
    from policies.reading.walk import Walk


PASS_THROUGH: Final = frozenset({"PASSTHROUGH", "AUTO_PASSTHROUGH"})


@dataclass(frozen=True, kw_only=True)
class _Server:
    """One server of an Istio Gateway at one of its proxies."""

    gateway: MeshGateway
    server: MeshServer
    guard: Guard


def through_mesh_gateway(walk: "Walk", flow: Flow, arrival: Arrival) -> None:
    """Follow requests through a proxy that serves Istio Gateways."""
    pod = arrival.pod
    guard = walk.stack.guard(pod)
    if guard is None:
        raise UnknownValueError(str(pod), "a gateway's proxy outside every mesh")
    listening = [
        (gateway, server)
        for gateway in walk.mesh_gateways.get(pod, ())
        for server in gateway.servers
        if arrival.port in gateway.ports(server, pod, walk.stack.services_of)
    ]
    if not listening:
        walk.refuse(flow, str(pod), f"no Istio Gateway listens on port {arrival.port}", pod.resource)
    for gateway, server in listening:
        place = _Server(gateway=gateway, server=server, guard=guard)
        walk.reading(flow, gateway.resource, lambda place=place: _server(walk, flow, arrival, place))


def _server(walk: "Walk", flow: Flow, arrival: Arrival, at: _Server) -> None:
    gateway, server, peer = at.gateway, at.server, arrival.peer
    if server.mode in PASS_THROUGH:
        onward = flow.hop(str(gateway), f"a server of mode {server.mode} looks at nothing", gateway.resource)
        walk.reach(onward, f"any TLS service behind {gateway}")
        return
    if bool(server.mode) != peer.tls:
        walk.refuse(flow, str(gateway), f"the server {'asks for' if server.mode else 'does not speak'} TLS", gateway.resource)
        return
    if server.mode and not any(meet_hosts(peer.sni, host) for host in server.hosts):
        walk.refuse(flow, str(gateway), f"no server for SNI {peer.sni}", gateway.resource, elsewhere=True)
        return
    if server.http and not flow.http:
        walk.refuse(flow, str(gateway), f"the server reads requests ({server.protocol}), and these are bytes", gateway.resource)
        return
    identity = _server_identity(walk, flow, arrival, at)
    if identity is None:
        return
    if not server.http:  # nothing says which host is meant, but the connection
        flow = replace(flow, requests=Requests(host=peer.sni), http=False)
    found = list(flow.requests.to(server.hosts))
    for requests in found:
        for sni in server.hosts if peer.sni == "*" else (peer.sni,):
            _served(walk, flow.with_requests(requests), arrival, replace(at, guard=at.guard.asked_for(sni)), identity)
    if not found:
        walk.refuse(flow, str(gateway), f"no server for host {flow.requests.host}", gateway.resource, elsewhere=True)


def _served(walk: "Walk", flow: Flow, arrival: Arrival, at: _Server, identity: str) -> None:
    admitted = list(at.guard.admit(flow.requests, identity, arrival.port, http=flow.http))
    if not admitted:
        refuse_by_policy(walk, flow, at.guard, identity)
    for each in admitted:
        onward = admit(walk, flow, each, arrival.pod, str(at.gateway))
        if onward is not None:
            _gateway_routes(walk, replace(onward, roles=(*onward.roles, walk.stack.identity(arrival.pod))), at)


def _server_identity(walk: "Walk", flow: Flow, arrival: Arrival, at: _Server) -> str | None:
    gateway, server, peer = at.gateway, at.server, arrival.peer
    match server.mode:
        case "ISTIO_MUTUAL":
            if peer.mesh is at.guard.mesh:
                return peer.identity
            walk.refuse(flow, str(gateway), f"the server asks for a certificate of {at.guard.mesh}", gateway.resource)
            return None
        case "MUTUAL":
            secret = server.tls.get("caCertCredentialName") or server.tls.get("credentialName") or ""
            own = walk.stack.certificates.of(arrival.pod.namespace, secret)
            if own is None:
                raise UnknownValueError(f"{gateway}: credentialName {secret}", "a Secret that no Certificate of the program fills")
            if not peer.authority or peer.authority != own.authority:
                walk.refuse(flow, str(gateway), f"the server asks for a client certificate of {own.authority}", gateway.resource)
                return None
            names = [name.removeprefix("spiffe://") for name in sequence(server.tls.get("subjectAltNames"))]
            if names and peer.identity not in names:
                walk.refuse(flow, str(gateway), f"the server asks for a certificate of {', '.join(names)}", gateway.resource)
                return None
            return peer.identity
        case "OPTIONAL_MUTUAL":
            return peer.identity if peer.authority else ""
        case _:
            return ""


def _gateway_routes(walk: "Walk", flow: Flow, at: _Server) -> None:
    gateway, pod = at.gateway, at.guard.pod
    bound = walk.stack.traffic.gateway_services(gateway.name, pod.namespace, at.guard.mesh)
    found = False
    for service in bound:
        for host in hosts_of(service):
            for requests in flow.requests.to([host]):
                if not _may_bind(at.server, service, host, gateway):
                    continue
                found = True
                narrowed = flow.with_requests(requests)
                walk.reading(narrowed, service, lambda flow=narrowed, service=service: _bound(walk, flow, service, at))
    if not found:
        walk.refuse(flow, str(gateway), f"no VirtualService is bound to it for host {flow.requests.host}", gateway.resource)


def _bound(walk: "Walk", flow: Flow, service: Resource, at: _Server) -> None:
    name, port = at.gateway.name, at.server.number
    key = (service, name, port, flow.http)
    if key not in walk.routes:
        # A route for another port is passed over (`l4SingleMatch` in pilot/pkg/networking/core/gateway.go, `TranslateRoute` in route/route.go).
        routes = [
            route for route in routes_of(service) if name in route.gateways and route.tcp is not flow.http and route.port in {None, port}
        ]
        walk.routes[key] = ByFirst((route.patterns, route) for route in routes)
    routed(walk, flow, (at.guard.pod,), walk.routes[key].about(flow.requests.path))


def _may_bind(server: MeshServer, service: Resource, host: str, gateway: MeshGateway) -> bool:
    """Say whether a server takes routes for a host from a VirtualService's namespace (`namespace/host` in its hosts)."""
    for namespace, own in zip(server.namespaces, server.hosts, strict=True):
        if meet_hosts(own, host) and namespace in {"*", service.namespace} | (
            {"."} if service.namespace == gateway.resource.namespace else set()
        ):
            return True
    return False
