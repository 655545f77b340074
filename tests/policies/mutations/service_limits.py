"""Services are called more often than they bear."""

import json
from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import Plan

TABLE = Table(Family.BYPASS)

LOCAL = "envoy.filters.http.local_ratelimit"


def _filter(plan: Plan, kind: str, change: Callable[[dict[str, Any]], object]) -> bool:
    """Change the settings of the first filter of a kind in an EnvoyFilter."""
    record = plan.first("EnvoyFilter", where=lambda i: f"'{kind}'" in str(i["spec"]))
    if record is None:
        return False
    config = plan.edit(record)["spec"]["configPatches"][0]["patch"]["value"]["typed_config"]
    change(config.get("value", config))
    return True


@TABLE.mutation("M24", "nothing limits how often a service is called")
def service_limit_removed(plan: Plan) -> bool:
    record = plan.first("EnvoyFilter")
    if record is None:
        return False
    plan.remove(record)
    return True


@TABLE.mutation("M24", "a service's limit is for a label that no pod has")
def service_limit_of_nobody(plan: Plan) -> bool:
    record = plan.first("EnvoyFilter")
    if record is None:
        return False
    plan.edit(record)["spec"]["workloadSelector"]["labels"]["app"] = "nobody"
    return True


@TABLE.mutation("M24", "more calls of a service pass at once")
def service_limit_bucket_wider(plan: Plan) -> bool:
    return _filter(plan, LOCAL, lambda config: config["token_bucket"].update(max_tokens=config["token_bucket"]["max_tokens"] + 1))


@TABLE.mutation("M24", "a service's limit is filled again too fast")
def service_limit_filled_faster(plan: Plan) -> bool:
    return _filter(plan, LOCAL, lambda config: config["token_bucket"].update(fill_interval="0.5s"))


@TABLE.mutation("M24", "a service's limit is filled with more")
def service_limit_filled_with_more(plan: Plan) -> bool:
    return _filter(plan, LOCAL, lambda config: config["token_bucket"].update(tokens_per_fill=10**6))


@TABLE.mutation("M24", "a service's limit is counted and not kept")
def service_limit_only_counted(plan: Plan) -> bool:
    return _filter(plan, LOCAL, lambda config: config.pop("filter_enforced"))


@TABLE.mutation("M24", "a service's limit is off for most requests")
def service_limit_for_some(plan: Plan) -> bool:
    return _filter(plan, LOCAL, lambda config: config["filter_enabled"]["default_value"].update(denominator="MILLION"))


@TABLE.mutation("M24", "each connection to a service has a limit of its own")
def service_limit_for_each_connection(plan: Plan) -> bool:
    return _filter(plan, LOCAL, lambda config: config.update(local_rate_limit_per_downstream_connection=True))


@TABLE.mutation("M24", "a service's limit is for proxies of a version that nobody has")
def service_limit_for_other_proxies(plan: Plan) -> bool:
    record = plan.first("EnvoyFilter")
    if record is None:
        return False
    plan.edit(record)["spec"]["configPatches"][0]["match"]["proxy"] = {"proxyVersion": "^9[.].*"}
    return True


@TABLE.mutation("M24", "a service's proxies ask for the limits of another stage")
def service_limit_of_another_stage(plan: Plan) -> bool:
    return _filter(plan, "envoy.filters.http.ratelimit", lambda config: config.update(stage=1))


@TABLE.mutation("M24", "a service's proxies ask only about requests of the mesh's own")
def service_limit_of_internal_requests(plan: Plan) -> bool:
    return _filter(plan, "envoy.filters.http.ratelimit", lambda config: config.update(request_type="internal"))


@TABLE.mutation("M24", "a service's proxies ask the rate-limit service under the cluster's name")
def service_limit_without_authority(plan: Plan) -> bool:
    return _filter(plan, "envoy.filters.http.ratelimit", lambda c: c["rate_limit_service"]["grpc_service"]["envoy_grpc"].pop("authority"))


def _counters(plan: Plan, change: Callable[[dict[str, Any]], object]) -> bool:
    """Change the limits of a rate-limit service."""
    record = plan.first("ConfigMap", where=lambda i: "requests_per_unit" in str(i.get("data")))
    if record is None:
        return False
    data = plan.edit(record)["data"]
    document = json.loads(data["config.yaml"])
    change(document)
    data["config.yaml"] = json.dumps(document)
    return True


@TABLE.mutation("M24", "a rate-limit service admits more")
def counters_admit_more(plan: Plan) -> bool:
    return _counters(plan, lambda document: document["descriptors"][0]["rate_limit"].update(requests_per_unit=10**6))


@TABLE.mutation("M24", "a rate-limit service admits everything")
def counters_without_end(plan: Plan) -> bool:
    return _counters(plan, lambda document: document["descriptors"][0].update(rate_limit={"unlimited": True}))


@TABLE.mutation("M24", "a rate-limit service only counts")
def counters_in_shadow(plan: Plan) -> bool:
    return _counters(plan, lambda document: document["descriptors"][0].update(shadow_mode=True))


@TABLE.mutation("M24", "a rate-limit service knows the limits of another domain")
def counters_of_another_domain(plan: Plan) -> bool:
    return _counters(plan, lambda document: document.update(domain="other"))


@TABLE.mutation("M24", "a rate-limit service is told to count only")
def counters_told_to_count_only(plan: Plan) -> bool:
    record = plan.first("Deployment", where=lambda i: "RUNTIME_SUBDIRECTORY" in str(i["spec"]))
    if record is not None:
        plan.edit(record)["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "SHADOW_MODE", "value": "true"})
    return record is not None
