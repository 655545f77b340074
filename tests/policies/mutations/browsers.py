"""The gateway tells browsers something else than the topology says, or lets their preflights on."""

import copy
from collections.abc import Callable
from typing import Any

from tests.policies.mutations.gateway_edits import Inputs, change_first, change_plugin
from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import Plan

TABLE = Table(Family.GATEWAY)

KONG_NAMES = {
    "allowOrigins": "origins",
    "allowMethods": "methods",
    "allowHeaders": "headers",
    "exposeHeaders": "exposed_headers",
    "allowCredentials": "credentials",
    "maxAge": "max_age",
}
"""What Kong calls the fields of Envoy Gateway's `cors`."""


def _speaks(inputs: Any) -> bool:
    return "cors" in inputs["spec"]


def _is_preflight(inputs: Any) -> bool:
    return _speaks(inputs) and inputs["metadata"]["name"].endswith(".preflight")


def _say(plan: Plan, **said: Any) -> bool:
    """Change what browsers are told at one place."""
    if plan.is_kong():
        return change_plugin(plan, "cors", lambda i: i["config"].update({KONG_NAMES[name]: value for name, value in said.items()}))
    return change_first(plan, "SecurityPolicy", lambda i: i["spec"]["cors"].update(said), _speaks)


@TABLE.mutation("A15", "scripts of every page may read answers")
def cors_for_every_origin(plan: Plan) -> bool:
    return _say(plan, allowOrigins=["*"])


@TABLE.mutation("A15", "scripts of whoever gets a subdomain may read answers")
def cors_for_subdomains(plan: Plan) -> bool:
    return _say(plan, allowOrigins=[r"https://.*\.example\.com" if plan.is_kong() else "https://*.example.com"])


@TABLE.mutation("A15", "scripts of another origin may read answers")
def cors_for_another_origin(plan: Plan) -> bool:
    return _say(plan, allowOrigins=["https://app.example.com", "https://elsewhere.example"])


@TABLE.mutation("A15", "browsers send cookies along")
def cors_with_cookies(plan: Plan) -> bool:
    return _say(plan, allowCredentials=True)


@TABLE.mutation("A15", "scripts may use another method")
def cors_with_another_method(plan: Plan) -> bool:
    return _say(plan, allowMethods=["GET", "DELETE"])


@TABLE.mutation("A15", "scripts may set another header")
def cors_with_another_header(plan: Plan) -> bool:
    return _say(plan, allowHeaders=["authorization", "x-elsewhere"])


@TABLE.mutation("A15", "scripts may read another header")
def cors_shows_another_header(plan: Plan) -> bool:
    return _say(plan, exposeHeaders=["x-elsewhere"])


@TABLE.mutation("A15", "browsers ask once a year")
def cors_kept_long(plan: Plan) -> bool:
    return _say(plan, maxAge=31536000 if plan.is_kong() else "8760h")


@TABLE.mutation("A15", "a door that names no policy speaks to browsers")
def cors_at_another_door(plan: Plan) -> bool:
    if plan.is_kong():
        named = next((i["metadata"]["name"] for i in map(_inputs, plan.resources) if i.get("plugin") == "cors"), None)
        return named is not None and change_first(
            plan,
            "HTTPRoute",
            lambda i: _add_plugin(i, named),
            lambda i: ".cors" not in i["metadata"]["annotations"]["konghq.com/plugins"],
        )
    said = {"allowOrigins": ["https://app.example.com"], "allowMethods": ["GET"]}
    closed = "jwt", "apiKeyAuth"
    return change_first(
        plan,
        "SecurityPolicy",
        lambda i: i["spec"].update(cors=said),
        lambda i: not _speaks(i) and any(each in i["spec"] for each in closed),
    )


@TABLE.mutation("A15", "OPTIONS requests that are no preflights go on to the mesh")
def options_go_on(plan: Plan) -> bool:
    if plan.is_kong():
        return change_first(plan, "HTTPRoute", _goes_on, lambda i: i["metadata"]["name"].endswith(".preflight"))
    return change_first(plan, "SecurityPolicy", lambda i: i["spec"].update(authorization={"defaultAction": "Allow"}), _is_preflight)


@TABLE.mutation("A15", "preflights are answered for paths of another door, or of none")
def preflights_answered_elsewhere(plan: Plan) -> bool:
    match = {"method": "OPTIONS", "path": {"type": "Exact", "value": "/elsewhere"}}
    return _at_preflights(plan, lambda rule: rule["matches"].append(match))


@TABLE.mutation("A15", "a route for preflights does something else besides")
def preflights_do_more(plan: Plan) -> bool:
    said = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["server"]}}
    return _at_preflights(plan, lambda rule: rule.update(filters=[said]))


@TABLE.mutation("A15", "a route for preflights leads nowhere, and leaves them unanswered")
def preflights_lead_nowhere(plan: Plan) -> bool:
    return _at_preflights(plan, lambda rule: rule.pop("backendRefs"))


@TABLE.mutation("A15", "two plugins speak to browsers, and Kong heeds one")
def two_speak_to_browsers(plan: Plan) -> bool:
    record = plan.first("KongPlugin", where=lambda i: i["plugin"] == "cors")
    if record is None:
        return False
    more = copy.deepcopy(record)
    more["urn"] += ".more"
    inputs = _inputs(more)
    inputs["metadata"]["name"] += ".more"
    inputs["config"]["origins"] = ["*"]
    plan.resources.append(more)
    return change_first(
        plan, "HTTPRoute", lambda i: _add_plugin(i, inputs["metadata"]["name"]), lambda i: i["metadata"]["name"].endswith(".preflight")
    )


@TABLE.mutation("W13", "nothing tells caches that answers differ by origin")
def vary_forgotten(plan: Plan) -> bool:
    return _varying(plan, lambda change: change.pop("add"))


@TABLE.mutation("W13", "Origin takes the place of what a service says its answers differ by")
def vary_overwritten(plan: Plan) -> bool:
    return _varying(plan, lambda change: change.update(set=change.pop("add")))


@TABLE.mutation("A15", "the policy that holds preflights back is gone")
def preflight_policy_removed(plan: Plan) -> bool:
    record = plan.first("SecurityPolicy", where=_is_preflight)
    if record is None:
        return False
    plan.resources.remove(record)
    return True


@TABLE.mutation("A15", "what services say to browsers gets out")
def services_speak_to_browsers(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        inputs["spec"]["http"][0]["headers"].pop("response")

    return change_first(plan, "VirtualService", change, lambda i: any("response" in route.get("headers", {}) for route in _routes(i)[:1]))


@TABLE.mutation("A15", "the mesh speaks to browsers")
def mesh_speaks_to_browsers(plan: Plan) -> bool:
    policy = {"allowOrigins": [{"exact": "https://elsewhere.example"}]}
    return change_first(plan, "VirtualService", lambda i: i["spec"]["http"][0].update(corsPolicy=policy), lambda i: bool(_routes(i)))


def _routes(inputs: Inputs) -> list[Inputs]:
    return inputs["spec"].get("http") or []


def _at_preflights(plan: Plan, change: Callable[[Inputs], object]) -> bool:
    """Change the first rule of a route for preflights."""
    return change_first(plan, "HTTPRoute", lambda i: change(i["spec"]["rules"][0]), lambda i: i["metadata"]["name"].endswith(".preflight"))


def _varying(plan: Plan, change: Callable[[Inputs], object]) -> bool:
    """Change how a route says that its answers differ by origin; False where the gateway says it by itself."""

    def said(inputs: Inputs) -> Inputs | None:
        filters: list[Inputs] = inputs["spec"]["rules"][0].get("filters", [])
        edits: list[Inputs] = [each["responseHeaderModifier"] for each in filters if "responseHeaderModifier" in each]
        return next((each for each in edits if "vary" in str(each.get("add"))), None)

    return change_first(plan, "HTTPRoute", lambda i: change(said(i) or {}), lambda i: said(i) is not None)


def _inputs(record: Any) -> Any:
    return record["inputs"]


def _add_plugin(inputs: Inputs, name: str) -> None:
    annotations = inputs["metadata"]["annotations"]
    annotations["konghq.com/plugins"] += f",{name}"


def _goes_on(inputs: Inputs) -> None:
    annotations = inputs["metadata"]["annotations"]
    annotations["konghq.com/plugins"] = annotations["konghq.com/plugins"].partition(",")[0]
