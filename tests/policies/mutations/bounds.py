"""Calls between services last, repeat and queue beyond what the topology says."""

from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import Plan

TABLE = Table(Family.BYPASS)


def _route(plan: Plan, change: Callable[[dict[str, Any]], object]) -> bool:
    record = plan.app("VirtualService", where=lambda i: "timeout" in str(i["spec"].get("http")))
    if record is not None:
        change(plan.edit(record)["spec"]["http"][-1])
    return record is not None


def _policy(plan: Plan, change: Callable[[dict[str, Any]], object]) -> bool:
    record = plan.app("DestinationRule", where=lambda i: "outlierDetection" in i["spec"].get("trafficPolicy", {}))
    if record is not None:
        change(plan.edit(record)["spec"]["trafficPolicy"])
    return record is not None


@TABLE.mutation("M26", "callers wait for a service for a day")
def calls_last_a_day(plan: Plan) -> bool:
    return _route(plan, lambda route: route.update(timeout="24h"))


@TABLE.mutation("M26", "callers wait for a service without end")
def calls_last_for_ever(plan: Plan) -> bool:
    return _route(plan, lambda route: route.pop("timeout"))


@TABLE.mutation("M26", "a failed call is tried ten times again")
def calls_repeat(plan: Plan) -> bool:
    return _route(plan, lambda route: route.update(retries={"attempts": 10, "retryOn": "5xx"}))


@TABLE.mutation("M26", "nothing is said of retries, and Istio has its own")
def calls_repeat_as_istio_likes(plan: Plan) -> bool:
    return _route(plan, lambda route: route["retries"]["attempts"] == 0 and route.pop("retries"))


@TABLE.mutation("M26", "the mesh ingress waits for a service without end")
def ingress_waits_for_ever(plan: Plan) -> bool:
    record = plan.ingress_virtual_service()
    if record is None or "timeout" not in record["inputs"]["spec"]["http"][-1]:
        return False
    plan.edit(record)["spec"]["http"][-1]["timeout"] = "0s"
    return True


@TABLE.mutation("M26", "any number of connections leads to a service")
def connections_without_end(plan: Plan) -> bool:
    return _policy(plan, lambda policy: policy["connectionPool"]["tcp"].update(maxConnections=2**31 - 1))


@TABLE.mutation("M26", "any number of requests waits for a service")
def requests_queue_without_end(plan: Plan) -> bool:
    return _policy(plan, lambda policy: policy.pop("connectionPool"))


@TABLE.mutation("M26", "an instance that fails goes on getting calls")
def failing_instances_stay(plan: Plan) -> bool:
    return _policy(plan, lambda policy: policy.pop("outlierDetection"))


@TABLE.mutation("M26", "the port of a service has no bounds, whatever the service has")
def port_without_bounds(plan: Plan) -> bool:
    def change(policy: dict[str, Any]) -> None:
        policy["portLevelSettings"] = [{"port": {"number": 8080}, "tls": policy["tls"]}]

    return _policy(plan, change)
