"""M06: what no policy allows is refused."""

from collections.abc import Iterator

from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity
from policies.rules.m01_root_strict import holds_in, mesh_roots
from policies.rules.m11_policies_are_enforced import is_dry_run


class M06(Rule):
    """Every mesh has an AuthorizationPolicy for all its workloads that allows nothing.

    Forbids:
        A mesh whose root namespace has no AuthorizationPolicy without selector, with action ALLOW and without rules, that its istiod
        reads (`discoverySelectors`, `istio.io/rev`).

    Why:
        Istio allows every request to a workload that no ALLOW policy selects: a service whose policy was forgotten, or was
        deleted, is open to the whole mesh. The empty policy turns that around.

    Instead:
        An empty spec in the namespace of istiod: it selects everything and allows nothing::

            apiVersion: security.istio.io / v1
            kind: AuthorizationPolicy
            metadata: {name: allow - nothing, namespace: istio - system}
            spec: {}
    """

    id = "M06"
    name = "mesh-denies-by-default"
    severity = Severity.CRITICAL
    frameworks = ("Istio security best practices", "NIST SP 800-207")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Look for the policy in the root namespace of every mesh."""
        policies = [
            (policy, stack.reading(policy, lambda policy=policy: denies_everything(policy))) for policy in stack.of("AuthorizationPolicy")
        ]
        for name, root, mesh in mesh_roots(stack):
            verdicts = [verdict for policy, verdict in policies if holds_in(stack, policy, root, mesh)]
            if True in verdicts:
                continue
            if None in verdicts:
                yield self.undecided(
                    None, f"mesh {name}: a policy of its root namespace {root} cannot be read, so it may not deny by default"
                )
            else:
                yield self.broken(
                    None,
                    f"mesh {name}: no AuthorizationPolicy of its root namespace {root} allows nothing to all, so a workload without a policy is open",
                    f"add an AuthorizationPolicy with an empty spec in {root}",
                )


def denies_everything(policy: Resource) -> bool:
    """Say whether an AuthorizationPolicy selects all workloads of its scope and allows none of their requests."""
    narrowed = any(policy.at("spec", key, default=None) for key in ("selector", "targetRef", "targetRefs"))
    action = policy.at("spec", "action", default="ALLOW")
    return not narrowed and action == "ALLOW" and not policy.at("spec", "rules", default=[]) and not is_dry_run(policy)
