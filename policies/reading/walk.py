"""Follow requests from hop to hop, by what the resources say, until they reach an application or are refused."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from policies.reading.authorization import Admitted, Guard, Mtls, speaks_http
from policies.reading.flow import PLAIN, Arrival, Doubt, Flow, Peer, Refusal, Sending, Trail
from policies.reading.gateways import ApiGateway
from policies.reading.istio_gateways import MeshGateway, MeshServer
from policies.reading.meshes import Proxy
from policies.reading.patterns import EVERY, ByFirst, exact, meet_hosts
from policies.reading.pods import Pod
from policies.reading.requests import ANY_METHOD, Requests
from policies.reading.resource import Resource
from policies.reading.selectors import matches_labels
from policies.reading.services import HTTP_PROTOCOLS, Service, host_of
from policies.reading.traffic import ServiceEntry
from policies.reading.values import UnknownValueError, mapping, sequence
from policies.reading.virtual_services import Destination, Route, hosts_of, routes_of
from policies.reading.walk_api import ApiPassage
from policies.reading.walk_edge import through_edge
from policies.rule import Hop
from topology.edges import ANY_PATH, INTERNET, TCP, Direction, Edge

if TYPE_CHECKING:
    from policies.reading.stack import Stack

LONGEST: Final = 8
"""Hops after which a way is taken for a loop."""

_EVERYTHING: Final = Requests()

PASS_THROUGH: Final = frozenset({"PASSTHROUGH", "AUTO_PASSTHROUGH"})

EXCLUDE_INBOUND: Final = "traffic.sidecar.istio.io/excludeInboundPorts"
INCLUDE_INBOUND: Final = "traffic.sidecar.istio.io/includeInboundPorts"
INTERCEPTION: Final = "sidecar.istio.io/interceptionMode"


def is_captured(guard: Guard, port: int) -> bool:
    """Say whether what arrives at a port of a pod goes through its sidecar: by the pod's annotations, else by the mesh's values."""
    annotations, general = guard.pod.annotations, mapping(mapping(guard.mesh.values.get("global")).get("proxy"))
    if annotations.get(INTERCEPTION) == "NONE":
        return False
    excluded = str(annotations.get(EXCLUDE_INBOUND, general.get("excludeInboundPorts") or ""))
    if str(port) in {part.strip() for part in excluded.split(",")}:
        return False
    included = str(annotations.get(INCLUDE_INBOUND, general.get("includeInboundPorts", "*")))
    return included == "*" or str(port) in {part.strip() for part in included.split(",")}


class Walk:
    """All ways through a stack that were followed so far."""

    def __init__(self, stack: "Stack") -> None:
        """Begin with no way."""
        self.stack = stack
        self.trails: defaultdict[Edge, dict[tuple[object, ...], Trail]] = defaultdict(dict)
        self.refusals: list[Refusal] = []
        self.doubts: dict[tuple[bool, str], Doubt] = {}
        self._routes: dict[tuple[Resource, str], ByFirst[Route]] = {}
        self.presented: set[tuple[str, str]] = set()
        """Secrets (namespace, name) whose certificates the proxies on the way show."""

    # Ends

    def refuse(self, flow: Flow, place: str, reason: str, resource: Resource | None = None) -> None:
        """Note that requests end here."""
        self.refusals.append(Refusal(flow=flow, hop=Hop(place=place, allowed_by=reason, urn=resource.urn if resource else "")))

    def doubt(self, flow: Flow, resource: Resource | None, message: str) -> None:
        """Note that something on the way cannot be read."""
        self.doubts.setdefault((flow.north_south, message), Doubt(north_south=flow.north_south, resource=resource, message=message))

    def reading(self, flow: Flow, resource: Resource | None, follow: Callable[[], None]) -> None:
        """Follow a way; where it meets something that cannot be read, note that and end."""
        try:
            follow()
        except UnknownValueError as error:
            self.doubt(flow, resource, str(error))
        except (TypeError, KeyError, AttributeError, ValueError, IndexError) as error:
            self.doubt(flow, resource, f"{resource or 'an object'} is not of the expected shape ({type(error).__name__}: {error})")

    def reach(self, flow: Flow, target: str, *, http: bool = True) -> None:
        """Note that requests reach a target."""
        requests = flow.requests
        method, path = (requests.method, str(requests.path)) if http else (TCP, ANY_PATH)
        if flow.north_south:
            demands = " and ".join(sorted(flow.demands)) or "public"
            edge = Edge(
                direction=Direction.NORTH_SOUTH,
                source=INTERNET,
                target=target,
                method=method,
                path=path,
                host=flow.entry_host,
                entry=str(flow.entry),
                credential=demands,
            )
        else:
            across = "/ns/" in target and flow.source.partition("/ns/")[0] != target.partition("/ns/")[0] and "/ns/" in flow.source
            direction = Direction.BRIDGE if across else Direction.EAST_WEST
            edge = Edge(direction=direction, source=flow.source, target=target, method=method, path=path)
        self._keep(edge, flow)

    def leave(self, flow: Flow, target: str) -> None:
        """Note that requests reach an outside host."""
        everything = flow.requests.path == EVERY
        edge = Edge(
            direction=Direction.EGRESS,
            source=flow.source,
            target=target,
            method=flow.requests.method,
            path=ANY_PATH if everything else str(flow.requests.path),
        )
        self._keep(edge, flow)

    def _keep(self, edge: Edge, flow: Flow) -> None:
        if flow.doubt:
            self.doubt(flow, None, f"{flow.doubt}: it may refuse {edge.source} → {edge.target}")
        key = (flow.roles, flow.refusal is None, flow.holes if flow.north_south else ())
        trail = Trail(
            hops=flow.hops, pairs=flow.pairs, roles=flow.roles, refusal=flow.refusal, holes=flow.holes if flow.north_south else ()
        )
        known = self.trails[edge].get(key)
        if known is None:
            self.trails[edge][key] = trail
        elif flow.pairs != known.pairs:
            self.trails[edge][key] = replace(known, pairs=tuple(dict.fromkeys((*known.pairs, *flow.pairs))))

    # Connections

    def connect(self, flow: Flow, sending: Sending, host: str, port: int | str) -> None:
        """Follow requests to a Service, by name from the senders' namespace."""
        sender = sending.pods[0]
        found = host_of(host, sender.namespace)
        service = self.stack.service(found[1], found[0]) if found else None
        if service is None:
            self.doubt(flow, sender.resource, f"{sender} send requests to {host}, which is no Service of the program")
            return
        self.to_service(flow, sending, service, port)

    def to_service(self, flow: Flow, sending: Sending, service: Service, port: int | str) -> None:
        """Follow requests to the pods of a Service."""
        wanted = service.port(port)
        if wanted is None:
            self.refuse(flow, str(service), f"it has no port {port}", service.resource)
            return
        if service.selector is None:
            self.doubt(flow, service.resource, f"{service} has no selector: where it leads is not in the program")
            return
        pods = [pod for pod in service.pods if matches_labels(sending.labels, pod.labels)]
        if not pods:
            self.refuse(flow, str(service), "no pod of the program stands behind it", service.resource)
        for pod in pods:
            number = pod.port_number(wanted.target)
            if number is None:
                self.refuse(flow, str(pod), f"no container has the port {wanted.target} that {service} leads to", service.resource)
            else:
                self.to_pod(flow, sending, Arrival(pod=pod, port=number, peer=sending.peer), via=str(service))

    def to_pod(self, flow: Flow, sending: Sending, arrival: Arrival, *, via: str = "") -> None:
        """Follow requests to one pod, if the NetworkPolicies let them."""
        place = f"{arrival.pod} port {arrival.port}"
        decisions = [(sender, self.stack.network.flow(sender, arrival.pod, arrival.port)) for sender in sending.pods]
        possible = [(sender, decision) for sender, decision in decisions if decision.allowed]
        refused = next((decision for _, decision in decisions if not decision.allowed), None)
        if not possible:
            if refused:
                self.refuse(flow, place, "; ".join(refused.by), refused.resource)
            return
        decision = possible[0][1]
        by = "; ".join([*([via] if via else []), *dict.fromkeys(decision.by)])
        onward = flow.hop(place, by, decision.resource)
        onward = replace(onward, pairs=(*flow.pairs, *((each, arrival.pod) for each, _ in possible)))
        if refused and onward.refusal is None:
            onward = replace(onward, refusal=Hop(place=place, allowed_by="; ".join(refused.by), urn=_urn(refused.resource)))
        self.enter(onward, arrival)

    def enter(self, flow: Flow, arrival: Arrival) -> None:
        """Follow requests into a pod, whatever it is."""
        if len(flow.hops) > LONGEST * 2:
            self.doubt(flow, arrival.pod.resource, f"requests go round in circles through {arrival.pod}")
            return
        self.reading(flow, arrival.pod.resource, lambda: self._enter(flow, arrival))

    def _enter(self, flow: Flow, arrival: Arrival) -> None:
        if gateway := self._api_gateways.get(arrival.pod):
            ApiPassage(walk=self, gateway=gateway, pod=arrival.pod).enter(flow, arrival)
            return
        member = self.stack.member(arrival.pod)
        if member and member[1] is Proxy.GATEWAY:
            self.through_mesh_gateway(flow, arrival)
        else:
            self.application(flow, arrival)

    @cached_property
    def _api_gateways(self) -> dict[Pod, ApiGateway]:
        return {pod: gateway for gateway in self.stack.gateways for pod in gateway.pods}

    @cached_property
    def mesh_gateways(self) -> Mapping[Pod, tuple[MeshGateway, ...]]:
        """Return the Istio Gateways by the pods they configure."""
        result: defaultdict[Pod, list[MeshGateway]] = defaultdict(list)
        for gateway in self.stack.mesh_gateways:
            for pod in gateway.pods:
                result[pod].append(gateway)
        return {pod: tuple(gateways) for pod, gateways in result.items()}

    # The outside

    def from_internet(self) -> None:
        """Follow everything that can come from outside."""
        edges = {nginx.pod: nginx for nginx in self.stack.nginx}
        for exposure in self.stack.exposures:
            start = Flow(source=INTERNET, requests=_EVERYTHING).hop(INTERNET, exposure.why, exposure.resource)
            if not exposure.pods:
                self.reach(start, f"whatever stands behind {exposure.resource}")
            for pod in exposure.pods:
                if reasons := [str(error) for resource, error in self.stack.unreadable if resource is pod.resource]:
                    self.doubt(start, pod.resource, f"{exposure.why}, and what stands behind it cannot be read: {'; '.join(reasons)}")
                    continue
                decision = self.stack.network.flow(None, pod, exposure.port)
                if not decision.allowed and exposure.port:
                    self.refuse(start, f"{pod} port {exposure.port}", "; ".join(decision.by), decision.resource)
                    continue
                flow = start.hop(f"{pod} port {exposure.port or '(any)'}", "; ".join(decision.by), decision.resource)
                nginx = edges.get(pod)
                if nginx is not None and exposure.port and self.stack.member(pod) is None:
                    self.reading(
                        flow, nginx.config_map, lambda flow=flow, nginx=nginx, port=exposure.port: through_edge(self, flow, nginx, port)
                    )
                else:
                    self.reach(flow, self.stack.identity(pod) or str(pod))

    # The identity level

    def application(self, flow: Flow, arrival: Arrival) -> None:
        """Follow requests to an application: past its sidecar, if it has one that sees them."""
        pod, port = arrival.pod, arrival.port
        guard = self.stack.guard(pod)
        target = self.stack.identity(pod) or str(pod)
        if guard is None or not is_captured(guard, port):
            why = "it is outside every mesh" if guard is None else f"its sidecar does not capture port {port}"
            self.reach(flow.hop(target, why, pod.resource), target)
            return
        identity = self._peer_identity(flow, guard, arrival)
        if identity is None:
            return
        http = speaks_http(self.stack.services_of(pod), pod, port)
        admitted = list(guard.admit(flow.requests, identity, port, http=http))
        if not admitted:
            self._refuse_by_policy(flow, guard, identity)
        for each in admitted:
            if (onward := self._admitted(flow, each, pod, target)) is not None:
                self.reach(onward, target, http=http)

    def _peer_identity(self, flow: Flow, guard: Guard, arrival: Arrival) -> str | None:
        """Return the identity that a sidecar reads from a connection; None where it refuses the connection."""
        mtls, peer = guard.mtls_on(arrival.port), arrival.peer
        if peer.tls and peer.mesh is guard.mesh and mtls is not Mtls.DISABLE:
            return peer.identity
        if mtls is Mtls.STRICT:
            shown = f"a certificate of {peer.mesh or peer.authority}" if peer.tls else "plain text"
            reason = f"{guard.strict_by} asks for a certificate of {guard.mesh}, and the sender shows {shown}"
            self.refuse(flow, str(arrival.pod), reason, guard.strict_by)
            return None
        return ""

    def _admitted(self, flow: Flow, admitted: Admitted, pod: Pod, target: str) -> Flow | None:
        demands = frozenset(f"jwt {issuer}" for issuer in admitted.demands)
        if demands and not flow.token:
            self.refuse(flow, str(pod), f"{admitted.policy} asks for a token, which an earlier hop removed", admitted.policy)
            return None
        if demands and "authorization" in flow.forged:
            raise UnknownValueError(f"{pod}: authorization", "set by an earlier layer: the token is not the client's")
        by = str(admitted.policy) if admitted.policy else "no AuthorizationPolicy restricts it"
        onward = flow.with_requests(admitted.requests).demanding(demands).hop(target, by, admitted.policy)
        return replace(onward, doubt=admitted.doubt or onward.doubt)

    def _refuse_by_policy(self, flow: Flow, guard: Guard, identity: str) -> None:
        policies = ", ".join(sorted({str(policy) for policy in guard.allowing})) or "DENY policies"
        who = identity or "a sender without identity"
        resource = guard.allowing[-1] if guard.allowing else None
        self.refuse(flow, str(guard.pod), f"{policies}: {flow.requests} from {who} is not allowed", resource)

    # Istio Gateways

    def through_mesh_gateway(self, flow: Flow, arrival: Arrival) -> None:
        """Follow requests through a proxy that serves Istio Gateways."""
        pod = arrival.pod
        guard = self.stack.guard(pod)
        if guard is None:
            raise UnknownValueError(str(pod), "a gateway's proxy outside every mesh")
        listening = [
            (gateway, server)
            for gateway in self.mesh_gateways.get(pod, ())
            for server in gateway.servers
            if arrival.port in gateway.ports(server, pod, self.stack.services_of)
        ]
        if not listening:
            self.refuse(flow, str(pod), f"no Istio Gateway listens on port {arrival.port}", pod.resource)
        for gateway, server in listening:
            place = _Server(gateway=gateway, server=server, guard=guard)
            self.reading(flow, gateway.resource, lambda place=place: self._server(flow, arrival, place))

    def _server(self, flow: Flow, arrival: Arrival, at: "_Server") -> None:
        gateway, server, peer = at.gateway, at.server, arrival.peer
        if server.mode in PASS_THROUGH:
            onward = flow.hop(str(gateway), f"a server of mode {server.mode} looks at nothing", gateway.resource)
            self.reach(onward, f"any TLS service behind {gateway}")
            return
        if bool(server.mode) != peer.tls:
            self.refuse(flow, str(gateway), f"the server {'asks for' if server.mode else 'does not speak'} TLS", gateway.resource)
            return
        if server.mode and not any(meet_hosts(peer.sni, host) for host in server.hosts):
            self.refuse(flow, str(gateway), f"no server for SNI {peer.sni}", gateway.resource)
            return
        identity = self._server_identity(flow, arrival, at)
        if identity is None:
            return
        found = list(flow.requests.to(server.hosts))
        for requests in found:
            self._served(flow.with_requests(requests), arrival, at, identity)
        if not found:
            self.refuse(flow, str(gateway), f"no server for host {flow.requests.host}", gateway.resource)

    def _served(self, flow: Flow, arrival: Arrival, at: "_Server", identity: str) -> None:
        admitted = list(at.guard.admit(flow.requests, identity, arrival.port))
        if not admitted:
            self._refuse_by_policy(flow, at.guard, identity)
        for each in admitted:
            onward = self._admitted(flow, each, arrival.pod, str(at.gateway))
            if onward is not None:
                self._gateway_routes(replace(onward, roles=(*onward.roles, self.stack.identity(arrival.pod))), at)

    def _server_identity(self, flow: Flow, arrival: Arrival, at: "_Server") -> str | None:
        gateway, server, peer = at.gateway, at.server, arrival.peer
        match server.mode:
            case "ISTIO_MUTUAL":
                if peer.mesh is at.guard.mesh:
                    return peer.identity
                self.refuse(flow, str(gateway), f"the server asks for a certificate of {at.guard.mesh}", gateway.resource)
                return None
            case "MUTUAL":
                secret = server.tls.get("caCertCredentialName") or server.tls.get("credentialName") or ""
                own = self.stack.certificates.of(arrival.pod.namespace, secret)
                if own is None:
                    raise UnknownValueError(f"{gateway}: credentialName {secret}", "a Secret that no Certificate of the program fills")
                if not peer.authority or peer.authority != own.authority:
                    self.refuse(flow, str(gateway), f"the server asks for a client certificate of {own.authority}", gateway.resource)
                    return None
                names = [name.removeprefix("spiffe://") for name in sequence(server.tls.get("subjectAltNames"))]
                if names and peer.identity not in names:
                    self.refuse(flow, str(gateway), f"the server asks for a certificate of {', '.join(names)}", gateway.resource)
                    return None
                return peer.identity
            case "OPTIONAL_MUTUAL":
                return peer.identity if peer.authority else ""
            case _:
                return ""

    def _gateway_routes(self, flow: Flow, at: "_Server") -> None:
        gateway, pod = at.gateway, at.guard.pod
        bound = self.stack.traffic.gateway_services(gateway.name, pod.namespace, at.guard.mesh)
        found = False
        for service in bound:
            for host in hosts_of(service):
                for requests in flow.requests.to([host]):
                    if not _may_bind(at.server, service, host, gateway):
                        continue
                    found = True
                    narrowed = flow.with_requests(requests)
                    self.reading(narrowed, service, lambda flow=narrowed, service=service: self._bound(flow, service, pod, gateway))
        if not found:
            self.refuse(flow, str(gateway), f"no VirtualService is bound to it for host {flow.requests.host}", gateway.resource)

    def _bound(self, flow: Flow, service: Resource, pod: Pod, gateway: MeshGateway) -> None:
        key = (service, gateway.name)
        if key not in self._routes:
            routes = [route for route in routes_of(service) if gateway.name in route.gateways]
            self._routes[key] = ByFirst((route.patterns, route) for route in routes)
        self.routed(flow, (pod,), self._routes[key].about(flow.requests.path))

    def routed(self, flow: Flow, senders: tuple[Pod, ...], routes: Iterable[Route]) -> None:
        """Follow requests by routes in order: each takes what it matches from those after it."""
        left: Flow | None = flow
        last: Route | None = None
        for route in routes:
            last = route
            if left is None:
                return
            for taken in _matched(left, route):
                if route.ends:
                    self.refuse(taken, str(route.resource), f"answered by {route.ends}", route.resource)
                    continue
                onward = replace(taken, token=taken.token and "authorization" not in route.removed_headers)
                onward = _rewritten(onward, route).rehost(route.rewriting.authority)
                onward = onward.hop(str(route.resource), f"route {route.name}".strip(), route.resource)
                for destination in dict.fromkeys(route.destinations):
                    self._destination(onward, senders, destination, route)
            left = _left(left, route)
        if left is not None:
            self.refuse(left, str(last.resource if last else "routes"), f"no route for {left.requests}", last.resource if last else None)

    def _destination(self, flow: Flow, senders: tuple[Pod, ...], destination: Destination, route: Route) -> None:
        self.reading(flow, route.resource, lambda: self.to_host(flow, senders, destination))

    def to_host(self, flow: Flow, senders: tuple[Pod, ...], destination: Destination) -> None:
        """Follow requests that a proxy of a mesh sends to a host it knows: a Service, or the name of a ServiceEntry.

        Raises:
            UnknownValueError: if something on the way is not known.
        """
        sender, host, port = senders[0], destination.host, destination.port
        member = self.stack.member(sender)
        if member is None:
            raise UnknownValueError(str(sender), "a pod outside every mesh, which applies no VirtualService")
        traffic = self.stack.traffic
        if service := traffic.service(host):
            number = port or (service.ports[0].port if len(service.ports) == 1 else 0)
            labels = traffic.subset_labels(sender, host, destination.subset)
            peer = self._client(flow, sender, replace(destination, port=number))
            self.to_service(flow, Sending(pods=senders, peer=peer, labels=labels), service, number)
            return
        entry = traffic.entry(host, sender.namespace, member[0])
        if entry is None:
            self.refuse(flow, str(sender), f"{host} is a name that its proxy does not know")
            return
        self._to_entry(flow, senders, entry, destination)

    def _to_entry(self, flow: Flow, senders: tuple[Pod, ...], entry: ServiceEntry, destination: Destination) -> None:
        host = destination.host
        number = destination.port or (entry.ports[0][0] if len(entry.ports) == 1 else 0)
        listed = entry.port(number)
        if listed is None:
            self.refuse(flow, str(entry.resource), f"it has no port {number}", entry.resource)
            return
        target = listed[1]
        sending = Sending(pods=senders, peer=self._client(flow, senders[0], replace(destination, port=number)))
        onward = flow.hop(str(entry.resource), f"{host}:{target}", entry.resource)
        for address, _ in entry.endpoints or ((host, {}),):
            found = host_of(address, entry.resource.namespace)
            service = self.stack.service(found[1], found[0]) if found else None
            if service is not None:
                self.to_service(onward, sending, service, target)
                continue
            decision = self.stack.network.flow(senders[0], None, target)
            if not decision.allowed:
                self.refuse(onward, f"{host}:{target}", "; ".join(decision.by), decision.resource)
            else:
                self.leave(onward.hop(f"{host}:{target}", "; ".join(decision.by), decision.resource), f"{host}:{target}")

    def _client(self, flow: Flow, sender: Pod, destination: Destination) -> Peer:
        """Return what a proxy of a mesh shows when it calls a host."""
        host, port, subset = destination.host, destination.port or 0, destination.subset
        member = self.stack.member(sender)
        identity, mesh = self.stack.identity(sender), member[0] if member else None
        tls, rule = self.stack.traffic.client_tls(sender, host, port, subset)
        mode = tls.get("mode")
        if mode is None and self.stack.traffic.service(host) is None:
            return PLAIN
        match mode or "ISTIO_MUTUAL":  # automatic mutual TLS, to every name inside
            case "ISTIO_MUTUAL":
                return Peer(identity=identity, mesh=mesh, tls=True, sni=tls.get("sni") or f"outbound_.{port}_.{subset}_.{host}")
            case "MUTUAL":
                secret = tls.get("credentialName") or ""
                certificate = self.stack.certificates.of(sender.namespace, secret)
                if certificate is None:
                    raise UnknownValueError(f"{rule}: credentialName {secret}", "a Secret that no Certificate of the program fills")
                self.presented.add((sender.namespace, secret))
                shown = certificate.identities[0] if certificate.identities else ""
                return Peer(identity=shown, authority=certificate.authority, tls=True, sni=tls.get("sni") or flow.requests.host)
            case "SIMPLE":
                return Peer(tls=True, sni=tls.get("sni") or flow.requests.host)
            case _:
                return PLAIN

    # The inside

    def from_pods(self, senders: tuple[Pod, ...], source: str, hosts: Iterable[str]) -> None:
        """Follow what well-meaning pods of one identity can ask through their own sidecars, of names that these know."""
        member = self.stack.member(senders[0])
        for host in hosts:
            service = self.stack.traffic.service(host)
            entry = self.stack.traffic.entry(host, senders[0].namespace, member[0]) if member and service is None else None
            ports = [(port.port, port.protocol) for port in service.ports if port.transport == "TCP"] if service else []
            ports += [(number, protocol) for number, _, protocol in entry.ports] if entry else []
            namespace = service.namespace if service else entry.resource.namespace if entry else ""
            for port, protocol in ports:
                question = _Question(source=source, host=host, port=port, http=protocol in {*HTTP_PROTOCOLS, ""})
                self._ask(senders, question, namespace)

    def _ask(self, senders: tuple[Pod, ...], question: "_Question", namespace: str) -> None:
        flow = Flow(source=question.source, requests=replace(_EVERYTHING, host=question.host)).hop(question.source, "")
        seeing = tuple(sender for sender in senders if self.stack.traffic.sees(sender, namespace, question.host))
        if not seeing:
            sidecar = self.stack.traffic.sidecar(senders[0])
            self.refuse(flow, str(senders[0]), f"{sidecar} does not show {question.host} to its proxy", sidecar)
            return
        self.reading(flow, seeing[0].resource, lambda: self._asked(flow, seeing, question))

    def _asked(self, flow: Flow, senders: tuple[Pod, ...], question: "_Question") -> None:
        found = self.stack.traffic.mesh_routes(senders[0], question.host, question.port)
        if routes := [route for route in found if route.tcp is not question.http]:
            self.routed(flow, senders, routes)
        else:
            self.to_host(flow, senders, Destination(host=question.host, port=question.port))


@dataclass(frozen=True, kw_only=True)
class _Server:
    """One server of an Istio Gateway at one of its proxies."""

    gateway: MeshGateway
    server: MeshServer
    guard: Guard


@dataclass(frozen=True, kw_only=True)
class _Question:
    """A name and port that pods of an identity ask for."""

    source: str
    host: str
    port: int
    http: bool


def _matched(flow: Flow, route: Route) -> Iterator[Flow]:
    for by_host in flow.requests.to(route.hosts):
        for by_method in by_host.by(route.methods):
            having = by_method.having(route.headers)
            if having is not None:
                for requests in having.at(route.patterns):
                    yield flow.with_requests(requests)


def _left(flow: Flow, route: Route) -> Flow | None:
    """Return what a route leaves to those after it: where it asks for more than the paths, everything."""
    requests = flow.requests
    takes = (
        not route.conditional
        and (route.methods is None or (requests.method != ANY_METHOD and requests.method in route.methods))
        and set(route.headers) <= set(requests.headers)
        and (route.hosts == ("*",) or requests.host in route.hosts)
    )
    if not takes:
        return flow
    rest = requests.minus(route.patterns)
    return replace(flow, requests=rest) if rest is not None else None


def _rewritten(flow: Flow, route: Route) -> Flow:
    change = route.rewriting
    if change.whole:
        return flow.rewritten_to(exact(change.new))
    return flow.rewritten(change.old, change.new) if change.new else flow


def _may_bind(server: MeshServer, service: Resource, host: str, gateway: MeshGateway) -> bool:
    """Say whether a server takes routes for a host from a VirtualService's namespace (`namespace/host` in its hosts)."""
    for namespace, own in zip(server.namespaces, server.hosts, strict=True):
        if meet_hosts(own, host) and namespace in {"*", service.namespace} | (
            {"."} if service.namespace == gateway.resource.namespace else set()
        ):
            return True
    return False


def _urn(resource: Resource | None) -> str:
    return resource.urn if resource else ""
