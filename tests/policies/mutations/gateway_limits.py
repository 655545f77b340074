"""The API gateway bounds less than its doors say: how often, how large, how long."""

from collections.abc import Callable

from tests.policies.mutations.gateway_edits import Inputs, annotate, change_first, change_plugin
from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan

TABLE = Table(Family.GATEWAY)


@TABLE.mutation("A11", "the gateway's limit is one that nobody reaches")
def limit_without_meaning(plan: Plan) -> bool:
    if plan.is_kong():
        return change_plugin(plan, "rate-limiting", lambda i: i["config"].update(minute=10**9))

    def change(inputs: Inputs) -> None:
        for scope in inputs["spec"]["rateLimit"].values():
            for rule in scope["rules"]:
                rule["limit"]["requests"] = 10**9

    return change_first(plan, "BackendTrafficPolicy", change, lambda i: "rateLimit" in i["spec"])


@TABLE.mutation("A11", "the gateway counts by what clients choose")
def limit_by_the_clients_word(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        for rule in inputs["spec"]["rateLimit"]["local"]["rules"]:
            rule["clientSelectors"] = [{"headers": [{"name": "user-agent", "type": "Distinct"}]}]

    return change_first(plan, "BackendTrafficPolicy", change, lambda i: "local" in i["spec"].get("rateLimit", {}))


@TABLE.mutation("A11", "the gateway bears hours of silence")
def kong_waits_for_hours(plan: Plan) -> bool:
    return annotate(plan, "Service", "konghq.com/read-timeout", "86400000")


def _wait(plan: Plan, **timeouts: str) -> bool:
    return change_first(
        plan, "HTTPRoute", lambda i: i["spec"]["rules"][0].update(timeouts=timeouts), lambda i: "timeouts" in i["spec"]["rules"][0]
    )


@TABLE.mutation("A11", "the gateway waits for answers without end")
def route_waits_without_end(plan: Plan) -> bool:
    return _wait(plan, request="0s")


@TABLE.mutation("A11", "the gateway waits for the service without end")
def route_waits_for_the_backend_without_end(plan: Plan) -> bool:
    return _wait(plan, backendRequest="0s")


@TABLE.mutation("A11", "the gateway waits for answers longer than the door says")
def route_waits_longer_than_its_door(plan: Plan) -> bool:
    return _wait(plan, request="24h")


@TABLE.mutation("A11", "a policy makes the gateway wait without end")
def policy_waits_without_end(plan: Plan) -> bool:
    return change_first(plan, "BackendTrafficPolicy", lambda i: i["spec"].update(timeout={"http": {"requestTimeout": "0s"}}))


@TABLE.mutation("A11", "a plugin takes larger requests than the door")
def kong_takes_larger_requests(plan: Plan) -> bool:
    return change_plugin(plan, "request-size-limiting", lambda i: i["config"].update(allowed_payload_size=10**12))


@TABLE.mutation("A11", "a policy takes larger requests than the door")
def policy_takes_larger_requests(plan: Plan) -> bool:
    return change_first(
        plan, "BackendTrafficPolicy", lambda i: i["spec"]["requestBuffer"].update(limit="1Gi"), lambda i: "requestBuffer" in i["spec"]
    )


@TABLE.mutation("A11", "nothing says how long Kong waits for answers")
def kong_waits_as_it_likes(plan: Plan) -> bool:
    if not plan.is_kong():
        return False
    return change_first(plan, "HTTPRoute", lambda i: i["spec"]["rules"][0].pop("timeouts"), lambda i: "timeouts" in i["spec"]["rules"][0])


@TABLE.mutation("A11", "Kong is told how long a request may take by a field that it does not read")
def kong_waits_by_a_field_that_it_ignores(plan: Plan) -> bool:
    if not plan.is_kong():
        return False
    return change_first(
        plan,
        "HTTPRoute",
        lambda i: i["spec"]["rules"][0]["timeouts"].pop("backendRequest"),
        lambda i: "backendRequest" in i["spec"]["rules"][0].get("timeouts", {}),
    )


def _counted_by_regex(plan: Plan, change: Callable[[list[Inputs]], object]) -> bool:
    def edit(inputs: Inputs) -> None:
        for rule in inputs["spec"]["rateLimit"]["global"]["rules"]:
            for selector in rule["clientSelectors"]:
                change(selector["headers"])

    return change_first(
        plan, "BackendTrafficPolicy", edit, lambda i: "RegularExpression" in str(i["spec"].get("rateLimit", {}).get("global"))
    )


@TABLE.mutation("A11", "the gateway counts only requests whose owner is nobody")
def limit_of_nobody(plan: Plan) -> bool:
    return _counted_by_regex(plan, lambda headers: headers[-1].pop("type"))


@TABLE.mutation("A11", "a consumer falls under no limit of its door")
def consumer_without_limit(plan: Plan) -> bool:
    return _counted_by_regex(plan, lambda headers: headers[0].update(value=f"^({MARKER})$"))
