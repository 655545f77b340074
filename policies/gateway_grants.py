"""What the policies of a mesh's own gateways accept beyond what any allowed call asks of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from policies.checks import attempt
from policies.layers import Layer, layers_of
from policies.proof import TIGHTEN, ProofRule, listed
from policies.reading.accepted import ports_of
from policies.reading.compare import operation_within
from policies.reading.grants import Grant
from policies.reading.guards import Guard
from policies.reading.pods import Pod
from policies.reading.requests import Requests
from policies.reading.stack import Stack
from policies.rule import Finding
from topology.edges import Edge

Asked = Callable[[Pod, str], Iterable[Edge]]
"""The calls that a caller may ask of a gateway's pod: `path` is what arrives there, `host` is empty where every host is meant."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Held:
    """A grant, and where it holds."""

    guard: Guard
    grant: Grant
    port: int
    layer: Layer


def wide_grants(rule: ProofRule, stack: Stack, layer: Layer, asked: Asked) -> Iterator[Finding]:
    """Yield every policy of a layer that accepts from a named caller an operation which no allowed call asks there."""
    for pod in sorted(layers_of(stack).of(layer), key=lambda pod: (pod.namespace, pod.name)):
        guard = stack.guard(pod)
        if guard is None:
            continue
        # A grant holds on several ports alike.
        grants = {grant: port for port in reversed(ports_of(stack, pod)) for grant in guard.grants(port, http=True)}
        for grant, port in grants.items():
            yield from attempt(rule, grant.policy, _wide(rule, _Held(guard=guard, grant=grant, port=port, layer=layer), asked))


def _wide(rule: ProofRule, held: _Held, asked: Asked) -> Iterator[Finding]:
    for caller in held.grant.exact_principals() or ():
        calls = list(asked(held.guard.pod, caller))
        accepted = {
            Edge(
                direction=rule.direction,
                source=caller,
                target=str(held.layer),
                method=admitted.requests.method,
                path=str(admitted.requests.path),
                host=admitted.requests.host.partition(":")[0],
            )
            for admitted in held.guard.admit_by(held.grant, Requests(), caller, held.port)
        }
        excess = {edge for edge in accepted if not any(call.host in {"", edge.host} and operation_within(edge, call) for call in calls)}
        if excess:
            yield rule.broken(held.grant.policy, f"accepts at {held.layer} what no allowed call asks there: {listed(excess)}", TIGHTEN)
