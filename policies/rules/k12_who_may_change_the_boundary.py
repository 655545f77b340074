"""K12: only the platform may write what the boundary is made of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection", "*"})
READS: Final = frozenset({"get", "list", "watch"})
BORROWS: Final = frozenset({"impersonate", "bind", "escalate", "approve", "sign"})
"""Verbs with which a subject becomes somebody else, whatever the resource."""

BOUNDARY: Final[Mapping[str, frozenset[str]]] = {
    "networking.istio.io": frozenset({"*"}),
    "security.istio.io": frozenset({"*"}),
    "extensions.istio.io": frozenset({"*"}),
    "telemetry.istio.io": frozenset({"*"}),
    "gateway.networking.k8s.io": frozenset({"*"}),
    "gateway.envoyproxy.io": frozenset({"*"}),
    "configuration.konghq.com": frozenset({"*"}),
    "cert-manager.io": frozenset({"*"}),
    "elbv2.k8s.aws": frozenset({"*"}),
    "networking.k8s.io": frozenset({"networkpolicies", "ingresses", "ingressclasses"}),
    "rbac.authorization.k8s.io": frozenset({"*"}),
    "admissionregistration.k8s.io": frozenset({"*"}),
    "discovery.k8s.io": frozenset({"endpointslices"}),
    "apps": frozenset({"deployments", "statefulsets", "daemonsets", "replicasets"}),
    "batch": frozenset({"jobs", "cronjobs"}),
    "": frozenset({"pods", "services", "endpoints", "namespaces", "secrets", "serviceaccounts", "serviceaccounts/token", "configmaps"}),
}
"""API group and resources that decide who may reach whom, or with which identity."""

MIGHTY: Final = frozenset({"cluster-admin", "admin", "edit", "system:controller:clusterrole-aggregation-controller"})
"""ClusterRoles of Kubernetes itself that may write some of them (https://kubernetes.io/docs/reference/access-authn-authz/rbac/)."""

HARMLESS: Final = frozenset({"system:auth-delegator", "system:discovery", "system:basic-user", "system:public-info-viewer"})
"""ClusterRoles of Kubernetes itself that read nothing of the boundary."""

INTO_PODS: Final = frozenset({"exec", "attach", "portforward", "proxy", "ephemeralcontainers"})
"""Subresources by which one enters a pod or a node, past its proxy. Reading them is enough: a GET opens the connection."""

READABLE: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset({"configmaps", "endpoints", "events", "namespaces", "nodes", "persistentvolumeclaims", "pods", "services"}),
    "apps": frozenset({"daemonsets", "deployments", "replicasets", "statefulsets"}),
    "autoscaling": frozenset({"horizontalpodautoscalers"}),
    "batch": frozenset({"cronjobs", "jobs"}),
    "coordination.k8s.io": frozenset({"leases"}),
    "discovery.k8s.io": frozenset({"endpointslices"}),
    "events.k8s.io": frozenset({"events"}),
    "metrics.k8s.io": frozenset({"nodes", "pods"}),
    "policy": frozenset({"poddisruptionbudgets"}),
}
"""API group and resources that anybody may read: nothing in them lets the reader become or reach somebody else."""

WRITABLE: Final[Mapping[str, frozenset[str]]] = {"": frozenset({"events"}), "events.k8s.io": frozenset({"events"})}
"""API group and resources that anybody may write besides: events are notes."""

EVERYBODY: Final = frozenset({"system:authenticated", "system:unauthenticated", "system:serviceaccounts", "system:anonymous", "*"})
ACCOUNTS_OF: Final = "system:serviceaccounts:"
AGGREGATES: Final = tuple(f"rbac.authorization.k8s.io/aggregate-to-{role}" for role in ("admin", "edit", "view"))


@dataclass(frozen=True, kw_only=True)
class _Power:
    """What a role may do to the boundary: the first such thing, as people say it; empty for nothing."""

    says: str
    known: bool = True
    """False where what the role may do is not known to be harmless."""


class K12(Rule):
    """No service and no unnamed crowd may change the boundary.

    Forbids:
        Roles that write routes, gateways, policies, workloads or RBAC, read Secrets, or enter pods (`pods/exec`,
        `pods/portforward`, `pods/ephemeralcontainers` ...), bound to a ServiceAccount of services or of another workload of the
        program, or to everybody (`system:authenticated`, `system:serviceaccounts` ...); such roles aggregated into `admin`,
        `edit` or `view`. Undecided are other subjects with such a role, and rights that are not known to be harmless.

    Why:
        A VirtualService may redirect any host of the mesh and an EnvoyFilter may take the authorization out of a proxy:
        Istio's maintainers call that expected behaviour and leave it to RBAC (ISTIO-SECURITY-2026-002, 2026-006). A service that
        may write one is not inside the boundary but its owner.

    Instead:
        Let only the program's own account write these objects. A service that needs the API server gets a Role for
        exactly the objects it reads::

            kind: Role
            rules:
              - apiGroups: [""]
                resources: [configmaps]
                resourceNames: [orders]
                verbs: [get, watch]
    """

    id = "K12"
    name = "only-the-platform-writes-the-boundary"
    severity = Severity.MEDIUM
    frameworks = ("ISTIO-SECURITY-2026-002", "ISTIO-SECURITY-2026-006", "CIS Kubernetes 5.1")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Read the roles once, then every binding."""
        powers: dict[tuple[str, str, str], _Power] = {}
        for role in stack.of("Role", "ClusterRole"):
            power = stack.reading(role, lambda role=role: _power(role))
            powers[role.kind, role.namespace, role.name] = power or _Power(says="", known=False)
            if power and power.says:
                yield from self._aggregated(role, power)
        yield from self.over(stack.of("RoleBinding", "ClusterRoleBinding"), lambda binding: self._binding(binding, powers, stack))

    def _aggregated(self, role: Resource, power: _Power) -> Iterator[Finding]:
        for label in AGGREGATES:
            if str(role.labels.get(label, "")).lower() == "true":
                yield self.broken(
                    role,
                    f"it may {power.says}, and is part of the role {label.rpartition('-')[2]} that namespaces' users are given",
                    f"remove the label {label}",
                )

    def _binding(self, binding: Resource, powers: Mapping[tuple[str, str, str], _Power], stack: Stack) -> Iterator[Finding]:
        kind, name = binding.at("roleRef", "kind", default="ClusterRole"), binding.at("roleRef", "name", default="")
        key = (kind, binding.namespace if kind == "Role" else "", name)
        power = powers.get(key) or (
            _Power(says="write workloads and network policies") if name in MIGHTY else _Power(says="", known=name in HARMLESS)
        )
        if power.known and not power.says:
            return
        for subject in binding.at("subjects", default=[]):
            who, foreign = _subject(subject, binding, stack)
            if foreign and power.known:
                yield self.broken(
                    binding,
                    f"it lets {who} {power.says} (role {name})",
                    "bind the role to an account of the platform only, or take the verbs out of it",
                )
            elif not power.known:
                reason = f"which lets it {power.says}, and what that opens is not known" if power.says else "which this stack does not show"
                yield self.undecided(
                    binding, f"it gives {who} the {kind} {name}, {reason}", "declare the role in the program, with what it needs alone"
                )
            else:
                yield self.undecided(
                    binding,
                    f"it lets {who} {power.says} (role {name}); no resource says whether that is the platform",
                    "name the platform's people in an exemption with a reason, or bind the role to a ServiceAccount",
                )


def _power(role: Resource) -> _Power:
    if role.at("aggregationRule", default=None):
        return _Power(says="", known=False)
    rules: list[Mapping[str, Any]] = role.at("rules", default=[])
    if says := next((says for rule in rules if (says := _says(rule))), ""):
        return _Power(says=says)
    unread = next((says for rule in rules if (says := _unread(rule))), "")
    return _Power(says=unread, known=not unread)


def _says(rule: Mapping[str, Any]) -> str:
    """Return what one rule of a role lets its subjects do to the boundary."""
    verbs, resources = {*_texts(rule, "verbs")}, _texts(rule, "resources")
    if borrowed := sorted(verbs & BORROWS):
        return f"{borrowed[0]} {', '.join(resources)}"
    for group in _texts(rule, "apiGroups"):
        guarded = BOUNDARY.get(group, frozenset[str]()) if group != "*" else frozenset({"*"})
        for resource in resources:
            name = f"{resource}.{group}" if group else resource
            kind, _, part = resource.partition("/")
            if part in INTO_PODS or (kind == "*" and part):
                return f"enter pods ({name})"
            if guarded and verbs & WRITES and (kind == "*" or "*" in guarded or kind in guarded or resource in guarded):
                return f"{min(verbs & WRITES).replace('*', 'write')} {name}"
            if group in {"", "*"} and kind in {"secrets", "*"} and verbs & {*READS, "*"}:
                return "read Secrets, with the keys of other identities"
    return ""


def _texts(rule: Mapping[str, Any], field: str) -> list[str]:
    return [str(each) for each in rule.get(field) or ()]


def _unread(rule: Mapping[str, Any]) -> str:
    """Return what one rule lets its subjects do that is not known to be harmless."""
    verbs = {*_texts(rule, "verbs")}
    if urls := [url for url in _texts(rule, "nonResourceURLs") if url not in {"/healthz", "/livez", "/readyz", "/version", "/metrics"}]:
        return f"ask the API server for {urls[0]}"
    for group in _texts(rule, "apiGroups"):
        for resource in _texts(rule, "resources"):
            readable = resource in READABLE.get(group, frozenset[str]()) and verbs <= READS
            writable = resource in WRITABLE.get(group, frozenset[str]()) and verbs <= {*READS, *WRITES} - {"*"}
            if not (readable or writable):
                return f"{', '.join(sorted(verbs))} {resource}{'.' if group else ''}{group}"
    return ""


def _subject(subject: Mapping[str, Any], binding: Resource, stack: Stack) -> tuple[str, bool | None]:
    """Return a subject as people say it, and whether it must not have power; None where nothing says whose it is."""
    kind, name = subject.get("kind"), str(subject.get("name", ""))
    if kind == "ServiceAccount":
        namespace = str(subject.get("namespace") or binding.namespace)
        return f"ServiceAccount {namespace}/{name}", _is_foreign(namespace, name, stack)
    if kind == "Group" and name.startswith(ACCOUNTS_OF):
        namespace = name.removeprefix(ACCOUNTS_OF)
        return f"everybody in {name}", any(pod.namespace == namespace and not pod.maker for pod in stack.pods) or _is_foreign(
            namespace, "", stack
        )
    if name in EVERYBODY:
        return f"everybody in {name}", True
    if name.startswith("system:serviceaccount:"):
        _, _, namespace, account = [*name.split(":"), ""][:4]
        return name, _is_foreign(namespace, account, stack)
    return f"the {str(kind).lower()} {name}", None


def _is_foreign(namespace: str, account: str, stack: Stack) -> bool | None:
    """Say whether an account belongs to a service or another workload of the program; None for any other."""
    mine = any(pod.namespace == namespace and pod.service_account == account and not pod.maker for pod in stack.pods)
    return True if mine or namespace in stack.app_namespaces else None
