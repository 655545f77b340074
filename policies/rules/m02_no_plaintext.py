"""M02: no exception from mutual TLS, nowhere and for no port."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import at
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError
from policies.rule import Finding, Rule, Severity
from policies.rules.m01_root_strict import mesh_roots

STRICT: Final = "STRICT"
UNSET: Final = frozenset({"UNSET", "", None})
"""Spellings of "as the parent says": workload from namespace, namespace from mesh, mesh from PERMISSIVE."""


class M02(Rule):
    """No PeerAuthentication lets plaintext in, not for a namespace, a workload or a port.

    Forbids:
        Modes PERMISSIVE and DISABLE, in `mtls` and in `portLevelMtls`; UNSET or nothing, unless the policy above is STRICT.

    Why:
        A caller in plaintext has no identity, so a rule that names callers never speaks of it: on a TCP port it lets everybody
        in or nobody. The narrower policy wins: one PERMISSIVE port undoes STRICT for the whole mesh. UNSET means whatever the
        wider policy says, and without one that is PERMISSIVE.

    Instead:
        Say nothing below the mesh, or STRICT::

            apiVersion: security.istio.io/v1
            kind: PeerAuthentication
            metadata: {name: orders, namespace: shop}
            spec:
              selector: {matchLabels: {app: orders}}
              mtls: {mode: STRICT}
    """

    id = "M02"
    name = "no-plaintext-exception"
    severity = Severity.CRITICAL
    frameworks = ("Istio security best practices", "Kyverno istio/enforce-strict-mtls")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every policy, knowing those above it."""
        wide: dict[str, list[Resource]] = {}
        for policy in stack.of("PeerAuthentication"):
            if stack.reading(policy, lambda policy=policy: _is_wide(policy)):
                wide.setdefault(policy.namespace, []).append(policy)
        roots = frozenset(root for _, root, _ in mesh_roots(stack))
        yield from self.over(stack.of("PeerAuthentication", "PeerAuthenticationPatch"), lambda policy: self._policy(policy, wide, roots))

    def _policy(self, policy: Resource, wide: Mapping[str, list[Resource]], roots: frozenset[str]) -> Iterator[Finding]:
        mode = policy.at("spec", "mtls", "mode", default=None)
        if mode in UNSET:
            if not self._strict_above(policy, wide, roots):
                yield self.broken(
                    policy,
                    "it says UNSET, and nothing above it says STRICT: plaintext is accepted",
                    "set mtls.mode to STRICT, or remove the policy",
                )
        elif mode != STRICT:
            yield self.broken(policy, f"it says {mode}: plaintext is accepted, from callers without identity", "set mtls.mode to STRICT")
        ports: Mapping[Any, Any] = policy.at("spec", "portLevelMtls", default={})
        for port, own in ports.items():
            port_mode = at(own, "mode")
            if port_mode in UNSET:
                continue  # as the policy itself says, which was checked above
            if port_mode != STRICT:
                yield self.broken(
                    policy, f"it says {port_mode} for port {port}: plaintext is accepted there", f"remove portLevelMtls.{port}"
                )

    def _strict_above(self, policy: Resource, wide: Mapping[str, list[Resource]], roots: frozenset[str]) -> bool:
        """Say whether the scope above a policy is proven STRICT, in every mesh it may belong to."""
        if not _is_wide(policy) and policy.namespace not in roots:
            own = [above for above in wide.get(policy.namespace, []) if above is not policy]
            if modes := {_mode(above) for above in own} - {None}:
                return modes == {STRICT}
        elif _is_wide(policy) and policy.namespace in roots:
            return False
        return bool(roots) and all(
            (above := [each for each in wide.get(root, []) if each is not policy]) and {_mode(each) for each in above} == {STRICT}
            for root in roots
        )


def _is_wide(policy: Resource) -> bool:
    return not policy.at("spec", "selector", "matchLabels", default={})


def _mode(policy: Resource) -> str | None:
    mode = policy.at("spec", "mtls", "mode", default=None)
    if mode is not None and not isinstance(mode, str):
        raise UnknownValueError(f"{policy}: spec.mtls.mode", f"not a string but {type(mode).__name__}")
    return None if mode in UNSET else mode
