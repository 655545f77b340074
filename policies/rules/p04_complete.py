"""P04: every declared service has everything that guards it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity
from topology.edges import identity


@dataclass(frozen=True, kw_only=True)
class _Guard:
    """A kind of object that every workload has one of, and where it says which pods it is for."""

    kind: str
    group: str
    selector: tuple[str, ...]
    what: str

    def covered(self, resource: Resource, stack: Stack) -> tuple[Pod, ...]:
        """Return the pods that a guard selects by labels; a guard without selector is the namespace's, not the workload's."""
        selector: Mapping[str, Any] = resource.at(*self.selector, default={})
        if not selector:
            return ()
        is_expression = self.selector[-1] == "podSelector"
        return stack.pods.selected(resource.namespace, selector if is_expression else {"matchLabels": selector})


GUARDS: Final = (
    _Guard(
        kind="AuthorizationPolicy",
        group="security.istio.io",
        selector=("spec", "selector", "matchLabels"),
        what="who may call it",
    ),
    _Guard(
        kind="NetworkPolicy",
        group="networking.k8s.io",
        selector=("spec", "podSelector"),
        what="what may connect to it and what it may connect to",
    ),
    _Guard(
        kind="Sidecar",
        group="networking.istio.io",
        selector=("spec", "workloadSelector", "labels"),
        what="which hosts its proxy knows",
    ),
)
"""What must select the pods of every workload by labels."""


class P04(Rule):
    """Every service of the topology owns an account, a workload, a Service, and a policy of each kind that guards it.

    Forbids:
        A service or composition of the topology without its own ServiceAccount, Deployment, Service, AuthorizationPolicy,
        NetworkPolicy or Sidecar. A policy counts when its selector really selects the service's pods: one whose selector
        matches nothing is as good as absent, and one without selector belongs to the namespace, not to the service.

    Why:
        Most rules look at what is there. What is missing breaks none of them: a service whose AuthorizationPolicy was lost, or
        whose label was changed in one place only, would be guarded by nothing but the namespace's default, and nobody would
        hear of it until its callers fail, or until somebody repairs that with a wider policy.

    Instead:
        Derive the whole set from the topology. For a service `b` of the namespace `abc`::

            kind: AuthorizationPolicy
            metadata: {name: b, namespace: abc}
            spec:
              selector: {matchLabels: {app: b}}   # the labels of the pods of Deployment b-v1
    """

    id = "P04"
    name = "services-are-complete"
    severity = Severity.HIGH
    frameworks = ("CKV2_K8S_6", "C-0260")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Look for what each service of the topology must own."""
        covered: dict[str, set[Pod]] = {guard.kind: set() for guard in GUARDS}
        for guard in GUARDS:
            yield from self.over(
                stack.of(f"{guard.kind}.{guard.group}"),
                lambda resource, guard=guard: self._note(guard, resource, stack, covered[guard.kind]),
            )
        for name in (*stack.intent.services, *stack.intent.compositions):
            yield from self._service(stack, name, covered)

    def _note(self, guard: _Guard, resource: Resource, stack: Stack, covered: set[Pod]) -> Iterator[Finding]:
        covered.update(guard.covered(resource, stack))
        yield from ()

    def _service(self, stack: Stack, name: str, covered: Mapping[str, set[Pod]]) -> Iterator[Finding]:
        t = stack.intent
        namespace, principal = t.namespace_of(name), identity(t, name)
        account = principal.rpartition("/")[2]
        if stack.find("ServiceAccount", namespace, account) is None:
            yield self._missing(name, f"ServiceAccount {namespace}/{account}", "it has no identity of its own")
        pods = stack.holders(principal)
        if not pods:
            yield self._missing(
                name,
                f"workload with the identity {principal}",
                f"no pods of the plan run in {namespace} as {account} with a sidecar of the mesh {t.mesh_of(name)}",
            )
            return
        if not any(stack.services_of(pod) for pod in pods):
            yield self._missing(name, "Service", f"none selects the {pods[0]}")
        for guard in GUARDS:
            for pod in pods:
                if pod not in covered[guard.kind]:
                    yield self._missing(
                        name, guard.kind, f"none in {namespace} selects the {pod} by labels, so nothing says {guard.what}", pod.resource
                    )

    def _missing(self, service: str, what: str, why: str, resource: Resource | None = None) -> Finding:
        return self.broken(
            resource,
            f"service `{service}` has no {what}: {why}",
            "add the missing object to the program, or take the service out of the topology",
        )
