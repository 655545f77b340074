"""What every proxy of a mesh has to connect to before it carries a call: its istiod, and the cluster's name service."""

from collections.abc import Iterator
from typing import Final

from policies.reading.meshes import Mesh
from policies.reading.network import Decision
from policies.reading.pods import Pod
from policies.reading.stack import Stack

DISCOVERY: Final = ("chart istiod", 15012)
"""Where proxies ask for their configuration and certificate, with a certificate or token of their own.

https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio
"""

NAMES: Final = 53
"""Port of the name service."""


def cut(pod: Pod, stack: Stack) -> Iterator[tuple[Decision, str]]:
    """Yield what NetworkPolicies keep a pod of a mesh from, though its proxy does nothing without it."""
    member = stack.member(pod)
    if member is None:
        return
    for istiod in istiods(member[0], stack):
        decision = stack.network.flow(pod, istiod, DISCOVERY[1])
        if not decision.allowed:
            yield decision, f"its istiod on port {DISCOVERY[1]}: it gets neither certificate nor configuration"
    if stack.network.is_open(pod, "Egress"):
        return
    # Who serves names is seldom in the program: it counts that some rule opens the port.
    if not any(opening.on(NAMES, "UDP", None) for opening in stack.network.openings(pod, "Egress")):
        policies = stack.network.policies_on(pod, "Egress")
        yield Decision(allowed=False, by=tuple(map(str, policies)), resource=policies[0]), f"names (UDP {NAMES}): it does not find istiod"


def istiods(mesh: Mesh, stack: Stack) -> Iterator[Pod]:
    """Yield the pods of a mesh's istiod."""
    return (pod for pod in stack.pods.of_namespace(mesh.namespace) if pod.maker == DISCOVERY[0] and pod.resource.urn == mesh.release.urn)
