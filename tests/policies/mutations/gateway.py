"""The API gateway is told something beside its routes, or lets somebody in that a door is not for."""

import copy
from collections.abc import Callable
from typing import Any

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, Record, manifest, namespace

TABLE = Table(Family.GATEWAY)

Inputs = dict[str, Any]


def _edit(plan: Plan, kind: str, change: Callable[[Inputs], object], where: Callable[[Any], bool] = lambda _: True) -> bool:
    record = plan.first(kind, where=where)
    if record is None:
        return False
    change(plan.edit(record))
    return True


def _plugin(plan: Plan, called: str, change: Callable[[Inputs], object]) -> bool:
    return _edit(plan, "KongPlugin", change, lambda i: i.get("plugin") == called)


def _annotate(plan: Plan, kind: str, key: str, value: str) -> bool:
    if not plan.is_kong():
        return False
    return _edit(
        plan,
        kind,
        lambda i: i["metadata"].setdefault("annotations", {}).update({key: value}),
        lambda i: "konghq.com/" in str(i["metadata"]),
    )


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
    return _edit(plan, "HTTPRoute", lambda i: i["spec"]["rules"][0].setdefault("filters", []).append(cors))


@TABLE.mutation("A14", "a route changes the host of requests by a header")
def route_writes_the_host(plan: Plan) -> bool:
    edit = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "host", "value": "elsewhere.example"}]}}
    return _edit(plan, "HTTPRoute", lambda i: i["spec"]["rules"][0].setdefault("filters", []).append(edit))


@TABLE.mutation("A14", "the gateway believes a PROXY header")
def proxy_protocol(plan: Plan) -> bool:
    return _edit(plan, "ClientTrafficPolicy", lambda i: i["spec"].update(enableProxyProtocol=True))


@TABLE.mutation("A14", "the gateway believes several addresses in front of it")
def more_trusted_hops(plan: Plan) -> bool:
    return _edit(plan, "ClientTrafficPolicy", lambda i: i["spec"]["clientIPDetection"]["xForwardedFor"].update(numTrustedHops=5))


@TABLE.mutation("A14", "the gateway answers in the services' place")
def answers_replaced(plan: Plan) -> bool:
    override = [{"match": {"statusCodes": [{"type": "Value", "value": 401}]}, "response": {"statusCode": 200}}]
    return _edit(plan, "BackendTrafficPolicy", lambda i: i["spec"].update(responseOverride=override))


@TABLE.mutation("A14", "a token may choose the route anew")
def route_chosen_anew(plan: Plan) -> bool:
    return _edit(
        plan,
        "SecurityPolicy",
        lambda i: i["spec"]["jwt"]["providers"][0].update(recomputeRoute=True),
        lambda i: "jwt" in i["spec"],
    )


@TABLE.mutation("A14", "keys of tokens are fetched from a backend of the program")
def keys_from_a_backend(plan: Plan) -> bool:
    return _edit(
        plan,
        "SecurityPolicy",
        lambda i: i["spec"]["jwt"]["providers"][0]["remoteJWKS"].update(backendRefs=[{"name": MARKER, "port": 443}]),
        lambda i: "jwt" in i["spec"],
    )


@TABLE.mutation("A14", "the gateway's filters run in another order")
def filters_reordered(plan: Plan) -> bool:
    order = [{"name": "envoy.filters.http.jwt_authn", "after": "envoy.filters.http.router"}]
    return _edit(plan, "EnvoyProxy", lambda i: i["spec"].update(filterOrder=order))


@TABLE.mutation("A14", "the gateway's proxies run another image")
def another_proxy_image(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        inputs["spec"]["provider"]["kubernetes"]["envoyDeployment"]["container"]["image"] = "images.example/envoy:1"

    return _edit(plan, "EnvoyProxy", change)


@TABLE.mutation("A14", "the gateway logs tokens")
def gateway_logs_tokens(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        inputs["spec"]["telemetry"]["accessLog"]["settings"][0]["format"]["json"]["shown"] = "%REQ(authorization)%"

    return _edit(plan, "EnvoyProxy", change)


@TABLE.mutation("A14", "the gateway's HTTP/3 port")
def http_3(plan: Plan) -> bool:
    return _edit(plan, "ClientTrafficPolicy", lambda i: i["spec"].update(http3={}))


@TABLE.mutation("A14", "other namespaces may add listeners")
def foreign_listeners(plan: Plan) -> bool:
    if (gateway := plan.gateway()) is None:
        return False
    plan.edit(gateway)["spec"]["allowedListeners"] = {"namespaces": {"from": "All"}}
    return True


@TABLE.mutation("A02", "the gateway takes any certificate of the authority")
def any_identity_of_the_authority(plan: Plan) -> bool:
    return _edit(plan, "ClientTrafficPolicy", lambda i: i["spec"]["tls"]["clientValidation"].pop("subjectAltNames"))


@TABLE.mutation("A02", "the gateway takes its own certificate from its clients")
def another_identity(plan: Plan) -> bool:
    other = {"type": "Exact", "value": "spiffe://boundary/ns/gateway/sa/gateway"}
    return _edit(plan, "ClientTrafficPolicy", lambda i: i["spec"]["tls"]["clientValidation"]["subjectAltNames"]["uris"].append(other))


@TABLE.mutation("A06", "a door takes the keys of another door's consumers")
def keys_of_other_consumers(plan: Plan) -> bool:
    policies = list(plan.records("SecurityPolicy", where=lambda i: "apiKeyAuth" in i["spec"]))
    for policy in policies:
        own = _keys(policy)
        for other in policies:
            if more := [ref for ref in other["inputs"]["spec"]["apiKeyAuth"]["credentialRefs"] if ref["name"] not in own]:
                plan.edit(policy)["spec"]["apiKeyAuth"]["credentialRefs"] += copy.deepcopy(more)
                return True
    return False


def _keys(policy: Record) -> set[str]:
    return {ref["name"] for ref in policy["inputs"]["spec"]["apiKeyAuth"]["credentialRefs"]}


@TABLE.mutation("A06", "a door takes a key of somebody whom the topology does not know")
def key_of_a_stranger(plan: Plan) -> bool:
    policy = plan.first("SecurityPolicy", where=lambda i: "apiKeyAuth" in i["spec"])
    if policy is None:
        return False
    plan.add(manifest("v1", "Secret", MARKER, namespace(policy["inputs"]), stringData={MARKER: "secret"}))
    plan.edit(policy)["spec"]["apiKeyAuth"]["credentialRefs"].append({"group": "", "kind": "Secret", "name": MARKER})
    return True


@TABLE.mutation("A06", "a door's list of Kong's groups names another door's group")
def group_of_another_door(plan: Plan) -> bool:
    lists = list(plan.records("KongPlugin", where=lambda i: i.get("plugin") == "acl" and "issuer" not in str(i["config"])))
    groups = {group for each in lists for group in each["inputs"]["config"]["allow"]}
    for each in lists:
        if more := sorted(groups - set(each["inputs"]["config"]["allow"])):
            plan.edit(each)["config"]["allow"] += more
            return True
    return False


@TABLE.mutation("A06", "no list says which of Kong's consumers a door is for")
def list_of_groups_disabled(plan: Plan) -> bool:
    lists = list(plan.records("KongPlugin", where=lambda i: i.get("plugin") == "acl" and "issuer" not in str(i["config"])))
    if len(lists) < 2:  # one list for all who have a key keeps nobody out
        return False
    plan.edit(min(lists, key=lambda each: len(each["inputs"]["config"]["allow"])))["disabled"] = True
    return True


@TABLE.mutation("A06", "a consumer of Kong whom the topology does not know")
def consumer_more(plan: Plan) -> bool:
    consumer = plan.first("KongConsumer", where=lambda i: "api-key" in str(i.get("credentials")))
    if consumer is None:
        return False
    place = namespace(consumer["inputs"])
    secret = manifest("v1", "Secret", MARKER, place, stringData={"key": "secret"})
    secret["metadata"]["labels"] = {"konghq.com/credential": "key-auth"}
    plan.add(secret)
    groups = [each for each in consumer["inputs"]["credentials"] if each.startswith("group.")]
    more = copy.deepcopy(consumer["inputs"])
    more["metadata"]["name"] = more["username"] = MARKER
    more["credentials"] = [MARKER, *groups]
    plan.add(more)
    return True


@TABLE.mutation("A06", "a consumer of Kong is in the group of another tier")
def consumer_in_another_group(plan: Plan) -> bool:
    consumers = list(plan.records("KongConsumer", where=lambda i: "api-key" in str(i.get("credentials"))))
    groups = {each for record in consumers for each in record["inputs"]["credentials"] if each.startswith("group.")}
    for record in consumers:
        if more := sorted(groups - set(record["inputs"]["credentials"])):
            plan.edit(record)["credentials"].append(more[0])
            return True
    return False


@TABLE.mutation("A06", "claims of tokens are not asked for")
def claims_not_asked(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        for rule in inputs["spec"]["authorization"]["rules"]:
            rule.get("principal", {}).get("jwt", {}).pop("claims", None)

    return _edit(plan, "SecurityPolicy", change, lambda i: "'claims'" in str(i["spec"].get("authorization")))


@TABLE.mutation("A06", "tokens with another claim are accepted")
def another_claim(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        for rule in inputs["spec"]["authorization"]["rules"]:
            for claim in rule.get("principal", {}).get("jwt", {}).get("claims", []):
                claim["values"].append(MARKER)

    return _edit(plan, "SecurityPolicy", change, lambda i: "'claims'" in str(i["spec"].get("authorization")))


@TABLE.mutation("A11", "the gateway's limit is one that nobody reaches")
def limit_without_meaning(plan: Plan) -> bool:
    if plan.is_kong():
        return _plugin(plan, "rate-limiting", lambda i: i["config"].update(minute=10**9))

    def change(inputs: Inputs) -> None:
        for scope in inputs["spec"]["rateLimit"].values():
            for rule in scope["rules"]:
                rule["limit"]["requests"] = 10**9

    return _edit(plan, "BackendTrafficPolicy", change, lambda i: "rateLimit" in i["spec"])


@TABLE.mutation("A11", "the gateway counts by what clients choose")
def limit_by_the_clients_word(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        for rule in inputs["spec"]["rateLimit"]["local"]["rules"]:
            rule["clientSelectors"] = [{"headers": [{"name": "user-agent", "type": "Distinct"}]}]

    return _edit(plan, "BackendTrafficPolicy", change, lambda i: "local" in i["spec"].get("rateLimit", {}))


@TABLE.mutation("A07", "a door of one tier names another")
def another_tier_named(plan: Plan) -> bool:
    doors = [
        route
        for route in plan.records("HTTPRoute")
        if "x-perimeter-tier" in str([each for rule in route["inputs"]["spec"]["rules"] for each in rule.get("filters") or ()])
    ]
    for route in doors:
        for rule in plan.edit(route)["spec"]["rules"]:
            for each in rule.get("filters") or ():
                for header in each.get("requestHeaderModifier", {}).get("set") or ():
                    if header["name"] == "x-perimeter-tier":
                        header["value"] = MARKER
                        return True
    return False


@TABLE.mutation("A10", "the proxies' statistics are on a Service")
def statistics_on_a_service(plan: Plan) -> bool:
    gateway = plan.gateway()
    place = namespace(gateway["inputs"]) if gateway else ""
    port = 8100 if plan.is_kong() else 19001
    return _edit(
        plan,
        "Service",
        lambda i: i["spec"]["ports"].append({"name": MARKER, "port": port, "targetPort": port}),
        lambda i: namespace(i) == place and bool(i["spec"].get("selector")),
    )


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
    return _plugin(plan, "key-auth", lambda i: i["config"].update(run_on_preflight=False))


@TABLE.mutation("A14", "an API key may stand in the address")
def key_in_the_query(plan: Plan) -> bool:
    return _plugin(plan, "key-auth", lambda i: i["config"].update(key_in_query=True))


@TABLE.mutation("A14", "a plugin runs before the one that asks who the client is")
def plugin_reordered(plan: Plan) -> bool:
    return _plugin(plan, "rate-limiting", lambda i: i.update(ordering={"before": {"access": ["key-auth"]}}))


@TABLE.mutation("A14", "settings of a plugin come from a Secret")
def settings_from_a_secret(plan: Plan) -> bool:
    return _plugin(plan, "rate-limiting", lambda i: i.update(configFrom={"secretKeyRef": {"name": MARKER, "key": "config"}}))


@TABLE.mutation("A14", "Kong counts by a header")
def kong_counts_by_a_header(plan: Plan) -> bool:
    return _plugin(plan, "rate-limiting", lambda i: i["config"].update(limit_by="header", header_name="user-agent"))


@TABLE.mutation("A14", "an annotation rewrites the path of a route")
def annotation_rewrites(plan: Plan) -> bool:
    return _annotate(plan, "HTTPRoute", "konghq.com/rewrite", "/admin")


@TABLE.mutation("A14", "an annotation puts a path before every other")
def annotation_of_a_service(plan: Plan) -> bool:
    return _annotate(plan, "Service", "konghq.com/path", "/admin")


@TABLE.mutation("A14", "the class of the gateway gets its options from an object that nobody sees")
def class_with_parameters_from_elsewhere(plan: Plan) -> bool:
    ref = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "namespace": "elsewhere", "name": "other"}
    return _edit(plan, "GatewayClass", lambda i: i["spec"].update(parametersRef=ref))


@TABLE.mutation("A14", "a route takes Strict-Transport-Security out of answers")
def transport_security_taken_out(plan: Plan) -> bool:
    edit = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["Strict-Transport-Security"]}}
    return _edit(plan, "HTTPRoute", lambda i: i["spec"]["rules"][0].setdefault("filters", []).append(edit))


@TABLE.mutation("A14", "a listener takes Strict-Transport-Security out of answers")
def transport_security_taken_out_by_the_listener(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        inputs["spec"].setdefault("headers", {}).setdefault("lateResponseHeaders", {})["remove"] = ["strict-transport-security"]

    return _edit(plan, "ClientTrafficPolicy", change)


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
    return _annotate(plan, "Service", "konghq.com/retries", "32767")


@TABLE.mutation("A11", "the gateway bears hours of silence")
def kong_waits_for_hours(plan: Plan) -> bool:
    return _annotate(plan, "Service", "konghq.com/read-timeout", "86400000")


def _wait(plan: Plan, **timeouts: str) -> bool:
    return _edit(
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
    return _edit(plan, "BackendTrafficPolicy", lambda i: i["spec"].update(timeout={"http": {"requestTimeout": "0s"}}))


@TABLE.mutation("A14", "a listener waits for requests without end")
def listener_waits_without_end(plan: Plan) -> bool:
    return _edit(plan, "ClientTrafficPolicy", lambda i: i["spec"].update(timeout={"http": {"requestReceivedTimeout": "0s"}}))


@TABLE.mutation("A06", "Kong checks tokens with a key that the topology does not name")
def kong_with_another_public_key(plan: Plan) -> bool:
    key = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
    return _edit(
        plan, "Secret", lambda i: i["stringData"].update(rsa_public_key=key), lambda i: "rsa_public_key" in (i.get("stringData") or {})
    )


@TABLE.mutation("A11", "a plugin takes larger requests than the door")
def kong_takes_larger_requests(plan: Plan) -> bool:
    return _plugin(plan, "request-size-limiting", lambda i: i["config"].update(allowed_payload_size=10**12))


@TABLE.mutation("A11", "a policy takes larger requests than the door")
def policy_takes_larger_requests(plan: Plan) -> bool:
    return _edit(
        plan, "BackendTrafficPolicy", lambda i: i["spec"]["requestBuffer"].update(limit="1Gi"), lambda i: "requestBuffer" in i["spec"]
    )


def _provider(plan: Plan, change: Callable[[Inputs], object]) -> bool:
    return _edit(plan, "SecurityPolicy", lambda i: change(i["spec"]["jwt"]["providers"][0]), lambda i: "jwt" in i["spec"])


@TABLE.mutation("A06", "the gateway takes tokens from another header than the mesh")
def token_from_another_header(plan: Plan) -> bool:
    return _provider(plan, lambda provider: provider.update(extractFrom={"headers": [{"name": "x-token"}]}))


@TABLE.mutation("A06", "the gateway writes a claim that clients choose as their tier")
def claim_of_the_clients_choice(plan: Plan) -> bool:
    return _provider(
        plan, lambda provider: provider.setdefault("claimToHeaders", []).append({"header": "x-perimeter-tier", "claim": "nickname"})
    )
