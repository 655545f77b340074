"""What a door says of headers, kept answers and versions, and what calls say of tries and faults, is dropped or changed on the way."""

import re
from collections.abc import Callable
from typing import Any

from tests.policies.mutations.gateway_edits import Inputs, change_first, change_plugin
from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import Plan

TABLE = Table(Family.GATEWAY)


def _filter(plan: Plan, kind: str, change: Callable[[dict[str, Any]], object], removed: str = "") -> bool:
    """Change the first filter of a type on the routes of the gateway that removes something, or this header."""
    key = kind[0].lower() + kind[1:]
    for record in plan.records("HTTPRoute"):
        for number, rule in enumerate(record["inputs"]["spec"]["rules"]):
            for position, each in enumerate(rule.get("filters") or ()):
                if each["type"] == kind and "remove" in each[key] and (not removed or removed in each[key]["remove"]):
                    change(plan.edit(record)["spec"]["rules"][number]["filters"][position][key])
                    return True
    return False


def _plug(plan: Plan, plugin: str, config: dict[str, Any]) -> bool:
    """Add a plugin of Kong to the first route that asks for a credential."""
    if not plan.is_kong():
        return False
    manifest = {"apiVersion": "configuration.konghq.com/v1", "kind": "KongPlugin", "plugin": plugin, "config": config}
    route = plan.first("HTTPRoute", where=lambda i: re.search(r"\b(key|token)\b", str(i["metadata"].get("annotations"))) is not None)
    if route is None:
        return False
    notes = plan.edit(route)["metadata"]["annotations"]
    notes["konghq.com/plugins"] += ", more"
    plan.add({**manifest, "metadata": {"name": "more", "namespace": route["inputs"]["metadata"]["namespace"]}})
    return True


def _edge(plan: Plan, pattern: str, other: str) -> bool:
    found = plan.edge_files(pattern)
    if found is None:
        return False
    plan.replace_text(*found, pattern, other)
    return True


def _calls(plan: Plan, change: Callable[[dict[str, Any]], object], where: str = "timeout") -> bool:
    """Change the last route of a VirtualService between services of which that stands somewhere."""
    record = plan.app("VirtualService", where=lambda i: where in str(i["spec"].get("http")))
    if record is not None:
        change(plan.edit(record)["spec"]["http"][-1])
    return record is not None


@TABLE.mutation("W13", "answers keep the headers that their door takes out")
def answers_keep_headers(plan: Plan) -> bool:
    return _filter(plan, "ResponseHeaderModifier", lambda change: change.pop("remove"))


@TABLE.mutation("W13", "answers say what no door says")
def answers_say_more(plan: Plan) -> bool:
    if plan.is_kong():
        return _plug(plan, "response-transformer", {"add": {"headers": ["x-said:more"]}})
    said = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"set": [{"name": "x-said", "value": "more"}]}}
    return change_first(
        plan,
        "HTTPRoute",
        lambda i: i["spec"]["rules"][0].setdefault("filters", []).append(said),
        lambda i: not i["metadata"]["name"].endswith(".preflight"),  # whose answers no service gives
    )


@TABLE.mutation("A07", "requests say what no door says, and a service believes it")
def requests_say_more(plan: Plan) -> bool:
    if plan.is_kong():
        return change_plugin(
            plan, "request-transformer", lambda i: i["config"].setdefault("add", {"headers": []})["headers"].append("x-said:more")
        )
    return _filter(plan, "RequestHeaderModifier", lambda change: change.setdefault("set", []).append({"name": "x-said", "value": "more"}))


def _has_keys(plan: Plan) -> bool:
    """Say whether a door asks for an API key."""
    policy = plan.first("SecurityPolicy", where=lambda i: "apiKeyAuth" in i["spec"])
    return (policy or plan.first("KongPlugin", where=lambda i: i["plugin"] == "key-auth")) is not None


def _keep(plan: Plan, header: str) -> bool:
    """Have a gateway pass on what it took out of requests."""

    def removed(inputs: Inputs) -> list[str]:
        return inputs["config"].get("remove", {}).get("headers", [])

    if plan.is_kong():
        return change_first(plan, "KongPlugin", lambda i: removed(i).remove(header), lambda i: header in removed(i))
    return _filter(plan, "RequestHeaderModifier", lambda edits: edits["remove"].remove(header), header)


@TABLE.mutation("A07", "an API key goes on to services")
def key_goes_on(plan: Plan) -> bool:
    for record in plan.records("SecurityPolicy"):
        if lock := plan.edit(record)["spec"].get("apiKeyAuth"):
            lock.pop("sanitize", None)
    for record in plan.records("KongPlugin"):
        if record["inputs"]["plugin"] == "key-auth":
            plan.edit(record)["config"]["hide_credentials"] = False
    return _has_keys(plan) and _keep(plan, "x-api-key")


@TABLE.mutation("A07", "a token that nobody asked for goes on to services")
def token_goes_on(plan: Plan) -> bool:
    return _keep(plan, "authorization")


@TABLE.mutation("W09", "answers of a public door are kept for a day")
def answers_kept_for_a_day(plan: Plan) -> bool:
    return _edge(plan, r"(?<=proxy_cache_valid 200 )\d+s", "1d")


@TABLE.mutation("W09", "answers are kept in the language of whoever came first")
def answers_kept_in_one_language(plan: Plan) -> bool:
    return _edge(plan, r" \$http_accept_language", "")


@TABLE.mutation("W09", "an answer that is kept for one origin is given to another")
def answers_kept_for_every_origin(plan: Plan) -> bool:
    return _edge(plan, r" \$http_origin", "")


@TABLE.mutation("A06", "answers to a credential are kept, and no cache is declared")
def answers_kept_by_kong(plan: Plan) -> bool:
    return _plug(plan, "proxy-cache", {"strategy": "memory", "request_method": ["GET"], "cache_ttl": 60})


@TABLE.mutation("B01", "a version of an API is chosen by another header than the topology says")
def another_version_asked(plan: Plan) -> bool:
    def change(inputs: dict[str, Any]) -> None:
        for rule in inputs["spec"]["rules"]:
            for match in rule["matches"]:
                match["headers"][0]["value"] = "v9"

    return change_first(plan, "HTTPRoute", change, lambda i: bool(i["spec"]["rules"][0]["matches"][0].get("headers")))


@TABLE.mutation("M26", "calls that the service has begun to work on are tried again")
def calls_repeat_after_any_failure(plan: Plan) -> bool:
    return _calls(plan, lambda route: route["retries"].update(retryOn="5xx,reset"), "perTryTimeout")


@TABLE.mutation("M26", "each try may last for an hour")
def tries_last_an_hour(plan: Plan) -> bool:
    return _calls(plan, lambda route: route["retries"].update(perTryTimeout="1h"), "perTryTimeout")


@TABLE.mutation("M26", "half of the calls fail on purpose, and nobody said so")
def calls_fail_whoever_makes_them(plan: Plan) -> bool:
    return _calls(plan, lambda route: route.update(fault={"abort": {"httpStatus": 503, "percentage": {"value": 50}}}))


@TABLE.mutation("P04", "pods say that they run in another datacenter")
def pods_say_elsewhere(plan: Plan) -> bool:
    label = "topology.istio.io/locality"

    def change(inputs: dict[str, Any]) -> None:
        inputs["spec"]["template"]["metadata"]["labels"][label] = "elsewhere.dc9"

    return change_first(plan, "Deployment", change, lambda i: label in i["spec"]["template"]["metadata"].get("labels", {}))


@TABLE.mutation("K13", "a service may write where its program lies")
def programs_may_be_written(plan: Plan) -> bool:
    def change(inputs: dict[str, Any]) -> None:
        container = inputs["spec"]["template"]["spec"]["containers"][0]
        container["volumeMounts"].append({"name": container["volumeMounts"][0]["name"], "mountPath": "/app"})

    return change_first(plan, "Deployment", change, lambda i: "examples-bookinfo" in str(i["spec"]["template"]["spec"]["containers"]))
