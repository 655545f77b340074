"""M08: the callers that policies name are the callers that the topology declares."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.checks import at, attempt
from policies.layers import Layer, Layers, Workload, layers_of, workload
from policies.reading.meshes import Mesh
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError
from policies.rule import Finding, Rule, Severity
from policies.rules.m11_policies_are_enforced import is_dry_run
from topology.edges import Direction

IDENTITY: Final = re.compile(r"^(?P<domain>[a-z0-9][-.a-z0-9]*)/ns/(?P<namespace>[a-z0-9][-a-z0-9]*)/sa/(?P<account>[a-z0-9][-.a-z0-9]*)$")
PRINCIPAL: Final = "source.principal"
COARSE: Final[Mapping[str, str]] = {
    "namespaces": "every account of a namespace, in any trust domain",
    "serviceAccounts": "an account of that name in any trust domain",
}
"""Fields of a source that admit more than one identity, and whom."""


class M08(Rule):
    """Every principal is an identity in full, exists, and is a declared caller; every declared caller is named.

    Forbids:
        Principals with `*`, with `spiffe://` in front, or of another form than `<trust domain>/ns/<namespace>/sa/<account>`;
        identities that nothing in the stack holds; callers that the topology does not declare; `namespaces` and
        `serviceAccounts` in place of principals; policies that select nothing; `trustDomainAliases` and further CAs of the mesh.

    Why:
        A principal is compared as text: an account that does not exist yet is a reservation for whoever creates it, and a suffix
        pattern admits every trust domain. `serviceAccounts` are matched by a regular expression in which a dot once matched
        any letter (CVE-2026-39350). With an alias the same namespace and account of another mesh are this mesh's.

    Instead:
        Declare the call in the topology; the callee's policy then names the caller::

            services:
              cart:
                calls:
                  orders: [{methods: [POST], paths: [/orders]}]
    """

    id = "M08"
    name = "principals-are-declared-callers"
    severity = Severity.CRITICAL
    frameworks = ("KIA0106", "CVE-2026-39350", "NIST SP 800-204B")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check meshes, then every ALLOW policy, then that no declared caller is missing."""
        for mesh in stack.meshes:
            yield from attempt(self, mesh.release, self._mesh(mesh))
        expected = _Expected(stack)
        named: defaultdict[Pod, set[str]] = defaultdict(set)
        unsure: set[str] = set()
        for policy in stack.of("AuthorizationPolicy"):
            try:
                said = _Said.by(policy)
            except UnknownValueError as error:
                yield self.undecided(policy, str(error))
                unsure.add(policy.namespace)
                continue
            yield from self._policy(policy, said, expected, named)
        for pod, callers in expected.declared():
            missing = sorted(callers - named[pod])
            if missing and pod.namespace not in unsure:
                yield self.broken(
                    pod.resource,
                    f"no policy lets {missing[0]} call {pod}, though the topology does",
                    "name the caller in the AuthorizationPolicy of the callee",
                )

    def _mesh(self, mesh: Mesh) -> Iterator[Finding]:
        if mesh.trust_domain_aliases:
            yield self.broken(
                mesh.release,
                f"identities of {', '.join(mesh.trust_domain_aliases)} count as its own (trustDomainAliases)",
                "remove trustDomainAliases; meshes meet at the bridge",
            )
        if mesh.config.get("caCertificates"):
            yield self.broken(
                mesh.release, "other authorities may sign identities for it (caCertificates)", "remove meshConfig.caCertificates"
            )

    def _policy(self, policy: Resource, said: "_Said", expected: "_Expected", named: defaultdict[Pod, set[str]]) -> Iterator[Finding]:
        pods = expected.selected(policy, said.selector)
        if said.selector and not pods:
            yield self.broken(policy, "its selector matches no workload of this stack: it guards nothing", "select the workload's pods")
        if not said.allows:
            return
        for where, whom in said.coarse:
            yield self.broken(policy, f"{where} allows {whom}", "name principals")
        for principal in said.principals:
            yield from self._principal(policy, principal, pods, expected)
        for pod in pods:
            named[pod].update(said.principals)

    def _principal(self, policy: Resource, principal: str, pods: tuple[Pod, ...], expected: "_Expected") -> Iterator[Finding]:
        match = IDENTITY.match(principal)
        if match is None:
            hint = ": Istio puts spiffe:// in front itself" if principal.startswith("spiffe://") else ""
            yield self.broken(
                policy, f"the principal {principal} is not one identity in full{hint}", "write <trust domain>/ns/<namespace>/sa/<account>"
            )
            return
        if reason := expected.nobody(principal, match["domain"], (match["namespace"], match["account"])):
            yield self.broken(policy, f"nobody is {principal}: {reason}", "name an identity that exists")
            return
        for pod in pods:
            if not expected.may_call(principal, pod):
                yield self.broken(
                    policy, f"it lets {principal} call {pod}, which the topology does not", "declare the call, or remove the principal"
                )
                return


@dataclass(frozen=True, kw_only=True)
class _Said:
    """What an AuthorizationPolicy says about callers."""

    selector: Mapping[str, Any]
    allows: bool
    """It is an ALLOW policy that is enforced."""
    principals: tuple[str, ...]
    """Without `*`, which is M07's."""
    coarse: tuple[tuple[str, str], ...]
    """Rules that admit callers by something wider than an identity, and whom."""

    @classmethod
    def by(cls, policy: Resource) -> "_Said":
        """Read a policy.

        Raises:
            UnknownValueError: if something in it is not known.
        """
        principals: dict[str, None] = {}
        coarse: list[tuple[str, str]] = []
        for index, rule in enumerate(policy.at("spec", "rules", default=[])):
            for source in at(rule, "from", default=[]):
                principals.update(dict.fromkeys(at(source, "source", "principals", default=[])))
                for field, whom in COARSE.items():
                    if values := [value for value in at(source, "source", field, default=[]) if value != "*"]:
                        coarse.append((f"rules[{index}]", f"{whom} ({field}: {', '.join(values)})"))
            for condition in at(rule, "when", default=[]):
                if condition.get("key") == PRINCIPAL:
                    principals.update(dict.fromkeys(condition.get("values") or ()))
        return cls(
            selector=policy.at("spec", "selector", default={}),
            allows=policy.at("spec", "action", default="ALLOW") == "ALLOW" and not is_dry_run(policy),
            principals=tuple(principal for principal in principals if principal != "*"),
            coarse=tuple(coarse),
        )


class _Expected:
    """Who may call whom, and who exists."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.layers: Layers = layers_of(stack)
        self.roots = {mesh.root_namespace for mesh in stack.meshes}
        self.domains = {mesh.trust_domain for mesh in stack.intent.meshes.values()} | {mesh.trust_domain for mesh in stack.meshes}
        self.accounts = {(r.namespace, r.name) for r in stack.of("ServiceAccount")}
        self.accounts |= {(r.namespace, r.name) for r, _ in stack.derived if r.kind == "ServiceAccount"}
        self.callers: defaultdict[Workload, set[str]] = defaultdict(set)
        self.targets: dict[Workload, str] = {}
        for edge in stack.expected:
            if edge.direction is Direction.EAST_WEST:
                namespace, _, account = edge.target.partition("/ns/")[2].partition("/sa/")
                self.callers[namespace, account].add(edge.source)
        self.proxies: dict[Layer, frozenset[str]] = {
            layer: frozenset(stack.identity(pod) for pod in self.layers.of(layer)) - {""} for layer in Layer
        }
        self.sources = {Layer.EGRESS: self.layers.exits, Layer.BRIDGE: self.layers.bridged}
        self.limited = frozenset(stack.identity(pod) for pod in self.layers.limited)
        self.bridged = self.layers.bridge_targets()

    def selected(self, policy: Resource, selector: Mapping[str, Any]) -> tuple[Pod, ...]:
        """Return the pods of services and platform that a policy selects; a policy for all of a mesh names no caller."""
        if policy.namespace in self.roots and not selector:
            return ()
        if policy.namespace in self.roots:
            spaces = {pod.namespace for pod in self.stack.pods}
            return tuple(pod for space in spaces for pod in self.stack.pods.selected(space, selector))
        return self.stack.pods.selected(policy.namespace, selector)

    def nobody(self, principal: str, domain: str, found: Workload) -> str:
        """Return why nobody holds an identity; empty where somebody does."""
        if domain not in self.domains:
            return "" if self.stack.certificates.holders(principal) else "no mesh and no certificate of this stack gives it"
        if found not in self.accounts:
            return f"the ServiceAccount {found[0]}/{found[1]} does not exist"
        if self.stack.meshes and not self.stack.holders(principal):
            return "no pod has this account in this trust domain"
        return ""

    def may_call(self, principal: str, pod: Pod) -> bool:
        """Say whether the topology lets an identity call a pod."""
        layer = self.layers.pods.get(pod)
        own = workload(pod)
        match layer:
            case Layer.INGRESS:
                return bool(self.stack.certificates.holders(principal)) and not self.stack.holders(principal)
            case Layer.EGRESS | Layer.BRIDGE:
                caller = principal.partition("/ns/")[2].partition("/sa/")[::2]
                way = (principal.partition("/")[0], self.stack.identity(pod).partition("/")[0])
                other_side = principal in self.proxies[Layer.BRIDGE] and way in self.layers.crossings
                return caller in self.sources[layer] or (layer is Layer.BRIDGE and other_side)
            case Layer.LIMITER:
                return principal in self.limited
            case _:
                if pod.namespace not in self.stack.app_namespaces:
                    return True
        return (
            principal in self.callers.get(own, ())
            or (own in self.layers.doors and principal in self.proxies[Layer.INGRESS])
            or (own in self.bridged and principal in self.proxies[Layer.BRIDGE])
        )

    def declared(self) -> Iterator[tuple[Pod, set[str]]]:
        """Yield every pod of a service in a mesh with the identities that the topology lets call it."""
        for pod in self.stack.pods:
            if pod.namespace in self.stack.app_namespaces and not pod.maker and (callers := self.callers.get(workload(pod))):
                yield pod, callers
