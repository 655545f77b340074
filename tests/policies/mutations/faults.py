"""Calls fail on purpose for other callers than those that the topology names."""

from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, UNKNOWN, Plan, Record

TABLE = Table(Family.BYPASS)

Route = dict[str, Any]


def _named(route: Route) -> bool:
    return "fault" in route and any("sourceLabels" in match for match in route.get("match") or ())


def _callers(plan: Plan, record: Record) -> list[dict[str, str]]:
    """Return the labels of the pods that know the host of a VirtualService."""
    (host,) = record["inputs"]["spec"]["hosts"]
    knowing = plan.records("Sidecar", where=lambda i: f"/{host}'" in str(i["spec"].get("egress")))
    return [each["inputs"]["spec"]["workloadSelector"]["labels"] for each in knowing]


def _fault(plan: Plan, change: Callable[[Route, dict[str, str]], object]) -> bool:
    """Change the first route that fails on purpose for one of several callers; the labels are those of another one."""
    for record in plan.records("VirtualService", where=lambda i: any(map(_named, i["spec"].get("http") or ()))):
        number, route = next((number, each) for number, each in enumerate(record["inputs"]["spec"]["http"]) if _named(each))
        own = route["match"][0]["sourceLabels"]
        if other := next((labels for labels in _callers(plan, record) if labels != own), None):
            change(plan.edit(record)["spec"]["http"][number], other)
            return True
    return False


def _match(route: Route, **fields: Any) -> None:
    for match in route["match"]:
        match.update(fields)


@TABLE.mutation("M26", "calls fail for every caller, which the topology says of one")
def fault_for_everybody(plan: Plan) -> bool:
    return _fault(plan, lambda route, _: route.pop("match"))


@TABLE.mutation("M26", "calls fail for every pod of the mesh, because the match that names a caller's names gateways too")
def fault_for_the_mesh(plan: Plan) -> bool:
    return _fault(plan, lambda route, _: _match(route, gateways=["mesh"]))


@TABLE.mutation("M26", "calls fail for another caller than the topology says")
def fault_for_another_caller(plan: Plan) -> bool:
    return _fault(plan, lambda route, other: _match(route, sourceLabels=other))


@TABLE.mutation("M26", "calls fail for pods of another namespace")
def fault_for_nobody(plan: Plan) -> bool:
    return _fault(plan, lambda route, _: _match(route, sourceNamespace=MARKER))


@TABLE.mutation("M26", "calls that should fail on purpose do not")
def fault_forgotten(plan: Plan) -> bool:
    return _fault(plan, lambda route, _: route.pop("fault"))


@TABLE.mutation("M26", "whose calls fail is not known before it is deployed")
def fault_for_somebody(plan: Plan) -> bool:
    return _fault(plan, lambda route, _: _match(route, sourceLabels={"app": UNKNOWN}))
