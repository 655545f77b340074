"""M01: mutual TLS is what holds where nobody says anything else."""

from collections.abc import Iterator

from policies.reading.meshes import Mesh
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity


class M01(Rule):
    """Every mesh has one PeerAuthentication in its root namespace that says STRICT for all.

    Forbids:
        A mesh without a PeerAuthentication in its root namespace that has no selector and mode STRICT, and that its istiod reads
        (`discoverySelectors`, `istio.io/rev`); more than one without selector there.

    Why:
        Istio's default is PERMISSIVE: a workload without any PeerAuthentication takes plaintext from everybody, and in plaintext
        nobody has an identity. Of two policies for the whole mesh Istio takes the older, which no file shows.

    Instead:
        One policy in the namespace of istiod (`meshConfig.rootNamespace`)::

            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: default, namespace: istio-system}
            spec:
              mtls: {mode: STRICT}
    """

    id = "M01"
    name = "mesh-wide-strict-mtls"
    severity = Severity.CRITICAL
    frameworks = ("Istio security best practices", "NIST SP 800-204B")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check the root namespace of every mesh."""
        for name, root, mesh in mesh_roots(stack):
            policies = [policy for policy in stack.of("PeerAuthentication") if holds_in(stack, policy, root, mesh)]
            wide: list[Resource] = []
            yield from self.over(policies, lambda policy, wide=wide, name=name: self._policy(policy, wide, name))
            if not wide:
                yield self.broken(
                    None,
                    f"mesh {name}: no PeerAuthentication in its root namespace {root} says STRICT for all, so workloads take plaintext",
                    f"add a PeerAuthentication in {root} without selector and with mtls.mode STRICT; its istiod must read it "
                    "(discoverySelectors, istio.io/rev)",
                )

    def _policy(self, policy: Resource, wide: list[Resource], name: str) -> Iterator[Finding]:
        if policy.at("spec", "selector", "matchLabels", default={}):
            return
        wide.append(policy)
        if (mode := policy.at("spec", "mtls", "mode", default="UNSET")) != "STRICT":
            yield self.broken(policy, f"it says {mode} for the whole mesh {name}: workloads take plaintext", "set mtls.mode to STRICT")
        if len(wide) > 1:
            yield self.broken(
                policy, f"{wide[0]} speaks for the whole mesh {name} too, and Istio takes the older of the two", "keep one of them"
            )


def mesh_roots(stack: Stack) -> Iterator[tuple[str, str, Mesh | None]]:
    """Yield trust domain, root namespace and control plane of every mesh: those of the stack, and those of the topology that it does not install."""
    seen: set[str] = set()
    for mesh in stack.meshes:
        seen.add(mesh.root_namespace)
        yield mesh.trust_domain, mesh.root_namespace, mesh
    for mesh in stack.intent.meshes.values():
        if mesh.control_plane not in seen:
            yield mesh.trust_domain, mesh.control_plane, None


def holds_in(stack: Stack, policy: Resource, root: str, mesh: Mesh | None) -> bool:
    """Say whether a policy stands in a root namespace, and the control plane reads it there.

    Of a namespace that `discoverySelectors` leave out istiod reads nothing, its own root namespace included (istio/istio#39520).
    """
    return policy.namespace == root and (mesh is None or mesh in stack.readers(policy))
