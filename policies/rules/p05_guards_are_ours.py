"""P05: no option takes a guard out of the program's hands."""

from collections.abc import Iterator
from typing import Final

from policies.reading.clusters import same_cluster
from policies.reading.normalise import PROVIDER
from policies.reading.opaque import is_kubernetes_object, kind_of
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.weakening import is_guard, weakenings
from policies.rule import Finding, Rule, Severity

UNFINISHED: Final = {
    "pendingReplacement": "what runs is to be replaced by something else",
    "delete": "it is to be deleted, and may be there or gone",
    "initErrors": "it was made, but never became ready",
}
"""Marks of a stack's state with which a record does not say what runs."""


class P05(Rule):
    """No option takes a resource that carries the boundary out of the program's hands.

    Forbids:
        `ignore_changes` (except on `spec.replicas` and numbers of nodes), `retain_on_delete`, `import_`, reading with `get`, and a lifted
        `protect` on guard resources: policies, Services, workloads, namespaces, routes, certificates, and the releases that bring the mesh.
        Undecided is a guard of an unfinished deployment, or one beside which the program has a second provider of the same kind.

    Why:
        With `ignore_changes=["spec"]` the plan shows a policy that denies and the cluster keeps one that allows. With
        `retain_on_delete` a removed permission stays. An imported object begins as somebody else left it. A guard whose
        protection is lifted inside a protected component can be deleted alone, which leaves the rest running without it.
        Exemptions in `policies/exemptions.yaml` need an owner and an expiry date for the same reason: they are loaded strictly.

    Instead:
        Let the program say the whole object. If something else must own one field (an autoscaler the replicas), name only
        that field::

            options:
              ignoreChanges: [spec.replicas]
    """

    id = "P05"
    name = "guards-are-ours"
    severity = Severity.HIGH

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check the options of every guard, and of every object that might be one."""
        yield from self.over(stack.resources, lambda resource: self._check(resource, stack))

    def _check(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        unread = is_kubernetes_object(resource) and kind_of(resource) is None
        if not unread and not is_guard(resource):
            return
        for weakening in weakenings(resource, stack.by_urn):
            if unread:
                yield self.undecided(
                    resource,
                    f"has the option `{weakening.option}`, and whether the kind {resource.kind} carries the boundary is not known",
                    "remove the option",
                )
            else:
                yield self.broken(resource, f"has the option `{weakening.option}`: {weakening.reason}", "remove the option")
        for option, meaning in UNFINISHED.items():
            if resource.options.get(option):
                yield self.undecided(resource, f"has `{option}`: {meaning}", "deploy again until the state is whole")
        provider = stack.by_urn.get(str(resource.options.get("provider") or "").rpartition("::")[0])
        others = (
            [other for other in stack.of(provider.kind) if other is not provider and not same_cluster(other, provider)] if provider else []
        )
        if provider and others:
            what = "cluster" if provider.kind == PROVIDER else "account"
            yield self.undecided(
                resource,
                f"goes to the {what} of {provider.name}, and the program has "
                f"{', '.join(sorted(other.name for other in others))} besides: which {what} is judged cannot be told",
                "use one provider for the whole boundary",
            )
