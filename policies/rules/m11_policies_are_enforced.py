"""M11: policies refuse requests; they do not only watch."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import at, attempt
from policies.reading.meshes import Mesh
from policies.reading.resource import Resource
from policies.reading.services import host_of
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

DRY_RUN: Final = "istio.io/dry-run"
TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
"""What Go's `strconv.ParseBool` takes for true; anything it cannot read counts as false (authz/builder/builder.go, isDryRun)."""

EXTERNAL: Final = ("envoyExtAuthzHttp", "envoyExtAuthzGrpc")


class M11(Rule):
    """No policy is only tried out, and no external check fails open.

    Forbids:
        The annotation `istio.io/dry-run: "true"`; an AUDIT policy where no ALLOW policy decides; a CUSTOM policy whose provider
        the mesh does not know; `failOpen` of an external authorization provider. Undecided is an authorization provider whose
        service is none of the stack, and a collector of logs or traces outside the cluster: somebody else decides, or reads.

    Why:
        A policy in dry run is written, deployed and counted, and refuses nothing. AUDIT never refuses anything either. With
        `failOpen` the mesh stops asking as soon as the authorization service is overloaded, which is when it is attacked.

    Instead:
        Remove the annotation once the policy was tried. Let an external provider fail closed::

            meshConfig:
              extensionProviders:
                - name: entitlements
                  envoyExtAuthzGrpc: {service: entitlements.shop.svc.cluster.local, port: 9000, failOpen: false}
    """

    id = "M11"
    name = "policies-are-enforced"
    severity = Severity.CRITICAL
    frameworks = ("istio pilot/pkg/security/authz/builder: isDryRun, extauthz",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check mesh configurations, then every policy."""
        providers: set[str] = set()
        for mesh in stack.meshes:
            yield from attempt(self, mesh.release, self._providers(mesh, providers, stack))
        allowed: dict[str, list[Mapping[str, str]]] = {}
        for policy in stack.of("AuthorizationPolicy"):
            if scope := stack.reading(policy, lambda policy=policy: _allowed_scope(policy)):
                allowed.setdefault(policy.namespace, []).append(scope[0])
        roots = frozenset(mesh.root_namespace for mesh in stack.meshes) | frozenset(
            mesh.control_plane for mesh in stack.intent.meshes.values()
        )
        yield from self.over(stack.of("AuthorizationPolicy"), lambda policy: self._policy(policy, providers, allowed, roots))

    def _providers(self, mesh: Mesh, providers: set[str], stack: Stack) -> Iterator[Finding]:
        for provider in mesh.config.get("extensionProviders") or ():
            providers.add(str(provider.get("name", "")))
            for kind, settings in provider.items():
                if kind == "name" or not (host := str(at(settings, "service", default="")).rpartition("/")[2]):
                    continue
                meant = host_of(host, mesh.namespace)
                service = stack.service(meant[1], meant[0]) if meant else None
                if meant is None or (kind in EXTERNAL and not (service and service.pods)):
                    yield self.undecided(
                        mesh.release,
                        f"its provider {provider.get('name')} asks {host}, which is no Service of {'this stack' if meant else 'the cluster'}",
                        "name a Service of the program",
                    )
            for kind in EXTERNAL:
                if at(provider, kind, "failOpen"):
                    yield self.broken(
                        mesh.release,
                        f"its authorization provider {provider.get('name')} fails open: when it does not answer, everything is allowed",
                        "set failOpen: false",
                    )

    def _policy(
        self, policy: Resource, providers: set[str], allowed: Mapping[str, list[Mapping[str, str]]], roots: frozenset[str]
    ) -> Iterator[Finding]:
        if is_dry_run(policy):
            yield self.broken(
                policy, "it is only tried out (istio.io/dry-run): it refuses nothing", "remove the annotation istio.io/dry-run"
            )
        action: str = policy.at("spec", "action", default="ALLOW")
        if action == "CUSTOM":
            provider: str = policy.at("spec", "provider", "name", default="")
            if provider not in providers:
                yield self.undecided(
                    policy, f"no mesh configuration of this stack knows its provider {provider or '(none)'}", "declare the provider"
                )
        if action == "AUDIT":
            wanted: Mapping[str, str] = policy.at("spec", "selector", "matchLabels", default={})
            scopes = [scope for namespace in {policy.namespace, *roots} for scope in allowed.get(namespace, ())]
            if not any(scope.items() <= wanted.items() for scope in scopes):
                yield self.broken(
                    policy, "it only writes a log (AUDIT), and no ALLOW policy decides for the same workloads", "add an ALLOW policy"
                )


def is_dry_run(policy: Resource) -> bool:
    """Say whether Istio only tries a policy out."""
    return policy.annotations.get(DRY_RUN, "") in TRUE


def _allowed_scope(policy: Resource) -> tuple[Mapping[str, Any]] | None:
    """Return the labels that an enforced ALLOW policy selects, or None for another policy."""
    if policy.at("spec", "action", default="ALLOW") != "ALLOW" or is_dry_run(policy) or policy.at("spec", "targetRefs", default=[]):
        return None
    return (policy.at("spec", "selector", "matchLabels", default={}),)
