"""Calls to declared outside hosts leave the egress gateway in plaintext."""

import copy
from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, Record

TABLE = Table(Family.BYPASS)


def _originating(plan: Plan) -> Record | None:
    """Return the DestinationRule with which the egress gateway speaks TLS to an outside host."""
    return plan.first("DestinationRule", where=lambda i: i["spec"].get("trafficPolicy", {}).get("tls", {}).get("mode") == "SIMPLE")


def _rule(plan: Plan, change: Callable[[dict[str, Any]], object]) -> bool:
    record = _originating(plan)
    if record is not None:
        change(plan.edit(record)["spec"])
    return record is not None


@TABLE.mutation("B04", "nothing has the egress gateway speak TLS to an outside host")
def egress_without_destination_rule(plan: Plan) -> bool:
    record = _originating(plan)
    if record is not None:
        plan.remove(record)
    return record is not None


@TABLE.mutation("B04", "the DestinationRule of an outside host says nothing of TLS")
def egress_without_tls(plan: Plan) -> bool:
    return _rule(plan, lambda spec: spec["trafficPolicy"].pop("tls"))


@TABLE.mutation("B04", "the DestinationRule of an outside host says nothing")
def egress_without_traffic_policy(plan: Plan) -> bool:
    return _rule(plan, lambda spec: spec.pop("trafficPolicy"))


@TABLE.mutation("B04", "the TLS of an outside host has no mode, which is DISABLE")
def egress_without_tls_mode(plan: Plan) -> bool:
    return _rule(plan, lambda spec: spec["trafficPolicy"]["tls"].pop("mode"))


@TABLE.mutation("B04", "TLS to an outside host is for pods that nobody has")
def egress_tls_for_nobody(plan: Plan) -> bool:
    return _rule(plan, lambda spec: spec.update(workloadSelector={"matchLabels": {"app": "nobody"}}))


@TABLE.mutation("B04", "TLS to an outside host is not shown to the egress gateway")
def egress_tls_elsewhere(plan: Plan) -> bool:
    return _rule(plan, lambda spec: spec.update(exportTo=["elsewhere"]))


@TABLE.mutation("B04", "TLS to an outside host is for a port that nobody calls")
def egress_tls_on_another_port(plan: Plan) -> bool:
    def change(spec: dict[str, Any]) -> None:
        spec["trafficPolicy"] = {"portLevelSettings": [{"port": {"number": 443}, "tls": spec["trafficPolicy"]["tls"]}]}

    return _rule(plan, change)


@TABLE.mutation("B04", "the application is trusted to speak TLS to an outside host itself")
def egress_left_to_the_application(plan: Plan) -> bool:
    record = _originating(plan)
    if record is None:
        return False
    host = record["inputs"]["spec"]["host"]
    plan.remove(record)
    entry = plan.first("ServiceEntry", where=lambda i: host in i["spec"]["hosts"])
    assert entry is not None
    plan.edit(entry)["spec"]["ports"][0]["protocol"] = "HTTPS"
    return True


@TABLE.mutation("B04", "TLS to an outside host is said in a second DestinationRule, of which Istio takes the subsets alone")
def egress_tls_said_apart(plan: Plan) -> bool:
    record = _originating(plan)
    if record is None:
        return False
    second = copy.deepcopy(record["inputs"])
    second["metadata"]["name"] = MARKER
    plan.add(second)
    return _rule(plan, lambda spec: spec.update(trafficPolicy={"connectionPool": {"tcp": {"maxConnections": 5}}}))
