"""The identity level: what the proxy in a pod accepts, from whom, by PeerAuthentication, AuthorizationPolicy and RequestAuthentication.

Follows istio 1.31: pilot/pkg/security/authz/builder, pilot/pkg/security/authn.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from policies.reading.grants import grants_of
from policies.reading.guards import Guard, Mtls
from policies.reading.meshes import Mesh
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.selectors import matches
from policies.reading.surroundings import Surroundings
from policies.reading.values import UnknownValueError

DRY_RUN: Final = "istio.io/dry-run"


class Authorization:
    """All policies of the identity level, found by the pods they hold for."""

    KINDS: Final = {
        "AuthorizationPolicy": "security.istio.io",
        "PeerAuthentication": "security.istio.io",
        "RequestAuthentication": "security.istio.io",
    }

    def __init__(self, resources: Iterable[Resource], around: Surroundings) -> None:
        """Find for each policy the pods it selects. A policy that cannot be read is noted."""
        self._around = around
        self._local: defaultdict[tuple[str, Pod], list[Resource]] = defaultdict(list)
        self._wide: defaultdict[tuple[str, Mesh], list[Resource]] = defaultdict(list)
        self._guards: dict[Pod, Guard | None] = {}
        for resource in resources:
            if self.KINDS.get(resource.kind) == resource.group:
                around.reading(resource, self._place)

    def guard(self, pod: Pod) -> Guard | None:
        """Return what guards a pod; None for a pod outside every mesh, which accepts whatever reaches it."""
        if pod not in self._guards:
            self._guards[pod] = self._build(pod)
        return self._guards[pod]

    def _place(self, policy: Resource) -> None:
        if policy.at("spec", "targetRef") or policy.at("spec", "targetRefs"):
            return  # holds for Gateway API gateways and waypoints, never for a sidecar or a gateway of the chart
        selector = policy.at("spec", "selector", default={})
        namespace = self._around.namespace(policy.namespace)
        readers = [mesh for mesh in self._around.meshes if mesh.reads(policy) and mesh.discovers(namespace)]
        for mesh in readers:
            if policy.namespace == mesh.root_namespace and not selector:
                self._wide[policy.kind, mesh].append(policy)
            elif policy.namespace == mesh.root_namespace:
                for pod in self._around.pods:
                    self._hold(policy, mesh, (pod,) if matches(selector, pod.labels) else ())
            else:
                self._hold(policy, mesh, self._around.pods.selected(policy.namespace, selector))

    def _hold(self, policy: Resource, mesh: Mesh, pods: Iterable[Pod]) -> None:
        for pod in pods:
            member = self._around.member(pod)
            if member and member[0] is mesh:
                self._local[policy.kind, pod].append(policy)

    def _build(self, pod: Pod) -> Guard | None:
        member = self._around.member(pod)
        if member is None:
            return None
        mesh, proxy = member
        guard = Guard(pod=pod, mesh=mesh, proxy=proxy)

        def policies(kind: str) -> Iterator[Resource]:
            yield from self._wide.get((kind, mesh), ())
            yield from self._local.get((kind, pod), ())

        for policy in policies("AuthorizationPolicy"):
            self._around.reading(policy, lambda policy: _authorize(guard, policy))
        for policy in policies("RequestAuthentication"):
            self._around.reading(policy, lambda policy: _authenticate_requests(guard, policy))
        self._authenticate_peers(guard, list(policies("PeerAuthentication")))
        return guard

    def _authenticate_peers(self, guard: Guard, policies: list[Resource]) -> None:
        root = guard.mesh.root_namespace

        def rank(policy: Resource) -> int:
            return 2 if policy.at("spec", "selector") else 0 if policy.namespace == root else 1

        for level in (0, 1, 2):
            modes: list[tuple[Mtls, Resource]] = []
            for policy in policies:
                self._around.reading(policy, lambda policy: modes.extend(_modes(policy, level, rank, guard)))  # noqa: B023 # called at once
            if modes:
                # Istio takes the oldest of several; age is not in a plan, so the weakest counts.
                guard.mtls, guard.strict_by = min(modes, key=lambda mode: _STRENGTH[mode[0]])


_STRENGTH: Final = {Mtls.DISABLE: 0, Mtls.PERMISSIVE: 1, Mtls.STRICT: 2}


def _modes(policy: Resource, level: int, rank: Callable[[Resource], int], guard: Guard) -> Iterator[tuple[Mtls, Resource]]:
    if rank(policy) != level:
        return
    mode: str = policy.at("spec", "mtls", "mode", default="UNSET")
    if mode != "UNSET":
        yield Mtls(mode), policy
    if level == 2:
        ports: Mapping[str, Any] = policy.at("spec", "portLevelMtls", default={})
        for port, own in ports.items():
            if own.get("mode", "UNSET") != "UNSET":
                guard.port_mtls[int(port)] = Mtls(own["mode"])


def _authenticate_requests(guard: Guard, policy: Resource) -> None:
    rules: list[Mapping[str, Any]] = policy.at("spec", "jwtRules", default=[])
    for rule in rules:
        guard.issuers.setdefault(rule["issuer"], policy)


def _authorize(guard: Guard, policy: Resource) -> None:
    if str(policy.annotations.get(DRY_RUN, "false")).lower() in {"1", "t", "true"}:
        return
    action = policy.at("spec", "action", default="ALLOW")
    match action:
        case "ALLOW":
            grants = list(grants_of(policy, guard.mesh))
            guard.allow = [*(guard.allow or ()), *grants]
            guard.allowing.append(policy)
        case "DENY":
            guard.deny += grants_of(policy, guard.mesh)
        case "CUSTOM":
            guard.custom.append(policy)
        case "AUDIT":
            pass
        case _:
            raise UnknownValueError("spec.action", f"an action that does not exist: {action}")
