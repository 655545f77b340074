"""The WAF is there and does nothing, or the gateway lets requests in that it should not."""

import copy
import re

from tests.policies.mutations.mutation import Family, Table
from tests.policies.mutations.plan import MARKER, Plan, manifest, name, namespace

TABLE = Table(Family.WAF_AND_GATEWAY)


def _edge(plan: Plan, pattern: str, replacement: str, *, count: int = 0) -> bool:
    found = plan.edge_files(pattern)
    if found is None:
        return False
    plan.replace_text(*found, pattern, replacement, count=count)
    return True


@TABLE.mutation("W01", "the WAF only detects")
def waf_detection_mode(plan: Plan) -> bool:
    return _edge(plan, r"^(\s*)SecRuleEngine\s+On", r"\1SecRuleEngine DetectionOnly")


@TABLE.mutation("W01", "the WAF's rule engine is off")
def waf_engine_off(plan: Plan) -> bool:
    return _edge(plan, r"^(\s*)SecRuleEngine\s+On", r"\1SecRuleEngine Off")


def _append(plan: Plan, marker: str, line: str) -> bool:
    found = plan.edge_files(marker)
    if found is None:
        return False
    record, key = found
    plan.edit(record)["data"][key] += f"\n{line}\n"
    return True


@TABLE.mutation("W01", "a rule switches the engine to detection for every request")
def waf_engine_off_by_rule(plan: Plan) -> bool:
    return _append(plan, "SecRuleEngine", 'SecAction "id:1999,phase:1,pass,nolog,ctl:ruleEngine=DetectionOnly"')


@TABLE.mutation("W02", "the WAF is not switched on in nginx")
def waf_not_linked(plan: Plan) -> bool:
    return _edge(plan, r"modsecurity\s+on;", "modsecurity off;")


@TABLE.mutation("W02", "the WAF has no rules file")
def waf_without_rules_file(plan: Plan) -> bool:
    return _edge(plan, r"modsecurity_rules_file\s+\S+;", "")


@TABLE.mutation("W02", "one location is excepted from the WAF")
def waf_off_in_a_location(plan: Plan) -> bool:
    return _edge(plan, r"^(\s*)((?:proxy|grpc)_pass\s)", r"\1modsecurity off;\1\2", count=1)


@TABLE.mutation("W03", "the core rule set is not loaded")
def waf_without_core_rule_set(plan: Plan) -> bool:
    return _edge(plan, r"^\s*Include\s+\S*rules/\*\.conf.*$", "")


@TABLE.mutation("W03", "one rule is removed")
def waf_rule_disabled(plan: Plan) -> bool:
    return _append(plan, "SecRuleEngine", "SecRuleRemoveById 942100")


@TABLE.mutation("W03", "everything is excluded from the rules")
def waf_everything_excluded(plan: Plan) -> bool:
    return _append(plan, "SecRuleEngine", "SecRuleRemoveById 900000-999999")


@TABLE.mutation("W03", "the arguments are excluded from the injection rules")
def waf_target_excluded(plan: Plan) -> bool:
    return _append(plan, "SecRuleEngine", 'SecRuleUpdateTargetByTag "attack-sqli" "!ARGS"')


@TABLE.mutation("W03", "the anomaly threshold is so high that nothing is ever blocked")
def waf_threshold_raised(plan: Plan) -> bool:
    return _append(plan, "SecRuleEngine", 'SecAction "id:1998,phase:1,pass,nolog,setvar:tx.inbound_anomaly_score_threshold=100000"')


@TABLE.mutation("W03", "request bodies are not inspected")
def waf_body_inspection_off(plan: Plan) -> bool:
    return _edge(plan, r"SecRequestBodyAccess\s+On", "SecRequestBodyAccess Off")


@TABLE.mutation("W03", "what is too long to inspect passes uninspected")
def waf_long_bodies_pass(plan: Plan) -> bool:
    return _edge(plan, r"SecRequestBodyLimitAction\s+Reject", "SecRequestBodyLimitAction ProcessPartial")


@TABLE.mutation("W04", "the audit log is off")
def waf_audit_log_off(plan: Plan) -> bool:
    return _edge(plan, r"SecAuditEngine\s+\w+", "SecAuditEngine Off")


@TABLE.mutation("W04", "the access log is off")
def waf_access_log_off(plan: Plan) -> bool:
    return _edge(plan, r"access_log\s+[^;]+;", "access_log off;")


@TABLE.mutation("W05", "the edge listens without TLS")
def edge_http_only(plan: Plan) -> bool:
    return _edge(plan, r"listen\s+(\[::\]:)?(\d+)\s+ssl[^;]*;", r"listen \1\2;")


@TABLE.mutation("W06", "the edge accepts TLS 1.0")
def edge_tls_1_0(plan: Plan) -> bool:
    return _edge(plan, r"\bssl_protocols\s+[^;]+;", "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;")


@TABLE.mutation("W10", "the edge limits no client's rate")
def edge_without_rate_limit(plan: Plan) -> bool:
    return _edge(plan, r"^\s*limit_req\s+[^;]+;", "")


@TABLE.mutation("W10", "the edge takes bodies of any size")
def edge_without_body_limit(plan: Plan) -> bool:
    return _edge(plan, r"client_max_body_size\s+[^;]+;", "client_max_body_size 0;")


@TABLE.mutation("W09", "the edge speaks plain HTTP to the API gateway")
def edge_plain_backend(plan: Plan) -> bool:
    return _edge(plan, r"proxy_pass\s+https://", "proxy_pass http://")


@TABLE.mutation("W09", "the edge does not verify the API gateway")
def edge_backend_not_verified(plan: Plan) -> bool:
    return _edge(plan, r"proxy_ssl_verify\s+on;", "proxy_ssl_verify off;")


@TABLE.mutation("A07", "the edge passes a client's internal headers on")
def edge_keeps_internal_headers(plan: Plan) -> bool:
    found = plan.edge_files(r"x-perimeter-|x-forwarded-client-cert")
    if found is None:
        return False
    # Gateway and edge both remove them; the rule asks for both, so that neither is the only one.
    plan.replace_text(*found, r'^\s*(proxy|grpc)_set_header\s+"?(?i:x-forwarded-client-cert|x-perimeter-subject)"?\s+[^;]*;', "")
    return True


@TABLE.mutation("A04", "the API gateway speaks to the mesh ingress without TLS")
def plain_backend(plan: Plan) -> bool:
    if plan.is_kong():
        service = plan.first("Service", where=lambda i: "konghq.com/protocol" in str(i["metadata"]))
        if service is None:
            return False
        plan.edit(service)["metadata"]["annotations"]["konghq.com/protocol"] = "http"
        return True
    policy = plan.first("BackendTLSPolicy")
    if policy is None:
        return False
    plan.remove(policy)
    return True


@TABLE.mutation("A04", "the API gateway shows no certificate to the mesh ingress")
def gateway_without_client_certificate(plan: Plan) -> bool:
    if release := plan.release("kong"):
        env = plan.edit(release)["values"]["env"]
        for key in [key for key in env if key.endswith(("_ssl_certificate", "_ssl_certificate_key"))]:
            del env[key]
        for service in list(plan.records("Service", where=lambda i: "konghq.com/client-cert" in str(i["metadata"]))):
            del plan.edit(service)["metadata"]["annotations"]["konghq.com/client-cert"]
        return True
    proxy = plan.first("EnvoyProxy", where=lambda i: "clientCertificateRef" in str(i["spec"]))
    if proxy is None:
        return False
    del plan.edit(proxy)["spec"]["backendTLS"]["clientCertificateRef"]
    return True


@TABLE.mutation("A04", "the API gateway does not verify the mesh ingress")
def gateway_backend_not_verified(plan: Plan) -> bool:
    if plan.is_kong():
        service = plan.first("Service", where=lambda i: "konghq.com/tls-verify" in str(i["metadata"]))
        if service is None:
            return False
        plan.edit(service)["metadata"]["annotations"]["konghq.com/tls-verify"] = "false"
        return True
    policy = plan.first("BackendTLSPolicy")
    if policy is None:
        return False
    validation = plan.edit(policy)["spec"]["validation"]
    validation.pop("caCertificateRefs", None)
    validation["wellKnownCACertificates"] = "System"
    return True


@TABLE.mutation("A06", "the routes ask for no token")
def jwt_removed(plan: Plan) -> bool:
    if plan.is_kong():
        plugins = [p for p in plan.records("KongPlugin") if p["inputs"].get("plugin") == "jwt"]
        for plugin in plugins:
            plan.edit(plugin)["disabled"] = True
        return bool(plugins)
    policies = [p for p in plan.records("SecurityPolicy") if "jwt" in p["inputs"]["spec"]]
    for policy in policies:
        plan.remove(policy)
    return bool(policies)


@TABLE.mutation("A06", "tokens are optional at the gateway")
def jwt_optional(plan: Plan) -> bool:
    if plan.is_kong():
        plugin = plan.first("KongPlugin", where=lambda i: i.get("plugin") == "jwt")
        if plugin is None:
            return False
        plan.edit(plugin)["config"]["anonymous"] = MARKER
        return True
    policy = plan.first("SecurityPolicy", where=lambda i: "jwt" in i["spec"])
    if policy is None:
        return False
    plan.edit(policy)["spec"]["jwt"]["optional"] = True
    return True


@TABLE.mutation("A06", "tokens for any audience are accepted")
def jwt_without_audiences(plan: Plan) -> bool:
    policy = plan.first("SecurityPolicy", where=lambda i: "jwt" in i["spec"])
    if policy is None:
        return False
    del plan.edit(policy)["spec"]["jwt"]["providers"][0]["audiences"]
    return True


@TABLE.mutation("A06", "tokens of any issuer are accepted")
def jwt_without_issuer(plan: Plan) -> bool:
    policy = plan.first("SecurityPolicy", where=lambda i: "jwt" in i["spec"])
    if policy is None:
        return False
    del plan.edit(policy)["spec"]["jwt"]["providers"][0]["issuer"]
    return True


@TABLE.mutation("A06", "expired tokens are accepted")
def jwt_expiry_not_checked(plan: Plan) -> bool:
    plugin = plan.first("KongPlugin", where=lambda i: i.get("plugin") == "jwt")
    if plugin is None:
        return False
    plan.edit(plugin)["config"]["claims_to_verify"] = []
    return True


@TABLE.mutation("A06", "the doors with API keys ask for none")
def api_key_removed(plan: Plan) -> bool:
    if plan.is_kong():
        plugins = [p for p in plan.records("KongPlugin") if p["inputs"].get("plugin") == "key-auth"]
        for plugin in plugins:
            plan.remove(plugin)
        return bool(plugins)
    policies = [p for p in plan.records("SecurityPolicy") if "apiKeyAuth" in p["inputs"]["spec"]]
    for policy in policies:
        plan.remove(policy)
    return bool(policies)


@TABLE.mutation("A06", "a route of its own policy without a token takes the wider policy's place")
def narrower_policy_replaces_the_wider(plan: Plan) -> bool:
    policy = plan.first("SecurityPolicy", where=lambda i: "jwt" in i["spec"])
    if policy is None:
        return False
    target = copy.deepcopy((policy["inputs"]["spec"].get("targetRefs") or [policy["inputs"]["spec"].get("targetRef")])[0])
    if target["kind"] != "HTTPRoute":
        return False
    route = plan.first("HTTPRoute", where=lambda i: name(i) == target["name"])
    if route is None:
        return False
    if not target.get("sectionName"):
        rule = plan.edit(route)["spec"]["rules"][0]
        target["sectionName"] = rule.setdefault("name", MARKER)
        plan.add(
            manifest("gateway.envoyproxy.io/v1alpha1", "SecurityPolicy", MARKER, namespace(policy["inputs"]), spec={"targetRefs": [target]})
        )
        return True
    return False


def _first_match(plan: Plan, value: str) -> bool:
    route = plan.first("HTTPRoute", where=lambda i: any(rule.get("backendRefs") for rule in i["spec"].get("rules") or ()))
    if route is None:
        return False
    for rule in plan.edit(route)["spec"]["rules"]:
        if rule.get("backendRefs"):
            rule["matches"] = [{"path": {"type": "PathPrefix", "value": value}}]
            return True
    return False


@TABLE.mutation("A09", "a route takes every path")
def catch_all_route(plan: Plan) -> bool:
    return _first_match(plan, "/")


@TABLE.mutation("A09", "a route leads to a management path")
def route_to_management_path(plan: Plan) -> bool:
    return _first_match(plan, "/metrics")


@TABLE.mutation("A09", "a route takes every host")
def route_of_every_host(plan: Plan) -> bool:
    route = plan.first("HTTPRoute", where=lambda i: bool(i["spec"].get("hostnames")))
    if route is None:
        return False
    plan.edit(route)["spec"]["hostnames"] = ["*.example"] if plan.is_kong() else []
    gateway = plan.gateway()
    if gateway is not None:
        for listener in plan.edit(gateway)["spec"].get("listeners") or ():
            listener.pop("hostname", None)
    return True


@TABLE.mutation("A10", "the gateway's administration is on a Service")
def admin_port_on_a_service(plan: Plan) -> bool:
    gateway = plan.gateway()
    if gateway is None:
        return False
    place = namespace(gateway["inputs"])
    service = plan.first("Service", where=lambda i: namespace(i) == place and bool(i["spec"].get("selector")))
    if service is None:
        return False
    port = 8444 if plan.is_kong() else 19000
    plan.edit(service)["spec"]["ports"].append({"name": MARKER, "port": port, "targetPort": port})
    return True


@TABLE.mutation("A11", "the gateway limits no client's rate")
def rate_limits_removed(plan: Plan) -> bool:
    if plan.is_kong():
        plugins = [p for p in plan.records("KongPlugin") if p["inputs"].get("plugin") == "rate-limiting"]
        for plugin in plugins:
            plan.edit(plugin)["disabled"] = True
        return bool(plugins)
    policies = [p for p in plan.records("BackendTrafficPolicy") if "rateLimit" in p["inputs"]["spec"]]
    for policy in policies:
        del plan.edit(policy)["spec"]["rateLimit"]
    return bool(policies)


@TABLE.mutation("A02", "any pod may connect to the API gateway")
def gateway_network_open(plan: Plan) -> bool:
    gateway = plan.gateway()
    if gateway is None:
        return False
    place = namespace(gateway["inputs"])
    plan.add(
        manifest(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            MARKER,
            place,
            spec={"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [{"namespaceSelector": {}}]}]},
        )
    )
    return True


@TABLE.mutation("A13", "a service gets a certificate with the API gateway's identity")
def gateway_identity_stolen(plan: Plan) -> bool:
    certificate = plan.first("Certificate", where=lambda i: bool(re.search(r"spiffe://[^']*gateway", str(i["spec"].get("uris")))))
    service = plan.some_service()
    if certificate is None or service is None:
        return False
    spec = copy.deepcopy(certificate["inputs"]["spec"])
    plan.add(manifest("cert-manager.io/v1", "Certificate", MARKER, namespace(service["inputs"]), spec=spec))
    return True


@TABLE.mutation("A11", "limits open when their counter is away")
def limits_fail_open(plan: Plan) -> bool:
    if plan.is_kong():
        plugin = plan.first("KongPlugin", where=lambda i: i.get("plugin") == "rate-limiting" and i["config"].get("policy") == "redis")
        if plugin is None:
            return False
        plan.edit(plugin)["config"]["fault_tolerant"] = True
        return True
    release = plan.release("gateway-helm", where=lambda i: "failClosed" in str(i["values"]))
    if release is None:
        return False
    del plan.edit(release)["values"]["config"]["envoyGateway"]["rateLimit"]["failClosed"]
    return True


@TABLE.mutation("A10", "the chart makes a Service for the gateway's administration")
def kong_admin_service(plan: Plan) -> bool:
    release = plan.release("kong")
    if release is None:
        return False
    plan.edit(release)["values"].setdefault("admin", {})["enabled"] = True
    return True


@TABLE.mutation("A07", "the API gateway passes a client's own identity headers on")
def gateway_keeps_internal_headers(plan: Plan) -> bool:
    if plan.first("RequestAuthentication", where=lambda i: "outputClaimToHeaders" in str(i["spec"])) is None:
        return False
    if plan.is_kong():
        plugins = [p for p in plan.records("KongPlugin") if p["inputs"].get("plugin") == "request-transformer"]
        for plugin in plugins:
            plan.edit(plugin)["config"].pop("remove", None)
        return bool(plugins)
    routes = [*plan.records("HTTPRoute"), *plan.records("GRPCRoute")]
    for route in routes:
        for rule in plan.edit(route)["spec"]["rules"]:
            rule["filters"] = [each for each in rule.get("filters") or () if each["type"] != "RequestHeaderModifier"]
    for policy in list(plan.records("ClientTrafficPolicy")):
        plan.edit(policy)["spec"].pop("headers", None)
    for policy in list(plan.records("SecurityPolicy", where=lambda i: "jwt" in i["spec"])):
        for provider in plan.edit(policy)["spec"]["jwt"]["providers"]:
            provider.pop("claimToHeaders", None)
    return bool(routes)


@TABLE.mutation("W05", "the API gateway listens without TLS")
def gateway_plain_listener(plan: Plan) -> bool:
    if (gateway := plan.gateway()) is None:
        return False
    listener = plan.edit(gateway)["spec"]["listeners"][0]
    listener["protocol"] = "HTTP"
    listener.pop("tls", None)
    return True


@TABLE.mutation("A06", "the gateway accepts tokens that never expire")
def jwt_without_expiry(plan: Plan) -> bool:
    policy = plan.first("SecurityPolicy", where=lambda i: "jwt" in i["spec"])
    if policy is None:
        return False
    plan.edit(policy)["spec"].pop("authorization", None)
    return True


@TABLE.mutation("A06", "the gateway takes keys of tokens from another place")
def jwt_keys_from_elsewhere(plan: Plan) -> bool:
    policy = plan.first("SecurityPolicy", where=lambda i: "jwt" in i["spec"])
    if policy is None:
        return False
    plan.edit(policy)["spec"]["jwt"]["providers"][0]["remoteJWKS"] = {"uri": "https://keys.elsewhere.example/jwks.json"}
    return True


@TABLE.mutation("A02", "the API gateway asks the edge for no certificate")
def gateway_asks_for_no_certificate(plan: Plan) -> bool:
    if release := plan.release("kong"):
        return plan.edit(release)["values"]["env"].pop("nginx_proxy_ssl_verify_client", None) is not None
    policy = plan.first("ClientTrafficPolicy", where=lambda i: "clientValidation" in str(i["spec"]))
    if policy is None:
        return False
    del plan.edit(policy)["spec"]["tls"]["clientValidation"]
    return True
