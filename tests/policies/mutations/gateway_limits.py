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


def _global_rules(plan: Plan, change: Callable[[Inputs], object]) -> bool:
    """Change each limit of the first policy that counts once for all instances."""

    def edit(inputs: Inputs) -> None:
        for rule in inputs["spec"]["rateLimit"]["global"]["rules"]:
            change(rule)

    return change_first(plan, "BackendTrafficPolicy", edit, lambda i: "global" in i["spec"].get("rateLimit", {}))


@TABLE.mutation("A11", "each path of a door has a count of its own")
def limit_for_each_route(plan: Plan) -> bool:
    return _global_rules(plan, lambda rule: rule.update(shared=False))


@TABLE.mutation("A11", "each proxy counts by itself what the topology counts once")
def limit_for_each_proxy(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        limits = inputs["spec"]["rateLimit"]
        rules = limits.pop("global")["rules"]
        for rule in rules:
            rule.pop("shared")
        limits["local"] = {"rules": [*limits.get("local", {}).get("rules", []), *rules]}

    return change_first(plan, "BackendTrafficPolicy", change, lambda i: "global" in i["spec"].get("rateLimit", {}))


@TABLE.mutation("A11", "each proxy of Kong counts by itself what the topology counts once")
def kong_counts_for_each_proxy(plan: Plan) -> bool:
    return change_first(
        plan, "KongPlugin", lambda i: i["config"].update(policy="local"), lambda i: i.get("config", {}).get("policy") == "redis"
    )


def _last_limit(plan: Plan, change: Callable[[list[Inputs]], object]) -> bool:
    """Change the limits of the first policy that has several."""

    def limits(inputs: Inputs) -> list[list[Inputs]]:
        return [scope["rules"] for scope in inputs["spec"].get("rateLimit", {}).values() if len(scope["rules"]) > 1]

    return change_first(plan, "BackendTrafficPolicy", lambda i: change(limits(i)[0]), lambda i: bool(limits(i)))


@TABLE.mutation("A11", "one of the limits of a door is gone")
def one_limit_of_several_gone(plan: Plan) -> bool:
    return _last_limit(plan, lambda rules: rules.pop())


@TABLE.mutation("A11", "one of the limits of a door is wider than the tier")
def one_limit_of_several_wider(plan: Plan) -> bool:
    return _last_limit(plan, lambda rules: rules[-1]["limit"].update(requests=rules[-1]["limit"]["requests"] + 1))


@TABLE.mutation("A11", "clients of one tier are limited like those of another")
def tiers_exchanged(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        for scope in inputs["spec"]["rateLimit"].values():
            told = [rule["clientSelectors"][0]["headers"][0] for rule in scope["rules"]]
            for header, value in zip(told, reversed([header["value"] for header in told]), strict=True):
                header["value"] = value

    return change_first(plan, "BackendTrafficPolicy", change, lambda i: str(i["spec"].get("rateLimit")).count("'Exact'") > 1)


@TABLE.mutation("A11", "a client is counted anew for each of its addresses")
def limit_for_each_address(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        for scope in inputs["spec"]["rateLimit"].values():
            for rule in scope["rules"]:
                rule["clientSelectors"][0]["sourceCIDR"] = {"type": "Distinct", "value": "0.0.0.0/0"}

    return change_first(
        plan, "BackendTrafficPolicy", change, lambda i: "'Distinct'" in str(i["spec"].get("rateLimit")) and "'headers'" in str(i["spec"])
    )
