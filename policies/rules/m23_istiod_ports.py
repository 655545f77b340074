"""M23: istiod answers proxies and webhooks, nothing else."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import at, attempt
from policies.reading.meshes import Mesh
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

FENCED: Final[Mapping[int, str]] = {
    15010: "configuration of proxies in plaintext",
    8080: "debug pages and readiness in plaintext",
    15014: "metrics and debug pages in plaintext",
    15011: "an old port of the control plane",
}
"""Ports of istiod that no pod of a service needs, and what they give away."""

SWITCHES: Final[Mapping[str, tuple[str, str]]] = {
    "UNSAFE_ENABLE_ADMIN_ENDPOINTS": ("true", "the debug pages may change istiod"),
    "ENABLE_DEBUG_ENDPOINT_AUTH": ("false", "the debug pages ask nobody who they are (CVE-2026-31838)"),
}
"""Variables of istiod (pilot/pkg/features) with the value that opens something, and what it opens."""


class M23(Rule):
    """Only the mesh's proxies and the API server reach istiod, on the ports for them.

    Forbids:
        istiod without a NetworkPolicy on its pods; a NetworkPolicy that opens 15010, 15014 or 8080 to everybody or to a
        namespace of services; debug pages without authentication.

    Why:
        On 15010 and 8080 istiod speaks plaintext and shows every proxy's configuration: routes, certificates' names, policies.
        Until 1.29.1 it asked nobody who they are (CVE-2026-31838), and it still answers any pod that can connect. istiod signs
        all identities of the mesh, so whoever breaks it is everybody.

    Instead:
        Open 15012 to the mesh's namespaces and 15017 to the API server, which is no pod::

            kind: NetworkPolicy
            metadata: {name: istiod, namespace: istio-system}
            spec:
              podSelector: {matchLabels: {app: istiod}}
              policyTypes: [Ingress]
              ingress:
                - from: [{namespaceSelector: {matchLabels: {istio.io/rev: main}}}]
                  ports: [{port: 15012}]
                - ports: [{port: 15017}]
    """

    id = "M23"
    name = "istiod-is-fenced"
    severity = Severity.MEDIUM
    frameworks = ("CVE-2026-31838", "ISTIO-SECURITY-2026-001", "Istio security best practices")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every control plane."""
        for mesh in stack.meshes:
            yield from attempt(self, mesh.release, self._control_plane(mesh, stack))

    def _control_plane(self, mesh: Mesh, stack: Stack) -> Iterator[Finding]:
        environment: Mapping[str, Any] = mesh.values.get("env") or {}
        for variable, (bad, consequence) in SWITCHES.items():
            if str(environment.get(variable, "")).lower() == bad:
                yield self.broken(mesh.release, f"{variable}={bad}: {consequence}", f"remove {variable}")
        if at(mesh.values, "global", "networkPolicy", "enabled"):
            yield self.broken(
                mesh.release,
                "the chart's own NetworkPolicy opens istiod's plaintext ports to everybody",
                "set global.networkPolicy.enabled: false",
            )
        for pod in stack.pods.of_namespace(mesh.namespace):
            if pod.resource.urn == mesh.release.urn and pod.maker:
                yield from self._pod(mesh, pod, stack)

    def _pod(self, mesh: Mesh, pod: Pod, stack: Stack) -> Iterator[Finding]:
        if stack.network.is_open(pod, "Ingress"):
            yield self.broken(
                mesh.release,
                f"no NetworkPolicy selects istiod in {mesh.namespace}: every pod reaches its debug and plaintext ports",
                "add a NetworkPolicy on istiod's pods that opens 15012 and 15017 only",
            )
            return
        for opening in stack.network.openings(pod, "Ingress"):
            for port, content in FENCED.items():
                if not opening.on(port, "TCP", pod):
                    continue
                services = sorted({peer.namespace for peer in opening.pods} & stack.app_namespaces)
                if opening.anyone or any(block.may_hold_pods for block in opening.blocks) or services:
                    whom = "everybody" if not services else f"pods of {', '.join(services)}"
                    yield self.broken(
                        opening.policy,
                        f"it opens istiod's port {port} ({content}) to {whom}",
                        f"take {port} out of it, or name the monitoring pods alone",
                    )
