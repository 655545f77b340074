"""What an allowed call needs is gone: nothing more is possible, and less than the topology says."""

from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, name, namespace, pod_labels

TABLE = Table(Family.MISSING)


def _ask(routes: list[dict[str, Any]], condition: dict[str, Any]) -> bool:
    anything: list[dict[str, Any]] = [{}]
    for route in routes:
        route["match"] = [{**match, **condition} for match in route.get("match") or anything]
    return True


def _ingress_asks(plan: Plan, condition: dict[str, Any]) -> bool:
    routes = plan.ingress_virtual_service()
    return routes is not None and _ask(plan.edit(routes)["spec"]["http"], condition)


@TABLE.mutation("B01", "the mesh ingress passes on requests with a header alone")
def ingress_asks_for_a_header(plan: Plan) -> bool:
    return _ingress_asks(plan, {"headers": {"x-test": {"exact": "yes"}}})


@TABLE.mutation("B01", "the mesh ingress passes on requests whose header begins with a text alone")
def ingress_asks_for_the_beginning_of_a_header(plan: Plan) -> bool:
    return _ingress_asks(plan, {"headers": {"x-test": {"prefix": "y"}}})


@TABLE.mutation("B01", "the mesh ingress passes on requests with a query alone")
def ingress_asks_for_a_query(plan: Plan) -> bool:
    return _ingress_asks(plan, {"queryParams": {"test": {"exact": "yes"}}})


@TABLE.mutation("B02", "a service is called with its canary's header alone")
def only_the_canary_is_routed(plan: Plan) -> bool:
    routes = plan.app("VirtualService", where=lambda i: any("headers" in str(each.get("match")) for each in i["spec"].get("http") or ()))
    if routes is None:
        return False
    spec = plan.edit(routes)["spec"]
    spec["http"] = [each for each in spec["http"] if "headers" in str(each.get("match"))]
    return True


@TABLE.mutation("P04", "a version that has a share of the calls does not run")
def version_does_not_run(plan: Plan) -> bool:
    for rule in plan.records("DestinationRule", where=lambda i: any(each.get("labels") for each in i["spec"].get("subsets") or ())):
        wanted = {"app": name(rule["inputs"]), **rule["inputs"]["spec"]["subsets"][0]["labels"]}
        place = namespace(rule["inputs"])
        workloads = [
            each
            for each in plan.records("Deployment", where=lambda i, p=place: namespace(i) == p)
            if wanted.items() <= pod_labels(each["inputs"]).items()
        ]
        for each in workloads:  # one for each zone
            plan.remove(each)
        if workloads:
            return True
    return False


@TABLE.mutation("P04", "a version is for a label that no pod has")
def version_of_nobody(plan: Plan) -> bool:
    rule = plan.app("DestinationRule", where=lambda i: any(each.get("labels") for each in i["spec"].get("subsets") or ()))
    if rule is None:
        return False
    plan.edit(rule)["spec"]["subsets"][0]["labels"] = {"version": MARKER}
    return True


@TABLE.mutation("P04", "the kinds of objects that istiod reads are not installed")
def types_of_istio_removed(plan: Plan) -> bool:
    if (release := plan.release("base")) is None:
        return False
    plan.remove(release)
    return True


@TABLE.mutation("K10", "no proxy may connect to istiod, of which no policy speaks")
def network_policy_of_istiod_removed(plan: Plan) -> bool:
    policy = plan.first("NetworkPolicy", where=lambda i: "istiod" in str(i["spec"].get("podSelector")))
    if policy is None:
        return False
    plan.remove(policy)
    return True


def _without_port(plan: Plan, closed: Callable[[Any], bool]) -> bool:
    policy = plan.app("NetworkPolicy", where=lambda i: bool(i["spec"].get("podSelector")) and bool(i["spec"].get("egress")))
    if policy is None:
        return False
    spec = plan.edit(policy)["spec"]
    before = len(spec["egress"])
    spec["egress"] = [rule for rule in spec["egress"] if not any(closed(port["port"]) for port in rule["ports"])]
    return len(spec["egress"]) < before


@TABLE.mutation("K10", "a service's proxy may not connect to istiod")
def istiod_is_out_of_reach(plan: Plan) -> bool:
    return _without_port(plan, lambda port: port == 15012)


@TABLE.mutation("K10", "a service's proxy may not ask for names")
def names_are_out_of_reach(plan: Plan) -> bool:
    return _without_port(plan, lambda port: port == 53)
