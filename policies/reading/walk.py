"""Follow requests from hop to hop, by what the resources say, until they reach an application or are refused."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.model import Place
from policies.reading.exposure import Exposure
from policies.reading.flow import Arrival, Doubt, Flow, Peer, Refusal, Sending, Trail
from policies.reading.gateways import ApiGateway
from policies.reading.istio_gateways import MeshGateway
from policies.reading.meshes import Proxy
from policies.reading.nginx import Nginx
from policies.reading.patterns import EVERY, ByFirst
from policies.reading.pods import Pod
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.selectors import matches_labels
from policies.reading.services import Service, host_of
from policies.reading.values import UnknownValueError
from policies.reading.virtual_services import Route
from policies.reading.walk_api import ApiPassage
from policies.reading.walk_cloud import from_entrances, to_published
from policies.reading.walk_edge import through_edge
from policies.reading.walk_identity import application
from policies.reading.walk_mesh import through_mesh_gateway
from policies.rule import Hop
from topology.edges import ANY_PATH, INTERNET, TCP, Direction, Edge

if TYPE_CHECKING:
    from policies.reading.stack import Stack

LONGEST: Final = 8
"""Hops after which a way is taken for a loop."""

_EVERYTHING: Final = Requests()


class Walk:
    """All ways through a stack that were followed so far."""

    def __init__(self, stack: "Stack") -> None:
        """Begin with no way."""
        self.stack = stack
        self.trails: defaultdict[Edge, dict[tuple[object, ...], Trail]] = defaultdict(dict)
        self.refusals: list[Refusal] = []
        self.doubts: dict[tuple[bool, str], Doubt] = {}
        self.routes: dict[tuple[Resource, str, int, bool], ByFirst[Route]] = {}
        """Routes of a VirtualService by the gateway they are bound to, the port of its server, and whether they route requests, as far as they were asked for."""
        self.presented: set[tuple[str, str]] = set()
        """Secrets (namespace, name) whose certificates the proxies on the way show."""

    # Ends

    def refuse(self, flow: Flow, place: str, reason: str, resource: Resource | None = None, *, elsewhere: bool = False) -> None:
        """Note that requests end here, or `elsewhere`: at a listener of another host."""
        hop = Hop(place=place, allowed_by=reason, urn=resource.urn if resource else "")
        self.refusals.append(Refusal(flow=flow, hop=hop, elsewhere=elsewhere))

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
        everything = flow.requests.path == EVERY or not flow.http
        edge = Edge(
            direction=Direction.EGRESS,
            source=flow.source,
            target=target,
            method=flow.requests.method if flow.http else TCP,
            path=ANY_PATH if everything else str(flow.requests.path),
        )
        self._keep(edge, flow)

    def _keep(self, edge: Edge, flow: Flow) -> None:
        if flow.doubt:
            self.doubt(flow, None, f"{flow.doubt}: it may refuse {edge.source} → {edge.target}")
        refusal = flow.refusal or self._condition(flow, edge.target)
        key = (flow.roles, refusal is None, flow.holes if flow.north_south else ())
        holes = flow.holes if flow.north_south else ()
        trail = Trail(hops=flow.hops, pairs=flow.pairs, roles=flow.roles, refusal=refusal, holes=holes, landed=flow.landed)
        known = self.trails[edge].get(key)
        if known is None:
            self.trails[edge][key] = trail
        elif flow.pairs != known.pairs:
            landed = tuple(dict.fromkeys((*known.landed, *flow.landed)))
            self.trails[edge][key] = replace(known, pairs=tuple(dict.fromkeys((*known.pairs, *flow.pairs))), landed=landed)

    def _condition(self, flow: Flow, target: str) -> Hop | None:
        """Return what refuses requests without the headers that matches on the way ask for; callers know those of API versions alone."""
        asked = [f"{name}: {value}" for name, value in flow.requests.headers if (name, value) not in self._versions]
        return Hop(place=target, allowed_by=f"only requests with {', '.join(asked)} get there") if asked else None

    @cached_property
    def _versions(self) -> frozenset[tuple[str, str]]:
        """Return the headers, with their values, by which clients choose the version of an API."""
        t = self.stack.intent
        return frozenset(header for door in t.doors.values() if (header := t.version_header(door)))

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
        if sending.place is not None:
            self._from_place(flow, sending.place, arrival, via=via)
            return
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

    def _from_place(self, flow: Flow, sender: Place, arrival: Arrival, *, via: str) -> None:
        place = f"{arrival.pod} port {arrival.port}"
        decision = self.stack.network.flow_from(sender.addresses, str(sender), arrival.pod, arrival.port)
        if not decision.allowed:
            self.refuse(flow, place, "; ".join(decision.by), decision.resource)
            return
        onward = flow.hop(place, "; ".join([*([via] if via else []), *decision.by]), decision.resource)
        onward = replace(onward, landed=(*flow.landed, (sender, arrival.pod)))
        if nginx := self._edge_at(arrival.pod):
            self._into_edge(onward, nginx, arrival.port, arrival.peer)
        else:
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
            through_mesh_gateway(self, flow, arrival)
        else:
            application(self, flow, arrival)

    def _edge_at(self, pod: Pod) -> Nginx | None:
        """Return the nginx of a pod that is in no mesh: in one, the proxy before it is asked."""
        nginx = self._edges.get(pod)
        return nginx if nginx and self.stack.member(pod) is None else None

    def _into_edge(self, flow: Flow, nginx: Nginx, port: int, balancer: Peer | None = None) -> None:
        self.reading(flow, nginx.config_map, lambda: through_edge(self, flow, nginx, port, balancer))

    @cached_property
    def _edges(self) -> dict[Pod, Nginx]:
        return {nginx.pod: nginx for nginx in self.stack.nginx}

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
        for exposure in self.stack.exposures:
            start = Flow(source=INTERNET, requests=_EVERYTHING).hop(INTERNET, exposure.why, exposure.resource)
            self.reading(start, exposure.resource, lambda start=start, exposure=exposure: self._come_in(start, exposure))
        from_entrances(self)

    def _come_in(self, start: Flow, exposure: Exposure) -> None:
        arrived = to_published(self, start, exposure)
        if arrived is None:
            return
        if not exposure.pods:
            self.reach(arrived, f"whatever stands behind {exposure.resource}")
        for pod in exposure.pods:
            nginx = self._edge_at(pod)  # asked first: what it cannot read is known then
            if reasons := [str(error) for resource, error in self.stack.unreadable if resource is pod.resource]:
                self.doubt(arrived, pod.resource, f"{exposure.why}, and what stands behind it cannot be read: {'; '.join(reasons)}")
                continue
            decision = self.stack.network.flow(None, pod, exposure.port)
            if not decision.allowed and exposure.port:
                self.refuse(arrived, f"{pod} port {exposure.port}", "; ".join(decision.by), decision.resource)
                continue
            flow = arrived.hop(f"{pod} port {exposure.port or '(any)'}", "; ".join(decision.by), decision.resource)
            if nginx and exposure.port:
                self._into_edge(flow, nginx, exposure.port)
            else:
                self.reach(flow, self.stack.identity(pod) or str(pod))


def _urn(resource: Resource | None) -> str:
    return resource.urn if resource else ""
