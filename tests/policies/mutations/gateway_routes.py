"""A route of the API gateway, or a plugin on it, does something else than lead to its door's service."""

import copy
from collections.abc import Callable

from tests.policies.mutations.gateway_edits import Inputs, annotate, change_first, change_plugin
from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, manifest, namespace

TABLE = Table(Family.GATEWAY)


def _route_more(plan: Plan, rule: Callable[[Inputs], Inputs]) -> bool:
    route = plan.first("HTTPRoute")
    if route is None:
        return False
    spec = copy.deepcopy(route["inputs"]["spec"])
    spec["rules"] = [rule(spec["rules"][0])]
    plan.add(manifest("gateway.networking.k8s.io/v1", "HTTPRoute", MARKER, namespace(route["inputs"]), spec=spec))
    return True


@TABLE.mutation("A14", "a route sends clients to another host")
def route_redirects(plan: Plan) -> bool:
    def redirecting(rule: Inputs) -> Inputs:
        return {"matches": rule["matches"], "filters": [{"type": "RequestRedirect", "requestRedirect": {"hostname": "elsewhere.example"}}]}

    return _route_more(plan, redirecting)


@TABLE.mutation("A14", "a route answers other origins' scripts")
def route_answers_other_origins(plan: Plan) -> bool:
    cors = {"type": "CORS", "cors": {"allowOrigins": ["*"], "allowCredentials": True}}
    return change_first(plan, "HTTPRoute", lambda i: i["spec"]["rules"][0].setdefault("filters", []).append(cors))


@TABLE.mutation("A14", "a route changes the host of requests by a header")
def route_writes_the_host(plan: Plan) -> bool:
    edit = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "host", "value": "elsewhere.example"}]}}
    return change_first(plan, "HTTPRoute", lambda i: i["spec"]["rules"][0].setdefault("filters", []).append(edit))


@TABLE.mutation("A14", "code runs on every request")
def code_on_every_request(plan: Plan) -> bool:
    if not plan.is_kong():
        return False
    labels = {"global": "true"}
    plugin = {"apiVersion": "configuration.konghq.com/v1", "kind": "KongClusterPlugin", "metadata": {"name": MARKER, "labels": labels}}
    plan.add({**plugin, "plugin": "pre-function", "config": {"access": ["return"]}})
    return True


@TABLE.mutation("A14", "a route is closed only for requests that say so")
def closed_by_request(plan: Plan) -> bool:
    if not plan.is_kong():
        return False
    plugin = manifest("configuration.konghq.com/v1", "KongPlugin", MARKER, "gateway", plugin="request-termination")
    plan.add({**plugin, "config": {"status_code": 404, "trigger": "x-closed"}})
    return True


@TABLE.mutation("A14", "requests with the method OPTIONS need no key")
def preflight_without_key(plan: Plan) -> bool:
    return change_plugin(plan, "key-auth", lambda i: i["config"].update(run_on_preflight=False))


@TABLE.mutation("A14", "an API key may stand in the address")
def key_in_the_query(plan: Plan) -> bool:
    return change_plugin(plan, "key-auth", lambda i: i["config"].update(key_in_query=True))


@TABLE.mutation("A14", "a plugin runs before the one that asks who the client is")
def plugin_reordered(plan: Plan) -> bool:
    return change_plugin(plan, "rate-limiting", lambda i: i.update(ordering={"before": {"access": ["key-auth"]}}))


@TABLE.mutation("A14", "settings of a plugin come from a Secret")
def settings_from_a_secret(plan: Plan) -> bool:
    return change_plugin(plan, "rate-limiting", lambda i: i.update(configFrom={"secretKeyRef": {"name": MARKER, "key": "config"}}))


@TABLE.mutation("A14", "Kong counts by a header")
def kong_counts_by_a_header(plan: Plan) -> bool:
    return change_plugin(plan, "rate-limiting", lambda i: i["config"].update(limit_by="header", header_name="user-agent"))


@TABLE.mutation("A14", "an annotation rewrites the path of a route")
def annotation_rewrites(plan: Plan) -> bool:
    return annotate(plan, "HTTPRoute", "konghq.com/rewrite", "/admin")


@TABLE.mutation("A14", "an annotation puts a path before every other")
def annotation_of_a_service(plan: Plan) -> bool:
    return annotate(plan, "Service", "konghq.com/path", "/admin")


@TABLE.mutation("A14", "a route takes Strict-Transport-Security out of answers")
def transport_security_taken_out(plan: Plan) -> bool:
    edit = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["Strict-Transport-Security"]}}
    return change_first(plan, "HTTPRoute", lambda i: i["spec"]["rules"][0].setdefault("filters", []).append(edit))


@TABLE.mutation("A14", "a plugin writes another Content-Security-Policy into answers")
def kong_writes_a_security_header(plan: Plan) -> bool:
    if not plan.is_kong() or (route := plan.first("HTTPRoute", where=lambda i: "konghq.com/plugins" in str(i["metadata"]))) is None:
        return False
    config = {"replace": {"headers": ["Content-Security-Policy:default-src *"]}}
    place = namespace(route["inputs"])
    plan.add(manifest("configuration.konghq.com/v1", "KongPlugin", MARKER, place, plugin="response-transformer", config=config))
    plan.edit(route)["metadata"]["annotations"]["konghq.com/plugins"] += f",{MARKER}"
    return True


@TABLE.mutation("A14", "Kong tries again without a bound that somebody reviewed")
def kong_tries_again_without_end(plan: Plan) -> bool:
    return annotate(plan, "Service", "konghq.com/retries", "32767")
