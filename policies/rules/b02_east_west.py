"""B02: inside, exactly the calls, at the identity level and at the address level alike."""

from collections.abc import Iterator
from typing import ClassVar

from policies.proof import TIGHTEN, ProofRule, listed
from policies.reading.accepted import admitted_by, anyone_in, ports_of
from policies.reading.capture import is_captured
from policies.reading.compare import beyond, key_of, operation_within
from policies.reading.guards import Admitted, Guard, speaks_http
from policies.reading.meshes import Proxy
from policies.reading.pods import Pod
from policies.reading.requests import Requests
from policies.reading.stack import Stack
from policies.rule import Finding, Hop, Severity
from topology.edges import ANY_PATH, TCP, Direction, Edge


class EastWest(ProofRule):
    """Between services of a mesh exactly the calls of the topology are possible, by identity and by address.

    Forbids:
        Any call between two services that the topology does not name, with any method or path; any policy that accepts more
        identities than the named callers, even where a NetworkPolicy would hold them back; any NetworkPolicy that lets a pod
        connect to a service it does not call, even where the sidecar would refuse it; a service without a sidecar in front. Also
        the opposite: a call of the topology that a policy, a NetworkPolicy, a Sidecar scope or a route refuses.

    Why:
        The identity level (mutual TLS and AuthorizationPolicy) and the address level (NetworkPolicy) fail in different ways: an
        opted-out pod has no identity, a cluster without an enforcer has no address level. Each is proved by itself, so that one may
        fail and the other still holds.

    Instead:
        Write the call in the topology: policy, NetworkPolicy pair, Sidecar scope and routes follow from it.
    """

    id: ClassVar[str] = "B02"
    name: ClassVar[str] = "services-call-exactly-whom-they-may"
    severity: ClassVar[Severity] = Severity.CRITICAL
    frameworks: ClassVar[tuple[str, ...]] = ("NIST SP 800-204B", "NIST SP 800-207", "C-0260")
    direction = Direction.EAST_WEST
    reads = frozenset(
        {
            "AuthorizationPolicy",
            "CronJob",
            "DaemonSet",
            "Deployment",
            "DestinationRule",
            "Job",
            "Namespace",
            "NetworkPolicy",
            "PeerAuthentication",
            "Pod",
            "ReplicaSet",
            "ReplicationController",
            "Rollout",
            "Service",
            "ServiceEntry",
            "Sidecar",
            "StatefulSet",
            "VirtualService",
        }
    )

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Yield every call too many or too few inside a mesh."""
        yield from self.compare(stack)
        yield from self._by_identity_alone(stack)
        for pod in stack.pods:
            if pod.namespace in stack.app_namespaces:
                yield from self.strangers(stack, pod, ports_of(stack, pod))

    def _by_identity_alone(self, stack: Stack) -> Iterator[Finding]:
        """Yield what sidecars accept beyond the topology from senders whom NetworkPolicies hold back, or only happen to hold back."""
        for pod in stack.pods:
            member, guard = stack.member(pod), stack.guard(pod)
            if guard is None or member is None or member[1] is not Proxy.SIDECAR or guard.allow is None:
                continue
            for port in ports_of(stack, pod):
                if is_captured(guard, port):
                    yield from self._wide_grants(stack, guard, pod, port)

    def _wide_grants(self, stack: Stack, guard: Guard, pod: Pod, port: int) -> Iterator[Finding]:
        target = stack.identity(pod)
        http = speaks_http(stack.services_of(pod), pod, port)
        held = [
            _edge(sender.name, target, admitted, http=http)
            for sender, admitted in admitted_by(stack, guard, port, http=http)
            if not sender.address
        ]
        if excess := sorted(set(beyond(held, stack.expected_by_key)) - stack.ways.counter_calls):
            message = (
                f"by identity alone the resources allow what the topology does not; only NetworkPolicies hold it back: {listed(excess)}"
            )
            yield self.broken(guard.allowing[-1], message, TIGHTEN)
        for grant in guard.grants(port, http=http):
            exact = grant.exact_principals()
            if exact is None and guard.allow is not None:
                message = f"{grant.policy} accepts callers of {target} who are not named: by identity alone, {anyone_in(guard)} may be one"
                hops = [Hop(place=anyone_in(guard), allowed_by=""), Hop(place=target, allowed_by=str(grant.policy), urn=grant.policy.urn)]
                yield self.broken(grant.policy, message, "name each caller in full under `principals`", hops)
            for identity in exact or ():
                holders = stack.holders(identity)
                if holders and all((member := stack.member(each)) and member[1] is Proxy.GATEWAY for each in holders):
                    admitted = guard.admit_by(grant, Requests(), identity, port, http=http)
                    yield from self._beyond_the_proxy(stack, identity, target, list(admitted), http=http)

    def _beyond_the_proxy(self, stack: Stack, proxy: str, target: str, admitted: list[Admitted], *, http: bool) -> Iterator[Finding]:
        """Yield what a service accepts from a mesh's own gateway that nothing allowed asks of that gateway."""
        allowed = stack.expected_by_key
        asked = [
            edge
            for edge, trails in stack.ways.trails_to(target)
            if any(proxy in trail.roles for trail in trails)
            and any(operation_within(edge, other) for other in allowed.get(key_of(edge), ()))
        ]
        for each in admitted:
            edge = _edge(proxy, target, each, http=http)
            if not any(
                operation_within(edge, Edge(direction=o.direction, source=o.source, target=target, method=o.method, path=o.path))
                for o in asked
            ):
                message = f"{each.policy} accepts from the gateway more than any door or bridge asks of it: {listed([edge])}"
                yield self.broken(each.policy, message, TIGHTEN)


def _edge(source: str, target: str, admitted: Admitted, *, http: bool) -> Edge:
    method, path = (admitted.requests.method, str(admitted.requests.path)) if http else (TCP, ANY_PATH)
    across = source.partition("/ns/")[0] != target.partition("/ns/")[0]
    return Edge(direction=Direction.BRIDGE if across else Direction.EAST_WEST, source=source, target=target, method=method, path=path)
