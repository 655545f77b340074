"""The API gateway is told something beside its routes."""

from tests.policies.mutations.gateway_edits import Inputs, change_first
from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, namespace

TABLE = Table(Family.GATEWAY)


@TABLE.mutation("A11", "the gateway takes all clients for the edge")
def clients_of_one_address(plan: Plan) -> bool:
    if plan.is_kong() or plan.first("BackendTrafficPolicy", where=lambda i: "sourceCIDR" in str(i["spec"])) is None:
        return False
    return change_first(plan, "ClientTrafficPolicy", lambda i: i["spec"].pop("clientIPDetection"))


@TABLE.mutation("A14", "the gateway believes a PROXY header")
def proxy_protocol(plan: Plan) -> bool:
    return change_first(plan, "ClientTrafficPolicy", lambda i: i["spec"].update(enableProxyProtocol=True))


@TABLE.mutation("A14", "the gateway believes several addresses in front of it")
def more_trusted_hops(plan: Plan) -> bool:
    return change_first(plan, "ClientTrafficPolicy", lambda i: i["spec"]["clientIPDetection"]["xForwardedFor"].update(numTrustedHops=5))


@TABLE.mutation("A14", "the gateway answers in the services' place")
def answers_replaced(plan: Plan) -> bool:
    override = [{"match": {"statusCodes": [{"type": "Value", "value": 401}]}, "response": {"statusCode": 200}}]
    return change_first(plan, "BackendTrafficPolicy", lambda i: i["spec"].update(responseOverride=override))


@TABLE.mutation("A14", "a token may choose the route anew")
def route_chosen_anew(plan: Plan) -> bool:
    return change_first(
        plan,
        "SecurityPolicy",
        lambda i: i["spec"]["jwt"]["providers"][0].update(recomputeRoute=True),
        lambda i: "jwt" in i["spec"],
    )


@TABLE.mutation("A14", "keys of tokens are fetched from a backend of the program")
def keys_from_a_backend(plan: Plan) -> bool:
    return change_first(
        plan,
        "SecurityPolicy",
        lambda i: i["spec"]["jwt"]["providers"][0]["remoteJWKS"].update(backendRefs=[{"name": MARKER, "port": 443}]),
        lambda i: "jwt" in i["spec"],
    )


@TABLE.mutation("A14", "the gateway's filters run in another order")
def filters_reordered(plan: Plan) -> bool:
    order = [{"name": "envoy.filters.http.jwt_authn", "after": "envoy.filters.http.router"}]
    return change_first(plan, "EnvoyProxy", lambda i: i["spec"].update(filterOrder=order))


@TABLE.mutation("A14", "the gateway's proxies run another image")
def another_proxy_image(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        inputs["spec"]["provider"]["kubernetes"]["envoyDeployment"]["container"]["image"] = "images.example/envoy:1"

    return change_first(plan, "EnvoyProxy", change)


@TABLE.mutation("A14", "the gateway logs tokens")
def gateway_logs_tokens(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        inputs["spec"]["telemetry"]["accessLog"]["settings"][0]["format"]["json"]["shown"] = "%REQ(authorization)%"

    return change_first(plan, "EnvoyProxy", change)


@TABLE.mutation("A14", "the gateway's HTTP/3 port")
def http_3(plan: Plan) -> bool:
    return change_first(plan, "ClientTrafficPolicy", lambda i: i["spec"].update(http3={}))


@TABLE.mutation("A14", "other namespaces may add listeners")
def foreign_listeners(plan: Plan) -> bool:
    if (gateway := plan.gateway()) is None:
        return False
    plan.edit(gateway)["spec"]["allowedListeners"] = {"namespaces": {"from": "All"}}
    return True


@TABLE.mutation("A10", "the proxies' statistics are on a Service")
def statistics_on_a_service(plan: Plan) -> bool:
    gateway = plan.gateway()
    place = namespace(gateway["inputs"]) if gateway else ""
    port = 8100 if plan.is_kong() else 19001
    return change_first(
        plan,
        "Service",
        lambda i: i["spec"]["ports"].append({"name": MARKER, "port": port, "targetPort": port}),
        lambda i: namespace(i) == place and bool(i["spec"].get("selector")),
    )


@TABLE.mutation("A14", "the class of the gateway gets its options from an object that nobody sees")
def class_with_parameters_from_elsewhere(plan: Plan) -> bool:
    ref = {"group": "gateway.envoyproxy.io", "kind": "EnvoyProxy", "namespace": "elsewhere", "name": "other"}
    return change_first(plan, "GatewayClass", lambda i: i["spec"].update(parametersRef=ref))


@TABLE.mutation("A14", "a listener takes Strict-Transport-Security out of answers")
def transport_security_taken_out_by_the_listener(plan: Plan) -> bool:
    def change(inputs: Inputs) -> None:
        inputs["spec"].setdefault("headers", {}).setdefault("lateResponseHeaders", {})["remove"] = ["strict-transport-security"]

    return change_first(plan, "ClientTrafficPolicy", change)


@TABLE.mutation("A14", "a listener waits for requests without end")
def listener_waits_without_end(plan: Plan) -> bool:
    return change_first(plan, "ClientTrafficPolicy", lambda i: i["spec"].update(timeout={"http": {"requestReceivedTimeout": "0s"}}))
