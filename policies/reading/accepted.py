"""What the proxies of a mesh accept, whoever sends it: the ways of callers that do not keep to their own sidecars.

A sidecar does not hold back its own application, so what a caller's proxy refuses counts for nothing here: only what the
receiver's proxy checks (identity level) and what NetworkPolicies let through (address level).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from policies.reading.capture import is_captured
from policies.reading.flow import Arrival, Flow, Peer
from policies.reading.grants import Grant
from policies.reading.guards import Admitted, Guard, Mtls, speaks_http
from policies.reading.meshes import Proxy
from policies.reading.pods import Pod
from policies.reading.requests import Requests
from policies.reading.values import sequence
from policies.reading.walk_mesh import through_mesh_gateway
from policies.rule import Hop

if TYPE_CHECKING:
    from policies.reading.stack import Stack
    from policies.reading.walk import Walk

ANYONE: Final = "anyone"
"""A source: whoever has an address in the cluster."""

BY_FORCE: Final = Hop(place="", allowed_by="asked past the caller's own sidecar")
"""Marks a way that says nothing about whether a well-meaning caller gets through."""


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A party that a proxy accepts requests from."""

    name: str
    """Identity without scheme, or what is known of it."""
    identity: str
    """What the connection shows; empty for plain text."""
    pods: tuple[Pod, ...]
    """Pods that can be it; none where they are not in the program."""
    address: str
    """What lets it connect."""


def ports_of(stack: "Stack", pod: Pod) -> tuple[int, ...]:
    """Return the TCP ports of a pod: those that Services lead to, and those that its containers name."""
    found = {
        number
        for service in stack.services_of(pod)
        for port in service.ports
        if port.transport == "TCP" and (number := pod.port_number(port.target)) is not None
    }
    for container in pod.containers:
        found |= {port["containerPort"] for port in sequence(container.get("ports")) if port.get("protocol", "TCP") == "TCP"}
    return tuple(sorted(found))


def anyone_in(guard: Guard) -> str:
    """Return the source that stands for every member of a mesh."""
    return f"anyone in {guard.mesh}"


def follow_accepted(walk: "Walk") -> None:
    """Follow everything that the proxies of the meshes accept from senders inside."""
    for pod in walk.stack.pods:
        member = walk.stack.member(pod)
        start = Flow(source=ANYONE, requests=Requests())
        if member is None:
            if pod.namespace in walk.stack.app_namespaces:
                walk.reading(start, pod.resource, lambda pod=pod: _unguarded(walk, pod))
        elif member[1] is Proxy.SIDECAR:
            walk.reading(start, pod.resource, lambda pod=pod: _application(walk, pod))
        else:
            walk.reading(start, pod.resource, lambda pod=pod: _gateway(walk, pod))


def _unguarded(walk: "Walk", pod: Pod) -> None:
    for port in ports_of(walk.stack, pod):
        for sender in _by_address(walk.stack, pod, port, ANYONE):
            target = walk.stack.identity(pod) or str(pod)
            walk.reach(_arrived(sender, pod, port).hop(target, "no proxy of a mesh stands before it", pod.resource), target)


def _application(walk: "Walk", pod: Pod) -> None:
    stack = walk.stack
    guard = stack.guard(pod)
    if guard is None:
        return
    target = stack.identity(pod)
    sidecar = stack.traffic.sidecar(pod)
    if sidecar is not None and sidecar.at("spec", "ingress"):
        start = Flow(source=ANYONE, requests=Requests())
        walk.doubt(start, sidecar, f"{sidecar} gives its pods listeners of their own, which are not followed")
    for port in ports_of(stack, pod):
        if not is_captured(guard, port):
            for sender in _by_address(stack, pod, port, ANYONE):
                walk.reach(_arrived(sender, pod, port).hop(target, f"its sidecar does not capture port {port}", pod.resource), target)
            continue
        http = speaks_http(stack.services_of(pod), pod, port)
        for sender, admitted in admitted_by(stack, guard, port, http=http):
            if sender.pods and not sender.address:
                continue
            by = str(admitted.policy) if admitted.policy else "no AuthorizationPolicy restricts it"
            flow = _arrived(sender, pod, port).with_requests(admitted.requests).hop(target, by, admitted.policy)
            flow = replace(flow, doubt=admitted.doubt).demanding(f"jwt {issuer}" for issuer in admitted.demands)
            walk.reach(flow, target, http=http)


def admitted_by(stack: "Stack", guard: Guard, port: int, *, http: bool) -> Iterator[tuple[Sender, Admitted]]:
    """Yield who may ask what of a guarded port.

    Proxies that only pass on what they are asked are left out: what passes them is followed from its own source. A sender without
    an address (`address` empty) is accepted by identity, and no NetworkPolicy lets it connect.
    """
    if guard.allow is None:
        for sender in _by_address(stack, guard.pod, port, _nameless(guard, port)):
            if _shows(guard, port, sender):
                for admitted in guard.admit(Requests(), sender.identity, port, http=http):
                    yield sender, admitted
        return
    for grant in guard.grants(port, http=http):
        for sender in _senders(stack, guard, grant, port):
            for admitted in guard.admit_by(grant, Requests(), sender.identity, port, http=http):
                yield sender, admitted


def _senders(stack: "Stack", guard: Guard, grant: Grant, port: int) -> Iterator[Sender]:
    exact = grant.exact_principals()
    if exact is None:
        everybody = ANYONE if not grant.on_peer else f"anyone with a certificate that fits {_spelled(grant)}"
        if not grant.on_peer:
            everybody = _nameless(guard, port)
        for sender in _by_address(stack, guard.pod, port, everybody):
            named = bool(sender.pods)
            if not named or (_shows(guard, port, sender) and grant.admits_peer(sender.identity)):
                yield sender
        return
    for identity in exact:
        if not grant.admits_peer(identity):
            continue
        holders = stack.holders(identity)
        if holders and all(is_proxy(stack, pod) for pod in holders):
            continue
        if not holders and stack.certificates.holders(identity):
            continue  # signed by another authority than the mesh's own
        if not holders:
            yield Sender(name=identity, identity=identity, pods=(), address="no workload of the program has this identity")
            continue
        holders = tuple(pod for pod in holders if not is_proxy(stack, pod))
        connected = [(pod, decision) for pod in holders if (decision := stack.network.flow(pod, guard.pod, port)).allowed]
        address = "; ".join(connected[0][1].by) if connected else ""
        yield Sender(name=identity, identity=identity, pods=tuple(pod for pod, _ in connected) or holders, address=address)


def is_proxy(stack: "Stack", pod: Pod) -> bool:
    """Say whether a pod is nothing but a mesh's own proxy, which passes on what it is asked and asks nothing itself."""
    member = stack.member(pod)
    return member is not None and member[1] is Proxy.GATEWAY and all(c.get("image", "auto") == "auto" for c in pod.containers)


def _spelled(grant: Grant) -> str:
    return ", ".join(f"{c.key} {' '.join(c.values)}{' not ' + ' '.join(c.others) if c.others else ''}" for c in grant.on_peer)


def _nameless(guard: Guard, port: int) -> str:
    return anyone_in(guard) if guard.mtls_on(port) is Mtls.STRICT else ANYONE


def _shows(guard: Guard, port: int, sender: Sender) -> bool:
    """Say whether a sender can show what the port asks for: under STRICT a certificate of the mesh."""
    return guard.mtls_on(port) is not Mtls.STRICT or bool(sender.identity) or not sender.pods


def _by_address(stack: "Stack", pod: Pod, port: int, everybody: str) -> Iterator[Sender]:
    """Yield everyone whom NetworkPolicies let connect to a port; one nameless sender where they let everybody."""
    everyone, named = stack.network.senders(pod, port)
    if everyone:
        policies = stack.network.policies_on(pod, "Ingress")
        by = ", ".join(map(str, policies)) or f"no NetworkPolicy restricts ingress of {pod}"
        yield Sender(name=everybody, identity="", pods=(), address=by)
        return
    for sender in sorted(named, key=lambda each: (each.namespace, each.name)):
        decision = stack.network.flow(sender, pod, port)
        if decision.allowed and not is_proxy(stack, sender):
            identity = stack.identity(sender)
            yield Sender(name=identity or str(sender), identity=identity, pods=(sender,), address="; ".join(decision.by))


def _arrived(sender: Sender, pod: Pod, port: int) -> Flow:
    flow = Flow(source=sender.name, requests=Requests()).hop(sender.name, "").hop(f"{pod} port {port}", sender.address)
    return replace(flow, pairs=tuple((each, pod) for each in sender.pods), refusal=BY_FORCE)


def _gateway(walk: "Walk", pod: Pod) -> None:
    """Follow what a proxy that serves Istio Gateways accepts from senders inside, on every port it listens on."""
    stack = walk.stack
    guard = stack.guard(pod)
    if guard is None:
        return
    gateways = walk.mesh_gateways.get(pod, ())
    ports = {port for gateway in gateways for server in gateway.servers for port in gateway.ports(server, pod, stack.services_of)}
    for port in sorted(ports):
        senders: dict[str, Sender] = {}
        for grant in guard.grants(port, http=True) if guard.allow is not None else ():
            for sender in (*_senders(stack, guard, grant, port), *_strangers(walk, grant)):
                senders.setdefault(sender.name, sender)
        if guard.allow is None:
            for sender in _by_address(stack, pod, port, ANYONE):
                senders.setdefault(sender.name, sender)
        for sender in senders.values():
            if sender.pods and not sender.address:
                continue
            for peer in _peers(walk, guard, sender):
                through_mesh_gateway(walk, _arrived(sender, pod, port), Arrival(pod=pod, port=port, peer=peer))


def _strangers(walk: "Walk", grant: Grant) -> Iterator[Sender]:
    """Yield the holders of accepted certificates that no proxy on the way shows: whoever can read such a Secret."""
    for identity in grant.exact_principals() or ():
        for certificate in walk.stack.certificates.holders(identity):
            if (certificate.namespace, certificate.secret) not in walk.presented:
                name = f"whoever reads Secret {certificate.namespace}/{certificate.secret}"
                yield Sender(name=name, identity=identity, pods=(), address=str(certificate.resource))


def _peers(walk: "Walk", guard: Guard, sender: Sender) -> Iterable[Peer]:
    """Yield what a sender can show: a certificate of the mesh or of another authority, or nothing."""
    authorities = (
        {certificate.authority for certificate in walk.stack.certificates.holders(sender.identity)} if sender.identity else set[str]()
    )
    if authorities:
        return [Peer(identity=sender.identity, authority=authority, tls=True) for authority in sorted(authorities)]
    mesh = next((each for each in walk.stack.meshes if sender.identity.startswith(f"{each.trust_domain}/")), guard.mesh)
    return [Peer(identity=sender.identity, mesh=mesh, tls=True), Peer()]
