"""K09: what no NetworkPolicy opens is closed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from policies.reading.meshes import Proxy
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

DIRECTIONS: Final[Mapping[str, str]] = {"Ingress": "ingress", "Egress": "egress"}


class K09(Rule):
    """Every namespace that requests pass through has a NetworkPolicy that denies everything.

    Forbids:
        A namespace of services, of the edge, of the API gateway or of a mesh's own gateways without a NetworkPolicy that selects
        all pods, names both policy types, and opens nothing. In the program's own namespaces of control planes (istiod, Envoy
        Gateway, cert-manager) it may open what they need, but not everything.

    Why:
        A pod that no NetworkPolicy selects takes every connection and may open every one. STRICT mutual TLS stops callers
        without a certificate, not connections: to probe ports, to the pod's address past its Service, or to a pod whose sidecar
        is gone. With the default deny a forgotten workload is unreachable instead of open.

    Instead:
        One policy per namespace, and one for each workload beside it that opens exactly its calls::

            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: default-deny, namespace: shop}
            spec:
              podSelector: {}
              policyTypes: [Ingress, Egress]
    """

    id = "K09"
    name = "default-deny-network"
    severity = Severity.CRITICAL
    frameworks = ("C-0206", "C-0260", "CKV2_K8S_6", "CIS Kubernetes 5.3.2")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Collect which directions each namespace denies, then check every namespace that needs it."""
        denied: defaultdict[str, set[str]] = defaultdict(set)
        narrowed: defaultdict[str, set[str]] = defaultdict(set)
        unread: defaultdict[str, list[Resource]] = defaultdict(list)
        for policy in stack.of("NetworkPolicy"):
            directions = stack.reading(policy, lambda policy=policy: _denies(policy))
            if directions is None:
                unread[policy.namespace].append(policy)
            else:
                denied[policy.namespace] |= directions
                for direction in DIRECTIONS if _selects_all(policy) else ():
                    if direction in _types(policy) and {} not in policy.at("spec", DIRECTIONS[direction], default=[]):
                        narrowed[policy.namespace].add(direction)
        guarded = _guarded(stack)
        for namespace, purpose in sorted({**_control_planes(stack), **guarded}.items()):
            closed = denied[namespace] if namespace in guarded else denied[namespace] | narrowed[namespace]
            for direction in DIRECTIONS:
                if direction in closed:
                    continue
                if unread[namespace]:
                    yield self.undecided(
                        unread[namespace][0], f"it cannot be read, and no other policy of {namespace} denies {direction.lower()} by default"
                    )
                    continue
                yield self.broken(
                    None,
                    f"namespace {namespace} ({purpose}) has no NetworkPolicy that denies {direction.lower()} by default",
                    f"add a NetworkPolicy in {namespace} with an empty podSelector, policyTypes [Ingress, Egress] and no rules",
                )


def _denies(policy: Resource) -> set[str]:
    """Return the directions in which a policy isolates every pod of its namespace and opens nothing."""
    if not _selects_all(policy):
        return set()
    return {direction for direction, key in DIRECTIONS.items() if direction in _types(policy) and not policy.at("spec", key, default=[])}


def _selects_all(policy: Resource) -> bool:
    return not any(policy.at("spec", "podSelector", default={}).values())


def _types(policy: Resource) -> Sequence[str]:
    given: Sequence[str] | None = policy.at("spec", "policyTypes", default=None)
    return given or ("Ingress", *(("Egress",) if policy.at("spec", "egress", default=[]) else ()))


def _guarded(stack: Stack) -> Mapping[str, str]:
    """Return the namespaces that need a default deny, and what is in them."""
    found = {pod.namespace: "workloads" for pod in stack.pods if not pod.maker}
    for pod in stack.pods:
        member = stack.member(pod)
        if pod.maker == "gateway controller":
            found[pod.namespace] = "the API gateway's proxies"
        elif member and member[1] is Proxy.GATEWAY:
            found[pod.namespace] = "a gateway of the mesh"
    return {**found, **dict.fromkeys(stack.app_namespaces, "services")}


def _control_planes(stack: Stack) -> Mapping[str, str]:
    """Return the program's own namespaces in which known charts run what configures the layers.

    One policy for all pods suffices there, even one that opens what they need.
    """
    made = {pod.namespace for pod in stack.pods if pod.maker.startswith("chart ")}
    return {namespace: "a control plane" for namespace in made if namespace in stack.namespaces}
