"""Follow requests past the proxy in a pod: what the identity level lets through."""

from dataclasses import replace
from typing import TYPE_CHECKING

from policies.reading.capture import is_captured
from policies.reading.flow import Arrival, Flow
from policies.reading.guards import Admitted, Guard, Mtls, speaks_http
from policies.reading.pods import Pod
from policies.reading.values import UnknownValueError

if TYPE_CHECKING:
    from policies.reading.walk import Walk


def application(walk: "Walk", flow: Flow, arrival: Arrival) -> None:
    """Follow requests to an application: past its sidecar, if it has one that sees them."""
    pod, port = arrival.pod, arrival.port
    guard = walk.stack.guard(pod)
    target = walk.stack.identity(pod) or str(pod)
    if guard is None or not is_captured(guard, port):
        why = "it is outside every mesh" if guard is None else f"its sidecar does not capture port {port}"
        walk.reach(flow.hop(target, why, pod.resource), target)
        return
    identity = _peer_identity(walk, flow, guard, arrival)
    if identity is None:
        return
    http = speaks_http(walk.stack.services_of(pod), pod, port)
    admitted = list(guard.admit(flow.requests, identity, port, http=http))
    if not admitted:
        refuse_by_policy(walk, flow, guard, identity)
    for each in admitted:
        if (onward := admit(walk, flow, each, pod, target)) is not None:
            walk.reach(onward, target, http=http)


def _peer_identity(walk: "Walk", flow: Flow, guard: Guard, arrival: Arrival) -> str | None:
    """Return the identity that a sidecar reads from a connection; None where it refuses the connection."""
    mtls, peer = guard.mtls_on(arrival.port), arrival.peer
    if peer.tls and peer.mesh is guard.mesh and mtls is not Mtls.DISABLE:
        return peer.identity
    if mtls is Mtls.STRICT:
        shown = f"a certificate of {peer.mesh or peer.authority}" if peer.tls else "plain text"
        reason = f"{guard.strict_by} asks for a certificate of {guard.mesh}, and the sender shows {shown}"
        walk.refuse(flow, str(arrival.pod), reason, guard.strict_by)
        return None
    return ""


def admit(walk: "Walk", flow: Flow, admitted: Admitted, pod: Pod, target: str) -> Flow | None:
    """Return requests that a policy lets through, with the token it asks for; None where that token is gone."""
    demands = frozenset(f"jwt {issuer}" for issuer in admitted.demands)
    if demands and not flow.token:
        walk.refuse(flow, str(pod), f"{admitted.policy} asks for a token, which an earlier hop removed", admitted.policy)
        return None
    if demands and "authorization" in flow.forged:
        raise UnknownValueError(f"{pod}: authorization", "set by an earlier layer: the token is not the client's")
    by = str(admitted.policy) if admitted.policy else "no AuthorizationPolicy restricts it"
    onward = flow.with_requests(admitted.requests).demanding(demands).hop(target, by, admitted.policy)
    return replace(onward, doubt=admitted.doubt or onward.doubt)


def refuse_by_policy(walk: "Walk", flow: Flow, guard: Guard, identity: str) -> None:
    """Note that no policy lets requests through."""
    policies = ", ".join(sorted({str(policy) for policy in guard.allowing})) or "DENY policies"
    who = identity or "a sender without identity"
    resource = guard.allowing[-1] if guard.allowing else None
    walk.refuse(flow, str(guard.pod), f"{policies}: {flow.requests} from {who} is not allowed", resource)


# Istio Gateways
