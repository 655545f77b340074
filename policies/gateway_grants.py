"""What the policies of a mesh's own gateways accept beyond what any allowed call asks of them."""

from collections.abc import Callable, Iterable, Iterator

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


def wide_grants(rule: ProofRule, stack: Stack, layer: Layer, asked: Asked) -> Iterator[Finding]:
    """Yield every policy of a layer that accepts from a named caller an operation which no allowed call asks there."""
    for pod in sorted(layers_of(stack).of(layer), key=lambda pod: (pod.namespace, pod.name)):
        guard = stack.guard(pod)
        if guard is None:
            continue
        seen: set[Grant] = set()
        for port in ports_of(stack, pod):
            for grant in guard.grants(port, http=True):
                if grant not in seen:
                    seen.add(grant)
                    yield from attempt(rule, grant.policy, _wide(rule, guard, grant, port, layer, asked))


def _wide(rule: ProofRule, guard: Guard, grant: Grant, port: int, layer: Layer, asked: Asked) -> Iterator[Finding]:  # noqa: PLR0913 # where a grant holds
    for caller in grant.exact_principals() or ():
        calls = list(asked(guard.pod, caller))
        accepted = {
            Edge(
                direction=rule.direction,
                source=caller,
                target=str(layer),
                method=admitted.requests.method,
                path=str(admitted.requests.path),
                host=admitted.requests.host.partition(":")[0],
            )
            for admitted in guard.admit_by(grant, Requests(), caller, port)
        }
        excess = {edge for edge in accepted if not any(call.host in {"", edge.host} and operation_within(edge, call) for call in calls)}
        if excess:
            yield rule.broken(grant.policy, f"accepts at {layer} what no allowed call asks there: {listed(excess)}", TIGHTEN)
