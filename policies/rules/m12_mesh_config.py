"""M12: the mesh's own configuration is the strict one."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.checks import at, attempt
from policies.reading.charts import chart_name
from policies.reading.meshes import Mesh
from policies.reading.pods import TEMPLATES, pod_of
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity
from policies.rules.m03_injection import PROXY_CONFIG, proxy_config

NORMALIZATION: Final = "DECODE_AND_MERGE_SLASHES"
REGISTRY_ONLY: Final = "REGISTRY_ONLY"
SANITIZED: Final = frozenset({"UNDEFINED", "SANITIZE", "SANITIZE_SET"})
"""What a gateway may do with a client's x-forwarded-client-cert; its default is SANITIZE_SET (pilot networking/core/gateway.go)."""
FORWARDING: Final = (("gatewayTopology", "forwardClientCertDetails"), ("proxyHeaders", "forwardedClientCert"))
"""Where a proxy's configuration says what becomes of the caller's certificate as a header."""

PROXY_FIELDS: Final = frozenset(
    {
        *("concurrency", "connectionSettings", "drainDuration", "gatewayTopology", "holdApplicationUntilProxyStarts"),
        *("interceptionMode", "proxyHeaders", "runtimeValues", "terminationDrainDuration", "tracing"),
    }
)
"""Fields of ProxyConfig that rules read, or that open nothing."""

TRACING_FIELDS: Final = frozenset({"sampling", "maxPathTagLength"})
"""Fields of its `tracing` that send nothing anywhere."""

INTERNAL_ADDRESSES: Final = "envoy.reloadable_features.explicit_internal_address_config"

ENVIRONMENT: Final[Mapping[str, tuple[str, str]]] = {
    "ENABLE_HCM_INTERNAL_NETWORKS": ("true", "private addresses may send Envoy's internal headers (ISTIO-SECURITY-2024-006)"),
    "PILOT_SKIP_VALIDATE_TRUST_DOMAIN": ("true", "certificates of any trust domain are taken for the mesh's own"),
    "XDS_AUTH": ("false", "anybody may ask istiod for the configuration of any proxy"),
    "PILOT_ENABLE_XDS_IDENTITY_CHECK": ("false", "a proxy may ask for the configuration of another identity"),
}
"""Variables of istiod (pilot/pkg/features) with the value that opens something, and what it opens."""


class M12(Rule):
    """Every control plane normalises paths, knows every destination, and checks who asks it.

    Forbids:
        `pathNormalization` other than DECODE_AND_MERGE_SLASHES; `outboundTrafficPolicy` other than REGISTRY_ONLY, for the mesh or
        in a Sidecar; switches that trust internal addresses, other trust domains or unauthenticated proxies; gateways that pass
        a client's x-forwarded-client-cert on; a mesh configuration that somebody else may overlay; a control plane that no mesh of
        the topology has. The same in what single proxies are told, by `defaultConfig` or the annotation `proxy.istio.io/config`:
        Envoy's runtime flags, `connectionSettings` besides the profile, `tracing` that sends spans elsewhere than the mesh's provider,
        and any field of ProxyConfig of which it is not known what it does to the boundary.

    Why:
        Policies compare paths as they stand: `//admin` and `/%2fadmin` are other paths than `/admin` unless the mesh makes them
        equal first. Istio's default ALLOW_ANY lets every pod call every address. Envoy used to trust all private addresses to
        send its internal headers; since 1.33 none is trusted unless istiod is told so (ISTIO-SECURITY-2024-006).

    Instead:
        In the values of the chart istiod::

            meshConfig:
              pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}
              outboundTrafficPolicy: {mode: REGISTRY_ONLY}
    """

    id = "M12"
    name = "strict-mesh-configuration"
    severity = Severity.HIGH
    frameworks = ("ISTIO-SECURITY-2021-005", "ISTIO-SECURITY-2024-006", "Istio security best practices")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every control plane, then what single proxies change."""
        shown = {mesh.trust_domain for mesh in stack.meshes}
        read = {mesh.release for mesh in stack.meshes}
        hidden = [release for release in stack.releases if release not in read and _is_istiod(release)]
        yield from (self.undecided(release, f"its mesh configuration cannot be read: {_reason(release, stack)}") for release in hidden)
        for name, mesh in stack.intent.meshes.items():
            if mesh.trust_domain not in shown and not hidden:
                yield self.undecided(
                    None, f"no Release of istiod in this stack has the trust domain {mesh.trust_domain} of mesh {name}", "install it here"
                )
        declared = {mesh.trust_domain for mesh in stack.intent.meshes.values()}
        taken: set[str] = set()
        for control_plane in stack.meshes:
            if control_plane.trust_domain not in declared or control_plane.trust_domain in taken:
                yield self.undecided(
                    control_plane.release,
                    f"it is a control plane of the trust domain {control_plane.trust_domain}, for which the topology has no (second) mesh",
                    "remove it, or declare its mesh",
                )
            taken.add(control_plane.trust_domain)
            yield from attempt(self, control_plane.release, self._control_plane(control_plane))
        places = {mesh.namespace for mesh in stack.meshes}
        overlays = (
            resource
            for resource in stack.of("ConfigMap")
            if resource.namespace in places and resource.name.partition("-")[0] in {"istio", "values"}
        )
        yield from self.over(overlays, self._overlay)
        yield from self.over(stack.of("Sidecar"), self._sidecar)
        yield from self.over(stack.of(*TEMPLATES), self._workload)
        for release in stack.releases:
            yield from attempt(self, release, self._gateway_chart(release))

    def _control_plane(self, mesh: Mesh) -> Iterator[Finding]:
        config, release = mesh.config, mesh.release
        if (found := at(config, "pathNormalization", "normalization", default="DEFAULT")) != NORMALIZATION:
            yield self.broken(
                release, f"pathNormalization is {found}: //admin and /%2fadmin are not /admin to its policies", f"set it to {NORMALIZATION}"
            )
        if (mode := at(config, "outboundTrafficPolicy", "mode", default="ALLOW_ANY")) != REGISTRY_ONLY:
            yield self.broken(release, f"outboundTrafficPolicy is {mode}: its services may call any address", f"set it to {REGISTRY_ONLY}")
        environment: Mapping[str, Any] = mesh.values.get("env") or {}
        for variable, (bad, consequence) in ENVIRONMENT.items():
            if str(environment.get(variable, "")).lower() == bad:
                yield self.broken(release, f"{variable}={bad}: {consequence}", f"remove {variable}")
        if environment.get("SHARED_MESH_CONFIG"):
            yield self.undecided(release, "SHARED_MESH_CONFIG lays a ConfigMap over the mesh configuration", "remove SHARED_MESH_CONFIG")
        yield from self._proxies(release, "meshConfig.defaultConfig", config.get("defaultConfig") or {})

    def _overlay(self, resource: Resource) -> Iterator[Finding]:
        yield self.undecided(
            resource,
            "a ConfigMap of this name may take the place of the mesh configuration that istiod's chart writes",
            "give it another name",
        )

    def _sidecar(self, resource: Resource) -> Iterator[Finding]:
        mode = resource.at("spec", "outboundTrafficPolicy", "mode", default=REGISTRY_ONLY)
        if mode != REGISTRY_ONLY:
            yield self.broken(
                resource, f"outboundTrafficPolicy is {mode}: its pods may call any address", f"set it to {REGISTRY_ONLY}, or remove it"
            )

    def _workload(self, resource: Resource) -> Iterator[Finding]:
        pod = pod_of(resource)
        if pod is not None:
            yield from self._proxies(resource, f"annotation {PROXY_CONFIG}", proxy_config(pod.annotations))

    def _gateway_chart(self, release: Resource) -> Iterator[Finding]:
        annotations: Mapping[str, str] = release.at("values", "podAnnotations", default={})
        yield from self._proxies(release, f"podAnnotations {PROXY_CONFIG}", proxy_config(annotations))

    def _proxies(self, resource: Resource, where: str, config: Mapping[str, Any]) -> Iterator[Finding]:
        runtime: Mapping[str, Any] = config.get("runtimeValues") or {}
        for flag, value in runtime.items():
            if flag == INTERNAL_ADDRESSES and str(value).lower() == "false":
                yield self.broken(
                    resource, f"{where} sets {flag} to false: private addresses may send Envoy's internal headers", "remove it"
                )
            else:
                yield self.undecided(resource, f"{where} sets Envoy's runtime flag {flag}, whose effect is not known", "remove it")
        for path in FORWARDING:
            forwarded = at(config, *path, default="UNDEFINED")
            if forwarded not in SANITIZED:
                yield self.broken(
                    resource,
                    f"{where} passes the caller's x-forwarded-client-cert on ({forwarded}): it may name any identity",
                    "set SANITIZE_SET",
                )
        for field in (
            *sorted(set(config) - PROXY_FIELDS),
            *(f"tracing.{key}" for key in sorted(set(config.get("tracing") or {}) - TRACING_FIELDS)),
        ):
            yield self.undecided(resource, f"{where} sets {field}, whose effect on the boundary is not known", f"remove {field}")
        settings: Mapping[str, Any] = config.get("connectionSettings") or {}
        if set(settings) - {"profile"}:
            yield self.undecided(
                resource, f"{where} has connectionSettings, which may replace the normalization of paths", "remove connectionSettings"
            )


def _is_istiod(release: Resource) -> bool:
    return chart_name(release) == "istiod"


def _reason(release: Resource, stack: Stack) -> str:
    return next((str(error) for resource, error in stack.unreadable if resource is release), "not of the expected shape")
