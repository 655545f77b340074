"""The limits that proxies keep in front of services, as EnvoyFilters write them: counted by each proxy, or by a rate-limit service.

Shapes that are not known raise: whether they limit anything cannot be told. Read from Envoy's documentation ("Local rate limit", "Rate
limit") and that of envoyproxy/ratelimit.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import yaml

from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.tiers import SECONDS
from policies.reading.values import UnknownValueError, mapping, sequence
from topology.model.service import Scope, ServiceLimit

LOCAL: Final = "envoy.filters.http.local_ratelimit"
SHARED: Final = "envoy.filters.http.ratelimit"

_BEFORE_ROUTER: Final = {
    "filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager", "subFilter": {"name": "envoy.filters.http.router"}}}
}
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)s")
_PARTS: Final[Mapping[str, int]] = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}
COUNTER_VARIABLES: Final = frozenset(
    {
        *("LOG_LEVEL", "LOG_FORMAT", "USE_STATSD", "HOST", "PORT", "GRPC_HOST", "GRPC_PORT", "DEBUG_HOST", "DEBUG_PORT"),
        *("REDIS_SOCKET_TYPE", "REDIS_TYPE", "REDIS_URL", "REDIS_POOL_SIZE", "REDIS_TLS"),
        *("RUNTIME_ROOT", "RUNTIME_SUBDIRECTORY", "RUNTIME_WATCH_ROOT", "RUNTIME_IGNOREDOTFILES"),
    }
)
"""Variables of envoyproxy/ratelimit that let nobody ask more often; `SHADOW_MODE` lets everybody."""
_SWITCHES: Final = ("filter_enabled", "filter_enforced")
"""Shares of requests for which a local limit is counted, and kept; none by default."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Kept:
    """A limit in front of one workload."""

    resource: Resource
    """The object that says how much passes."""
    at_once: float
    requests: float
    seconds: float
    """So many requests in so many seconds, for as long as somebody asks."""
    once: bool = False
    """It is one count for all instances."""
    gap: str = ""
    """Why some requests pass whatever was counted."""

    def excess(self, limit: ServiceLimit) -> str:
        """Return what it admits beyond the limit of the topology; empty where it keeps it."""
        if self.gap:
            return self.gap
        if limit.scope is Scope.GLOBAL and not self.once:
            return "each instance counts by itself, where one count is wanted"
        if self.at_once > limit.requests + limit.burst or self.requests * SECONDS[limit.per] > limit.requests * self.seconds:
            return f"{self.at_once:g} requests pass at once, and {self.requests:g} in {self.seconds:g} seconds"
        return ""


def limited_by(resource: Resource, stack: Stack) -> tuple[Pod, ...]:
    """Return the pods whose proxies an EnvoyFilter changes; one without selector is for no workload in particular."""
    labels: Mapping[str, str] = resource.at("spec", "workloadSelector", "labels", default={})
    return stack.pods.with_labels(resource.namespace, labels) if labels else ()


def limits_of(resource: Resource, stack: Stack, port: int) -> Iterator[Kept]:
    """Yield the limits that an EnvoyFilter keeps in front of a port.

    Raises:
        UnknownValueError: if something that limits is not known, or has a shape that is not known.
    """
    patches = [mapping(patch) for patch in resource.at("spec", "configPatches", default=[])]
    for index, patch in enumerate(patches):
        where = f"{resource}: configPatches[{index}]"
        value = mapping(mapping(patch.get("patch")).get("value"))
        own = mapping(value.get("typed_per_filter_config"))
        if value.get("name") in {LOCAL, SHARED}:
            _expect(mapping(patch.get("match")) == {"context": "SIDECAR_INBOUND", "listener": _BEFORE_ROUTER}, f"{where}.match")
        if value.get("name") == LOCAL:
            yield _bucket(resource, where, mapping(value.get("typed_config")))
        elif value.get("name") == SHARED:
            yield from _counted(stack, where, mapping(value.get("typed_config")), _tallies(patches, port, str(resource)))
        elif LOCAL in own:
            # What a route says takes the place of what the filter says.
            yield _bucket(resource, where, mapping(own[LOCAL]))


def _bucket(resource: Resource, where: str, config: Mapping[str, Any]) -> Kept:
    """Return a local limit: a bucket of tokens that is filled again and again."""
    fields = mapping(config.get("value")) if "type_url" in config else config
    bucket = mapping(fields.get("token_bucket"))
    interval = _DURATION.fullmatch(str(bucket.get("fill_interval")))
    most, fill = bucket.get("max_tokens"), bucket.get("tokens_per_fill", 1)
    if not (interval and isinstance(most, int) and isinstance(fill, int)):
        raise UnknownValueError(f"{where}: token_bucket", "of a shape that is not known")
    gap = next((f"{switch} is not for all requests" for switch in _SWITCHES if not _always(mapping(fields.get(switch)))), "")
    if fields.get("local_rate_limit_per_downstream_connection"):
        gap = "each connection is counted by itself"
    return Kept(resource=resource, at_once=most, requests=fill, seconds=float(interval[1]), gap=gap)


def _always(switch: Mapping[str, Any]) -> bool:
    share = mapping(switch.get("default_value"))
    parts = _PARTS.get(share.get("denominator", "HUNDRED"))
    return parts is not None and share.get("numerator", 0) >= parts


def _tallies(patches: list[dict[str, Any]], port: int, where: str) -> Iterator[str]:
    """Yield by what value all requests to a port are counted."""
    hosts = ({"name": f"inbound|http|{port}"}, {"name": f"inbound|http|{port}", "route": {"action": "ANY"}})
    for patch in patches:
        route = mapping(mapping(mapping(patch.get("patch")).get("value")).get("route"))
        if "rate_limits" not in route:
            continue
        match = mapping(patch.get("match"))
        virtual_host = mapping(match.get("routeConfiguration")).get("vhost")
        everywhere = patch.get("applyTo") == "HTTP_ROUTE" and set(match) == {"context", "routeConfiguration"} and virtual_host in hosts
        _expect(everywhere and set(mapping(match["routeConfiguration"])) == {"vhost"}, f"{where}: the match of rate_limits")
        for limit in map(mapping, sequence(route["rate_limits"])):
            actions = sequence(limit.get("actions"))
            key = mapping(mapping(actions[0]).get("generic_key")) if actions else {}
            _expect(set(limit) == {"actions"} and len(actions) == 1 and set(key) == {"descriptor_value"}, f"{where}: rate_limits")
            yield key["descriptor_value"]


def _counted(stack: Stack, where: str, config: Mapping[str, Any], values: Iterator[str]) -> Iterator[Kept]:
    """Yield the limits that a rate-limit service keeps for some values; it admits everything of which its configuration says nothing."""
    _expect(not config.get("stage") and config.get("request_type", "both") in {"", "both"}, f"{where}: stage or request_type")
    asked = mapping(mapping(mapping(config.get("rate_limit_service")).get("grpc_service")).get("envoy_grpc"))
    cluster = str(asked.get("cluster_name") or "")
    host = cluster.rpartition("|")[2]
    # In its place Envoy gives the cluster's name, which no proxy takes for an authority: every call is refused, seen with Istio 1.31.
    _expect(asked.get("authority") == host, f"{where}: the authority of the rate-limit service, {asked.get('authority')}")
    service = stack.traffic.service(host)
    if service is None:
        raise UnknownValueError(f"{where}: the rate-limit service {cluster}", "not in the program, so what it counts is not known")
    for pod in service.pods:
        for entry in (each for container in pod.containers for each in sequence(container.get("env"))):
            if entry["name"] not in COUNTER_VARIABLES:
                raise UnknownValueError(f"{pod}: the variable {entry['name']}", "one of which it is not known what it does to limits")
    wanted = set(values)
    for resource, document in _configurations(stack, service.pods):
        if document.get("domain") != config.get("domain"):
            continue
        for entry in map(mapping, sequence(document.get("descriptors"))):
            if entry.get("key") == "generic_key" and entry.get("value") in wanted:
                rate = mapping(entry.get("rate_limit"))
                known = set(entry) == {"key", "value", "rate_limit"} and set(rate) == {"unit", "requests_per_unit"}
                _expect(known and str(rate.get("unit")).lower() in SECONDS, f"{resource}: the limit of {entry['value']}")
                most = rate["requests_per_unit"]
                yield Kept(resource=resource, at_once=most, requests=most, seconds=SECONDS[rate["unit"].lower()], once=True)


def _configurations(stack: Stack, pods: tuple[Pod, ...]) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    """Yield the files of rate-limit services."""
    for name, namespace in sorted({(name, pod.namespace) for pod in pods for name in pod.config_maps()}):
        found = stack.find("ConfigMap", namespace, name)
        if found is None:
            raise UnknownValueError(f"ConfigMap {namespace}/{name}", "not in the program")
        for text in mapping(found.props.get("data")).values():
            try:
                document: object = yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise UnknownValueError(f"{found}: data", "no YAML") from error
            if isinstance(document, dict):
                yield found, cast("dict[str, Any]", document)


def _expect(known: bool, what: str) -> None:
    if not known:
        raise UnknownValueError(what, "of a shape of which it is not known what it limits")
