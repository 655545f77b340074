"""M18: nothing rewrites the proxies beneath the rules."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from policies.checks import at
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity

LOCAL_RATE_LIMIT: Final = "envoy.filters.http.local_ratelimit"
LOCAL_RATE_LIMIT_TYPE: Final = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
TYPED_STRUCTS: Final = frozenset({"type.googleapis.com/udpa.type.v1.TypedStruct", "type.googleapis.com/xds.type.v3.TypedStruct"})
LIMIT_FIELDS: Final = frozenset(
    {
        "stat_prefix",
        "status",
        "token_bucket",
        "filter_enabled",
        "filter_enforced",
        "response_headers_to_add",
        "enable_x_ratelimit_headers",
        "local_rate_limit_per_downstream_connection",
        "rate_limited_as_resource_exhausted",
    }
)
"""Fields of LocalRateLimit with which it can only refuse requests (envoy.extensions.filters.http.local_ratelimit.v3)."""

SHARED_RATE_LIMIT: Final = "envoy.filters.http.ratelimit"
SHARED_RATE_LIMIT_TYPE: Final = "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit"
SHARED_LIMIT_FIELDS: Final = frozenset(
    {
        "domain",
        "stage",
        "request_type",
        "timeout",
        "failure_mode_deny",
        "rate_limit_service",
        "enable_x_ratelimit_headers",
        "rate_limited_status",
    }
)
"""The same for a limit that a rate-limit service counts (envoy.extensions.filters.http.ratelimit.v3)."""

AUTHORIZATION: Final = (
    "envoy.filters.http.rbac",
    "envoy.filters.network.rbac",
    "envoy.filters.http.jwt_authn",
    "envoy.filters.http.ext_authz",
    "istio_authn",
)
"""Filters that decide who may call."""

CODE: Final[Mapping[str, str]] = {
    "WasmPlugin": "runs a program of its own in the proxies",
    "TrafficExtension": "runs a program of its own in the proxies",
    "EnvoyPatchPolicy": "rewrites the gateway's configuration beneath every rule",
    "EnvoyExtensionPolicy": "runs a program of its own on the gateway's requests",
}
"""Kinds that run code in a proxy, or rewrite its configuration as text."""


class M18(Rule):
    """The only EnvoyFilter is a rate limit in front of one workload.

    Forbids:
        EnvoyFilters of any other shape than a rate limit on the inbound side of the workload they select, counted by the proxy
        itself or by a rate-limit service of the cluster, which refuses when that does not answer; WasmPlugin,
        TrafficExtension, EnvoyPatchPolicy and EnvoyExtensionPolicy.

    Why:
        An EnvoyFilter rewrites the proxy's configuration after Istio made it: it can take the authorization filter out, and no
        policy shows it. Code in the proxy reads and changes every request. None of it can be judged by reading resources.

    Instead:
        Use Istio's own objects. For a limit that Istio cannot express, give the service a `limit` in the topology; it becomes
        the one shape that is known to be harmless::

            limit: {requests: 100, per: second}
    """

    id = "M18"
    name = "no-proxy-rewrites"
    severity = Severity.CRITICAL
    frameworks = ("ISTIO-SECURITY-2026-006",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every EnvoyFilter and every extension."""
        roots = frozenset(mesh.root_namespace for mesh in stack.meshes) | frozenset(
            mesh.control_plane for mesh in stack.intent.meshes.values()
        )
        yield from self.over(stack.of("EnvoyFilter", "EnvoyFilterPatch"), lambda resource: self._filter(resource, roots))
        yield from self.over(stack.of(*CODE), self._code)

    def _code(self, resource: Resource) -> Iterator[Finding]:
        yield self.broken(resource, f"a {resource.kind} {CODE[resource.kind]}", "remove it")

    def _filter(self, resource: Resource, roots: frozenset[str]) -> Iterator[Finding]:
        if resource.namespace in roots:
            yield self.broken(
                resource, "in the mesh's root namespace it rewrites every proxy", "move it to the namespace of the one workload it is for"
            )
        if not resource.at("spec", "workloadSelector", "labels", default={}):
            yield self.broken(
                resource, "without workloadSelector it rewrites every proxy of its namespace", "select the one workload it is for"
            )
        for index, patch in enumerate(resource.at("spec", "configPatches", default=[])):
            yield from self._patch(resource, f"configPatches[{index}]", patch)

    def _patch(self, resource: Resource, where: str, patch: Mapping[str, Any]) -> Iterator[Finding]:
        operation: str = at(patch, "patch", "operation", default="")
        strings = set(_strings(patch))
        touched = [name for name in AUTHORIZATION if name in strings]
        if touched:
            yield self.broken(
                resource,
                f"{where} ({operation or 'no operation'}) touches {touched[0]}, the filter that decides who may call",
                "remove the EnvoyFilter",
            )
        elif not _is_rate_limit(patch):
            yield self.broken(
                resource,
                f"{where} ({operation or 'no operation'} of {patch.get('applyTo')}) is not a rate limit: its effect is not known",
                "remove it",
            )


def _is_rate_limit(patch: Mapping[str, Any]) -> bool:
    """Say whether a patch can do nothing but refuse requests that are too many."""
    if at(patch, "match", "context") != "SIDECAR_INBOUND":
        return False
    value: Mapping[str, Any] = at(patch, "patch", "value", default={})
    match patch.get("applyTo"), at(patch, "patch", "operation"):
        case "HTTP_FILTER", "INSERT_BEFORE" | "INSERT_FIRST":
            if set(value) != {"name", "typed_config"}:
                return False
            if value["name"] == SHARED_RATE_LIMIT:
                return _only_asks(value["typed_config"])
            return value["name"] == LOCAL_RATE_LIMIT and _only_limits(value["typed_config"])
        case "HTTP_ROUTE" | "VIRTUAL_HOST", "MERGE":
            if set(value) == {"route"}:
                return set(at(value, "route", default={})) == {"rate_limits"}
            configs: Mapping[str, Any] = value.get("typed_per_filter_config") or {}
            return (
                set(value) == {"typed_per_filter_config"} and set(configs) == {LOCAL_RATE_LIMIT} and _only_limits(configs[LOCAL_RATE_LIMIT])
            )
        case _:
            return False


def _only_asks(config: Mapping[str, Any]) -> bool:
    """Say whether a shared limit refuses when nobody answers, and asks a service of the cluster."""
    cluster = at(config, "rate_limit_service", "grpc_service", "envoy_grpc", "cluster_name", default="")
    known = config.get("@type") == SHARED_RATE_LIMIT_TYPE and set(config) - {"@type"} <= SHARED_LIMIT_FIELDS
    return known and config.get("failure_mode_deny") is True and str(cluster).startswith("outbound|")


def _only_limits(config: Mapping[str, Any]) -> bool:
    fields: Mapping[str, Any] = config
    if config.get("@type") in TYPED_STRUCTS:
        if config.get("type_url") != LOCAL_RATE_LIMIT_TYPE:
            return False
        fields = config.get("value") or {}
    elif config.get("@type") != LOCAL_RATE_LIMIT_TYPE:
        return False
    return set(fields) - {"@type"} <= LIMIT_FIELDS


def _strings(value: Any) -> Iterator[str]:
    """Yield every string inside a value."""
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _strings(item)
    elif isinstance(value, str):
        yield value
