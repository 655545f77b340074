"""Follow requests that proxies of a mesh send: by routes, to names that they know."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from policies.reading.flow import PLAIN, Flow, Peer, Sending
from policies.reading.patterns import exact
from policies.reading.pods import Pod
from policies.reading.private_hosts import addresses_of_host
from policies.reading.requests import Requests
from policies.reading.services import HTTP_PROTOCOLS, host_of
from policies.reading.traffic import ServiceEntry
from policies.reading.values import UnknownValueError
from policies.reading.virtual_services import Destination, Route

if TYPE_CHECKING:
    from policies.reading.walk import Walk


REQUESTS: Final = frozenset({*HTTP_PROTOCOLS, ""})
"""Protocols of ports on which a proxy looks for requests; without a protocol it guesses."""


@dataclass(frozen=True, kw_only=True)
class _Question:
    """A name and port that pods of an identity ask for."""

    source: str
    host: str
    port: int
    http: bool
    entry: ServiceEntry | None
    """What makes the name known; None: a Service."""


def routed(walk: "Walk", flow: Flow, senders: tuple[Pod, ...], routes: Iterable[Route]) -> None:
    """Follow requests by routes in order: each takes what it matches from those after it."""
    left: Flow | None = flow
    last: Route | None = None
    for route in routes:
        last = route
        if left is None:
            return
        for requests in route.taken(left.requests):
            taken = left.with_requests(requests)
            if route.ends:
                walk.refuse(taken, str(route.resource), f"answered by {route.ends}", route.resource)
                continue
            onward = replace(taken, token=taken.token and "authorization" not in route.removed_headers)
            onward = _rewritten(onward, route).rehost(route.rewriting.authority)
            onward = onward.hop(str(route.resource), f"route {route.name}".strip(), route.resource)
            for destination in dict.fromkeys(route.destinations):
                _destination(walk, onward, senders, destination, route)
        rest = route.left(left.requests)
        left = replace(left, requests=rest) if rest is not None else None
    if left is not None:
        walk.refuse(left, str(last.resource if last else "routes"), f"no route for {left.requests}", last.resource if last else None)


def _destination(walk: "Walk", flow: Flow, senders: tuple[Pod, ...], destination: Destination, route: Route) -> None:
    walk.reading(flow, route.resource, lambda: to_host(walk, flow, senders, destination))


def to_host(walk: "Walk", flow: Flow, senders: tuple[Pod, ...], destination: Destination) -> None:
    """Follow requests that a proxy of a mesh sends to a host it knows: a Service, or the name of a ServiceEntry.

    Raises:
        UnknownValueError: if something on the way is not known.
    """
    sender, host, port = senders[0], destination.host, destination.port
    member = walk.stack.member(sender)
    if member is None:
        raise UnknownValueError(str(sender), "a pod outside every mesh, which applies no VirtualService")
    traffic = walk.stack.traffic
    if len({frozenset(traffic.applied(each, host)) for each in senders}) > 1:
        raise UnknownValueError(host, f"a host for which not every pod of {flow.source} applies the same DestinationRules")
    if service := traffic.service(host):
        number = port or (service.ports[0].port if len(service.ports) == 1 else 0)
        labels = traffic.subset_labels(sender, host, destination.subset)
        peer = _client(walk, flow, sender, replace(destination, port=number))
        walk.to_service(flow, Sending(pods=senders, peer=peer, labels=labels), service, number)
        return
    entry = traffic.entry(host, sender.namespace, member[0])
    if entry is None:
        walk.refuse(flow, str(sender), f"{host} is a name that its proxy does not know")
        return
    _to_entry(walk, flow, senders, entry, destination)


def _to_entry(walk: "Walk", flow: Flow, senders: tuple[Pod, ...], entry: ServiceEntry, destination: Destination) -> None:
    host, member = destination.host, walk.stack.member(senders[0])
    number = destination.port or (entry.ports[0][0] if len(entry.ports) == 1 else 0)
    listed = entry.port(number)
    if listed is None:
        walk.refuse(flow, str(entry.resource), f"it has no port {number}", entry.resource)
        return
    target = listed[1]
    flow = replace(flow, http=flow.http and listed[2] in REQUESTS)
    sending = Sending(pods=senders, peer=_client(walk, flow, senders[0], replace(destination, port=number)))
    onward = flow.hop(str(entry.resource), f"{host}:{target}", entry.resource)
    for address, _ in entry.endpoints or ((host, {}),):
        found = host_of(address, entry.resource.namespace)
        service = walk.stack.service(found[1], found[0]) if found else None
        if service is not None:
            walk.to_service(onward, sending, service, target)
            continue
        private = addresses_of_host(walk.stack, host, target, member[:1] if member else ())
        network = walk.stack.network
        decision = network.flow(senders[0], None, target) if private is None else network.flow_to(senders[0], private, target)
        if not decision.allowed:
            walk.refuse(onward, f"{host}:{target}", "; ".join(decision.by), decision.resource)
        elif flow.asked not in {"", host}:
            place = f"{host}:{target} with what is meant for {flow.asked}"  # no egress of the topology either
            walk.leave(onward.hop(place, f"a route or a name (SNI) of {flow.asked} leads there"), place)
        elif sending.peer.tls or not onward.http:
            walk.leave(onward.hop(f"{host}:{target}", "; ".join(decision.by), decision.resource), f"{host}:{target}")
        else:
            place = f"{host}:{target} in plaintext"  # not what an egress of the topology is, so the proof finds it
            walk.leave(onward.hop(place, f"no DestinationRule has {senders[0]} speak TLS to it"), place)


def _client(walk: "Walk", flow: Flow, sender: Pod, destination: Destination) -> Peer:
    """Return what a proxy of a mesh shows when it calls a host."""
    host, port, subset = destination.host, destination.port or 0, destination.subset
    member = walk.stack.member(sender)
    identity, mesh = walk.stack.identity(sender), member[0] if member else None
    tls, rule = walk.stack.traffic.client_tls(sender, host, port, subset)
    mode = tls.get("mode")
    if not mode and walk.stack.traffic.service(host) is None:
        return PLAIN
    match mode or "ISTIO_MUTUAL":  # automatic mutual TLS, to every name inside
        case "ISTIO_MUTUAL":
            return Peer(identity=identity, mesh=mesh, tls=True, sni=tls.get("sni") or f"outbound_.{port}_.{subset}_.{host}")
        case "MUTUAL":
            secret = tls.get("credentialName") or ""
            certificate = walk.stack.certificates.of(sender.namespace, secret)
            if certificate is None:
                raise UnknownValueError(f"{rule}: credentialName {secret}", "a Secret that no Certificate of the program fills")
            walk.presented.add((sender.namespace, secret))
            shown = certificate.identities[0] if certificate.identities else ""
            return Peer(identity=shown, authority=certificate.authority, tls=True, sni=tls.get("sni") or flow.requests.host)
        case "SIMPLE":
            return Peer(tls=True, sni=tls.get("sni") or flow.requests.host)
        case _:
            return PLAIN


def from_pods(walk: "Walk", senders: tuple[Pod, ...], source: str, hosts: Iterable[str]) -> None:
    """Follow what well-meaning pods of one identity can ask through their own sidecars, of names that these know."""
    member = walk.stack.member(senders[0])
    for host in hosts:
        service = walk.stack.traffic.service(host)
        entry = walk.stack.traffic.entry(host, senders[0].namespace, member[0]) if member and service is None else None
        ports = [(port.port, port.protocol) for port in service.ports if port.transport == "TCP"] if service else []
        ports += [(number, protocol) for number, _, protocol in entry.ports] if entry else []
        namespace = service.namespace if service else entry.resource.namespace if entry else ""
        for port, protocol in ports:
            question = _Question(source=source, host=host, port=port, http=protocol in REQUESTS, entry=entry)
            _ask(walk, senders, question, namespace)


def _ask(walk: "Walk", senders: tuple[Pod, ...], question: _Question, namespace: str) -> None:
    flow = Flow(source=question.source, requests=Requests(host=question.host), asked=question.host, http=question.http)
    flow = flow.hop(question.source, "")
    seeing = tuple(sender for sender in senders if walk.stack.traffic.sees(sender, namespace, question.host))
    if not seeing:
        sidecar = walk.stack.traffic.sidecar(senders[0])
        walk.refuse(flow, str(senders[0]), f"{sidecar} does not show {question.host} to its proxy", sidecar)
        return
    if unaware := [sender for sender in seeing if not _finds(sender, question)]:
        reason = f"{question.host} is not known there under {', '.join(question.entry.addresses if question.entry else ())} (hostAliases)"
        walk.refuse(flow, str(unaware[0]), reason, unaware[0].resource)
        return
    walk.reading(flow, seeing[0].resource, lambda: _asked(walk, flow, seeing, question))


def _finds(sender: Pod, question: _Question) -> bool:
    """Say whether a program's connection by a name meets its proxy: below HTTP it must be to one of the addresses that the proxy knows."""
    if question.http or question.entry is None or not question.entry.addresses:
        return True
    return any(address in question.entry.addresses for address, host in sender.aliases if host == question.host)


def _asked(walk: "Walk", flow: Flow, senders: tuple[Pod, ...], question: _Question) -> None:
    found, *others = (walk.stack.traffic.mesh_routes(sender, question.host, question.port) for sender in senders)
    if any(each != found for each in others):
        raise UnknownValueError(
            question.host, f"a host for which not every pod of {question.source} applies the same routes (sourceLabels)"
        )
    if routes := [route for route in found if route.tcp is not question.http]:
        routed(walk, flow, senders, routes)
    else:
        to_host(walk, flow, senders, Destination(host=question.host, port=question.port))


def _rewritten(flow: Flow, route: Route) -> Flow:
    change = route.rewriting
    if change.whole:
        return flow.rewritten_to(exact(change.new))
    return flow.rewritten(change.old, change.new) if change.new else flow
