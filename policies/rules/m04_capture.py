"""M04: the sidecar sees all traffic of its pod."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import at, attempt
from policies.reading.meshes import Mesh
from policies.reading.pods import TEMPLATES, pod_of
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity
from policies.rules.m03_injection import PROXY_CONFIG, proxy_config

ALL: Final = frozenset({"*"})
NOTHING: Final = frozenset({""})

ANNOTATIONS: Final[Mapping[str, frozenset[str]]] = {
    "traffic.sidecar.istio.io/includeInboundPorts": ALL,
    "traffic.sidecar.istio.io/excludeInboundPorts": NOTHING,
    "traffic.sidecar.istio.io/includeOutboundIPRanges": ALL,
    "traffic.sidecar.istio.io/excludeOutboundIPRanges": NOTHING,
    "traffic.sidecar.istio.io/includeOutboundPorts": NOTHING,
    "traffic.sidecar.istio.io/excludeOutboundPorts": NOTHING,
    "traffic.sidecar.istio.io/excludeInterfaces": NOTHING,
    "traffic.sidecar.istio.io/kubevirtInterfaces": NOTHING,
    "istio.io/reroute-virtual-interfaces": NOTHING,
    "ambient.istio.io/bypass-inbound-capture": frozenset({"false"}),
    "sidecar.istio.io/interceptionMode": frozenset({"REDIRECT", "TPROXY"}),
}
"""Annotations of a pod that say what is captured, and the values with which all of it is.

`includeOutboundPorts` adds ports outside the included ranges; with all ranges included it changes nothing, so none is needed.
"""

VALUES: Final[Mapping[str, frozenset[str]]] = {
    "includeInboundPorts": ALL,
    "excludeInboundPorts": NOTHING,
    "includeIPRanges": ALL,
    "excludeIPRanges": NOTHING,
    "includeOutboundPorts": NOTHING,
    "excludeOutboundPorts": NOTHING,
}
"""The same for every pod of a mesh, under `global.proxy` in the values of the chart `istiod`."""

UNCAPTURED: Final = "NONE"


class M04(Rule):
    """Nothing enters or leaves a pod beside its sidecar.

    Forbids:
        Annotations `traffic.sidecar.istio.io/*` that include less than all or exclude anything, among them
        `includeInboundPorts: ""`; interception mode NONE, by annotation, `proxy.istio.io/config`, mesh configuration or a
        Sidecar's `captureMode`; the same for all pods by the values of istiod's chart. Undecided is a ProxyConfig with
        `environmentVariables`, which can change anything about a sidecar.

    Why:
        An inbound port that is not captured is reached without mutual TLS and without any AuthorizationPolicy. An outbound port
        or range that is not captured is a way out that no egress rule, log or identity goes with.

    Instead:
        Let Istio capture everything, which it does when nothing is said. A port of its own for health checks is not needed:
        the sidecar answers probes of the kubelet (`rewriteAppHTTPProbers`).
    """

    id = "M04"
    name = "sidecar-captures-everything"
    severity = Severity.CRITICAL
    frameworks = ("Istio security best practices", "UDS Core deny list")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check control planes, Sidecars, and every pod that could have a sidecar."""
        for mesh in stack.meshes:
            yield from attempt(self, mesh.release, self._control_plane(mesh))
        yield from self.over(stack.of("Sidecar"), self._sidecar)
        yield from self.over(stack.of("ProxyConfig.networking.istio.io"), self._proxy_config)
        in_mesh = (
            resource for resource in stack.of(*TEMPLATES) if resource.namespace in stack.app_namespaces or _is_member(resource, stack)
        )
        yield from self.over(in_mesh, self._workload)

    def _control_plane(self, mesh: Mesh) -> Iterator[Finding]:
        proxy: Mapping[str, Any] = at(mesh.values, "global", "proxy", default={})
        for key, harmless in VALUES.items():
            if (value := str(proxy.get(key, min(harmless)))) not in harmless:
                yield self.broken(
                    mesh.release, f'global.proxy.{key} "{value}" leaves traffic of every pod uncaptured', f"remove global.proxy.{key}"
                )
        if at(mesh.config, "defaultConfig", "interceptionMode") == UNCAPTURED:
            yield self.broken(
                mesh.release, "interception mode NONE: sidecars capture nothing", "remove meshConfig.defaultConfig.interceptionMode"
            )

    def _sidecar(self, resource: Resource) -> Iterator[Finding]:
        for direction in ("ingress", "egress"):
            for listener in resource.at("spec", direction, default=[]):
                if listener.get("captureMode") == UNCAPTURED:
                    yield self.broken(
                        resource, f"captureMode NONE: {direction} traffic of its pods passes by the sidecar", "remove captureMode"
                    )

    def _proxy_config(self, resource: Resource) -> Iterator[Finding]:
        if resource.at("spec", "interceptionMode", default="") == UNCAPTURED:
            yield self.broken(resource, "interception mode NONE: sidecars capture nothing", "remove interceptionMode")
        if variables := resource.at("spec", "environmentVariables", default={}):
            yield self.undecided(
                resource,
                f"sets {', '.join(sorted(variables))} in sidecars, and what these variables change is not known",
                "remove environmentVariables",
            )

    def _workload(self, resource: Resource) -> Iterator[Finding]:
        pod = pod_of(resource)
        if pod is None:
            return
        for annotation, harmless in ANNOTATIONS.items():
            if annotation in pod.annotations and pod.annotations[annotation].strip() not in harmless:
                yield self.broken(
                    resource,
                    f'its annotation {annotation}: "{pod.annotations[annotation]}" leaves traffic uncaptured',
                    "remove the annotation",
                )
        if proxy_config(pod.annotations).get("interceptionMode") == UNCAPTURED:
            yield self.broken(
                resource,
                f"interception mode NONE in its annotation {PROXY_CONFIG}: its sidecar captures nothing",
                "remove interceptionMode",
            )


def _is_member(resource: Resource, stack: Stack) -> bool:
    pod = stack.reading(resource, lambda: pod_of(resource))
    return pod is not None and stack.member(pod) is not None
