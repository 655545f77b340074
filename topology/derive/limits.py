"""Limits that protect a service whatever its client, counted in each of its proxies."""

from typing import Any, Final

from topology.derive import names
from topology.derive.manifest import Manifest, manifest
from topology.derive.relations import Relations
from topology.model.base import ServiceName
from topology.model.service import Rate, Scope, Service

FILTER: Final = "envoy.filters.http.local_ratelimit"
TYPE: Final = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"
CONNECTION_MANAGER: Final = "envoy.filters.network.http_connection_manager"
ROUTER: Final = "envoy.filters.http.router"
PRIORITY: Final = 10
"""After filters without a priority, so that the one it stands before is there."""
INTERVALS: Final = {"second": "1s", "minute": "60s", "hour": "3600s"}


def local(r: Relations, name: ServiceName) -> Manifest | None:
    """Return the local rate limit of a service; None where it has none.

    Istio 1.31 has no field for it, only Envoy's own filter. The filter stands behind authorization, so that only calls that are
    allowed use the budget up; beyond it the answer is 429.
    """
    service = r.t.workload(name)
    if not isinstance(service, Service) or service.limit is None or service.limit.scope is not Scope.LOCAL:
        return None
    always = {"numerator": 100, "denominator": "HUNDRED"}
    value: dict[str, Any] = {
        "stat_prefix": "service_limit",
        "token_bucket": _bucket(service.limit),
        "filter_enabled": {"runtime_key": "service_limit_enabled", "default_value": always},
        "filter_enforced": {"runtime_key": "service_limit_enforced", "default_value": always},
    }
    patch = {
        "applyTo": "HTTP_FILTER",
        "match": {
            "context": "SIDECAR_INBOUND",
            "listener": {"filterChain": {"filter": {"name": CONNECTION_MANAGER, "subFilter": {"name": ROUTER}}}},
        },
        "patch": {
            "operation": "INSERT_BEFORE",
            "value": {
                "name": FILTER,
                "typed_config": {"@type": "type.googleapis.com/udpa.type.v1.TypedStruct", "type_url": TYPE, "value": value},
            },
        },
    }
    spec = {"workloadSelector": {"labels": {names.APP_LABEL: name}}, "priority": PRIORITY, "configPatches": [patch]}
    return manifest("networking.istio.io/v1alpha3", "EnvoyFilter", f"{name}-limit", r.t.namespace_of(name), spec)


def _bucket(rate: Rate) -> dict[str, Any]:
    return {
        "max_tokens": rate.requests + rate.burst,
        "tokens_per_fill": rate.requests,
        "fill_interval": INTERVALS[rate.per],
    }
