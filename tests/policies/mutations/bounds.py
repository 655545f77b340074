"""Calls between services last, repeat and queue beyond what the topology says."""

from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import Plan, Record

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


def _ejection(plan: Plan, **fields: Any) -> bool:
    return _policy(plan, lambda policy: policy["outlierDetection"].update(fields))


@TABLE.mutation("M26", "no instance may be left alone, however it fails")
def ejection_of_none(plan: Plan) -> bool:
    return _ejection(plan, maxEjectionPercent=0)


@TABLE.mutation("M26", "instances are left alone only while all of them are healthy")
def ejection_while_healthy(plan: Plan) -> bool:
    return _ejection(plan, minHealthPercent=100)


@TABLE.mutation("M26", "failing instances are looked for once a day")
def ejection_once_a_day(plan: Plan) -> bool:
    return _ejection(plan, interval="24h")


@TABLE.mutation("M26", "a failing instance is left alone for a millisecond")
def ejection_for_a_moment(plan: Plan) -> bool:
    return _ejection(plan, baseEjectionTime="1ms")


@TABLE.mutation("M26", "failed connections are no errors")
def ejection_without_connection_errors(plan: Plan) -> bool:
    return _ejection(plan, splitExternalLocalOriginErrors=True)


@TABLE.mutation("M26", "how long a failing instance is left alone is no length of time")
def ejection_malformed(plan: Plan) -> bool:
    return _ejection(plan, baseEjectionTime="a while")


@TABLE.mutation("M26", "how often a failed call is tried again is a text")
def retries_as_text(plan: Plan) -> bool:
    return _route(plan, lambda route: route.update(retries={"attempts": "5"}))


@TABLE.mutation("M26", "how many connections lead to a service is a truth value")
def connections_as_switch(plan: Plan) -> bool:
    return _policy(plan, lambda policy: policy["connectionPool"]["tcp"].update(maxConnections=True))


def _rule_of_a_callee(plan: Plan) -> Record | None:
    return plan.app("DestinationRule", where=lambda i: "connectionPool" in i["spec"].get("trafficPolicy", {}))


@TABLE.mutation("M26", "a service that is called has no DestinationRule")
def callee_without_destination_rule(plan: Plan) -> bool:
    record = _rule_of_a_callee(plan)
    if record is not None:
        plan.remove(record)
    return record is not None


@TABLE.mutation("M26", "the bounds of a service are for pods that nobody has")
def bounds_for_nobody(plan: Plan) -> bool:
    record = _rule_of_a_callee(plan)
    if record is not None:
        plan.edit(record)["spec"]["workloadSelector"] = {"matchLabels": {"app": "nobody"}}
    return record is not None


@TABLE.mutation("M26", "the bounds of a service are not shown to its callers")
def bounds_elsewhere(plan: Plan) -> bool:
    record = _rule_of_a_callee(plan)
    if record is not None:
        plan.edit(record)["spec"]["exportTo"] = ["elsewhere"]
    return record is not None


@TABLE.mutation("M26", "a service that is called has no VirtualService")
def callee_without_virtual_service(plan: Plan) -> bool:
    record = plan.app("VirtualService", where=lambda i: "timeout" in str(i["spec"].get("http")))
    if record is not None:
        plan.remove(record)
    return record is not None
