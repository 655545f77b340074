"""Application Gateway and its firewall: nothing is refused, nobody is asked, or requests go elsewhere."""

from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import MARKER, UNKNOWN, Plan

TABLE = Table(CloudFamily.EDGE)

INGRESS: str = "10.60.5.36"
"""The address of the first mesh ingress."""


@TABLE.mutation("W01", "the firewall only detects")
def firewall_detects(plan: Plan) -> bool:
    azure.firewall(plan)["policySettings"]["mode"] = "Detection"
    return True


@TABLE.mutation("W01", "the firewall's mode is Azure's default")
def firewall_mode_by_default(plan: Plan) -> bool:
    del azure.firewall(plan)["policySettings"]["mode"]
    return True


@TABLE.mutation("W01", "the firewall is disabled")
def firewall_disabled(plan: Plan) -> bool:
    azure.firewall(plan)["policySettings"]["state"] = "Disabled"
    return True


@TABLE.mutation("W01", "the firewall's mode is not known")
def firewall_mode_unknown(plan: Plan) -> bool:
    azure.firewall(plan)["policySettings"]["mode"] = UNKNOWN
    return True


@TABLE.mutation("W02", "no firewall is linked")
def firewall_not_linked(plan: Plan) -> bool:
    del azure.edge(plan)["firewallPolicy"]
    return True


@TABLE.mutation("W02", "the SKU has no firewall")
def sku_without_firewall(plan: Plan) -> bool:
    azure.edge(plan)["sku"] = {"name": "Standard_v2", "tier": "Standard_v2"}
    return True


@TABLE.mutation("W01", "one path has a firewall policy of its own, which only detects")
def path_with_another_firewall(plan: Plan) -> bool:
    like = azure.one(plan, "network:WebApplicationFirewallPolicy")
    assert like is not None
    weak = {**like["inputs"], "policyName": MARKER, "policySettings": {**like["inputs"]["policySettings"], "mode": "Detection"}}
    plan.add_resource("azure-native:network:WebApplicationFirewallPolicy", weak)
    own = azure.edge(plan)
    reference = own["firewallPolicy"]["id"].rpartition("/")[0]
    own["urlPathMaps"][0]["pathRules"][0]["firewallPolicy"] = {"id": f"{reference}/{MARKER}"}
    return True


def _rule_set(plan: Plan) -> dict[str, Any]:
    return azure.firewall(plan)["managedRules"]["managedRuleSets"][0]


@TABLE.mutation("W03", "a managed rule is disabled")
def managed_rule_disabled(plan: Plan) -> bool:
    _rule_set(plan)["ruleGroupOverrides"] = [{"ruleGroupName": "SQLI", "rules": [{"ruleId": "942100", "state": "Disabled"}]}]
    return True


@TABLE.mutation("W03", "a managed rule only writes down what it finds")
def managed_rule_logs(plan: Plan) -> bool:
    override = {"ruleId": "942100", "state": "Enabled", "action": "Log"}
    _rule_set(plan)["ruleGroupOverrides"] = [{"ruleGroupName": "SQLI", "rules": [override]}]
    return True


@TABLE.mutation("W03", "a whole group of managed rules is disabled")
def managed_group_disabled(plan: Plan) -> bool:
    _rule_set(plan)["ruleGroupOverrides"] = [{"ruleGroupName": "SQLI"}]
    return True


@TABLE.mutation("W03", "everything is excluded from the rules")
def everything_excluded(plan: Plan) -> bool:
    exclusion = {"matchVariable": "RequestArgNames", "selectorMatchOperator": "EqualsAny", "selector": "*"}
    azure.firewall(plan)["managedRules"]["exclusions"] = [exclusion]
    return True


@TABLE.mutation("W03", "there are no managed rules")
def no_managed_rules(plan: Plan) -> bool:
    azure.firewall(plan)["managedRules"]["managedRuleSets"] = []
    return True


@TABLE.mutation("W03", "there are no rules about bots")
def no_rules_about_bots(plan: Plan) -> bool:
    managed = azure.firewall(plan)["managedRules"]
    kept = [each for each in managed["managedRuleSets"] if each["ruleSetType"] != "Microsoft_BotManagerRuleSet"]
    changed = kept != managed["managedRuleSets"]
    managed["managedRuleSets"] = kept
    return changed


@TABLE.mutation("W03", "the managed rules are of a version without updates")
def old_managed_rules(plan: Plan) -> bool:
    found = _rule_set(plan)
    found |= {"ruleSetType": "OWASP", "ruleSetVersion": "3.0"}
    return True


@TABLE.mutation("W03", "a rule lets one address pass all others")
def rule_that_allows(plan: Plan) -> bool:
    condition = {
        "matchValues": ["198.51.100.7"],
        "matchVariables": [{"variableName": "RemoteAddr"}],
        "operator": "IPMatch",
        "negationConditon": False,
    }
    rule = {"name": MARKER, "priority": 90, "ruleType": "MatchRule", "action": "Allow", "state": "Enabled", "matchConditions": [condition]}
    azure.firewall(plan)["customRules"].append(rule)
    return True


@TABLE.mutation("W03", "bodies are not looked at")
def bodies_unread(plan: Plan) -> bool:
    azure.firewall(plan)["policySettings"]["requestBodyCheck"] = False
    return True


@TABLE.mutation("W03", "long bodies pass unread")
def long_bodies_unread(plan: Plan) -> bool:
    azure.firewall(plan)["policySettings"]["requestBodyEnforcement"] = False
    return True


@TABLE.mutation("W03", "only the beginning of a body is looked at")
def ends_of_bodies_unread(plan: Plan) -> bool:
    azure.firewall(plan)["policySettings"]["requestBodyInspectLimitInKB"] = 8
    return True


@TABLE.mutation("W04", "what the firewall refuses is written down nowhere")
def firewall_not_logged(plan: Plan) -> bool:
    setting = azure.one(plan, "monitor:DiagnosticSetting", lambda i: "applicationGateways" in i["resourceUri"])
    assert setting is not None
    for log in plan.edit(setting)["logs"]:
        if log["category"] == "ApplicationGatewayFirewallLog":
            log["enabled"] = False
    return True


@TABLE.mutation("W04", "the firewall writes tokens into its log")
def firewall_logs_tokens(plan: Plan) -> bool:
    for rule in azure.firewall(plan)["policySettings"]["logScrubbing"]["scrubbingRules"]:
        if rule["selector"] == "authorization":
            rule["state"] = "Disabled"
    return True


@TABLE.mutation("W05", "a listener hears plain HTTP")
def listener_plain(plan: Plan) -> bool:
    own = azure.edge(plan)
    own["frontendPorts"].append({"name": "http", "port": 80})
    plain = {
        **own["httpListeners"][0],
        "name": MARKER,
        "protocol": "Http",
        "frontendPort": {"id": azure.part(own, "frontendPorts", "http")},
    }
    plain.pop("sslCertificate")
    own["httpListeners"].append(plain)
    rule = {
        **own["requestRoutingRules"][0],
        "name": MARKER,
        "priority": 20,
        "httpListener": {"id": azure.part(own, "httpListeners", MARKER)},
    }
    own["requestRoutingRules"].append(rule)
    return True


@TABLE.mutation("W06", "the TLS policy accepts TLS 1.0")
def tls_policy_old(plan: Plan) -> bool:
    azure.edge(plan)["sslPolicy"] = {"policyType": "Predefined", "policyName": "AppGwSslPolicy20150501"}
    return True


@TABLE.mutation("W06", "a TLS policy of one's own accepts TLS 1.1")
def tls_policy_own(plan: Plan) -> bool:
    azure.edge(plan)["sslPolicy"] = {
        "policyType": "Custom",
        "minProtocolVersion": "TLSv1_1",
        "cipherSuites": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"],
    }
    return True


@TABLE.mutation("W06", "there is no TLS policy")
def tls_policy_missing(plan: Plan) -> bool:
    del azure.edge(plan)["sslPolicy"]
    return True


@TABLE.mutation("P07", "a listener has a TLS profile of its own")
def listener_tls_profile(plan: Plan) -> bool:
    own = azure.edge(plan)
    own["sslProfiles"] = [{"name": MARKER, "sslPolicy": {"policyType": "Predefined", "policyName": "AppGwSslPolicy20150501"}}]
    own["httpListeners"][0]["sslProfile"] = {"id": azure.part(own, "sslProfiles", MARKER)}
    return True


def _custom(plan: Plan, name: str) -> dict[str, Any]:
    return next(rule for rule in azure.firewall(plan)["customRules"] if rule["name"] == name)


@TABLE.mutation("W07", "ambiguous paths pass")
def ambiguous_paths_pass(plan: Plan) -> bool:
    _custom(plan, "ambiguousPaths")["state"] = "Disabled"
    return True


@TABLE.mutation("W07", "one kind of ambiguous path passes")
def escaped_dots_pass(plan: Plan) -> bool:
    values = _custom(plan, "ambiguousPaths")["matchConditions"][0]["matchValues"]
    values.remove("(?i)^[^?]*%2e")
    return True


@TABLE.mutation("W07", "ambiguous paths are only written down")
def ambiguous_paths_logged(plan: Plan) -> bool:
    _custom(plan, "ambiguousPaths")["action"] = "Log"
    return True


@TABLE.mutation("W10", "no address is limited")
def address_unlimited(plan: Plan) -> bool:
    rules = azure.firewall(plan)["customRules"]
    rules[:] = [rule for rule in rules if rule["ruleType"] != "RateLimitRule"]
    return True


@TABLE.mutation("W10", "the limit of an address stops no flood")
def address_limit_high(plan: Plan) -> bool:
    _custom(plan, "addressLimit")["rateLimitThreshold"] = 10_000_000
    return True


@TABLE.mutation("W10", "the limit counts all clients together")
def address_limit_for_all(plan: Plan) -> bool:
    _custom(plan, "addressLimit")["groupByUserSession"] = [{"groupByVariables": [{"variableName": "None"}]}]
    return True


@TABLE.mutation("W10", "the limit counts clients of one country alone")
def address_limit_for_some(plan: Plan) -> bool:
    condition = {
        "matchValues": ["CH"],
        "matchVariables": [{"variableName": "RemoteAddr"}],
        "operator": "GeoMatch",
        "negationConditon": False,
    }
    _custom(plan, "addressLimit")["matchConditions"] = [condition]
    return True


@TABLE.mutation("W09", "the pool leads straight to the cluster's load balancer")
def pool_to_the_cluster(plan: Plan) -> bool:
    azure.edge(plan)["backendAddressPools"][0]["backendAddresses"] = [{"ipAddress": INGRESS}]
    return True


@TABLE.mutation("W09", "the same, by the mesh's private name")
def pool_to_the_cluster_by_name(plan: Plan) -> bool:
    azure.edge(plan)["backendAddressPools"][0]["backendAddresses"].append({"fqdn": "main.mesh.internal"})
    return True


@TABLE.mutation("W09", "the pool leads outside")
def pool_to_elsewhere(plan: Plan) -> bool:
    azure.edge(plan)["backendAddressPools"][0]["backendAddresses"] = [{"fqdn": "gateway.elsewhere.example"}]
    return True


@TABLE.mutation("W09", "the empty pool, to which all other paths go, leads to the cluster")
def sink_pool_filled(plan: Plan) -> bool:
    own = azure.edge(plan)
    own["backendAddressPools"][1]["backendAddresses"] = [{"ipAddress": INGRESS}]
    return True


@TABLE.mutation("W09", "the gateway's own name leads elsewhere inside the network")
def gateway_name_moved(plan: Plan) -> bool:
    record = azure.one(plan, "privatedns:PrivateRecordSet", lambda i: i["privateZoneName"].partition(".")[2] == "azure-api.net")
    assert record is not None
    plan.edit(record)["aRecords"] = [{"ipv4Address": INGRESS}]
    return True


@TABLE.mutation("W09", "the gateway is asked without TLS")
def gateway_asked_plainly(plan: Plan) -> bool:
    azure.edge(plan)["backendHttpSettingsCollection"][0] |= {"protocol": "Http", "port": 80}
    return True


@TABLE.mutation("W09", "the gateway's certificate is not verified")
def gateway_not_verified(plan: Plan) -> bool:
    azure.edge(plan)["backendHttpSettingsCollection"][0]["validateCertChainAndExpiry"] = False
    return True


@TABLE.mutation("W09", "the gateway's certificate is held against public authorities")
def gateway_verified_by_anybody(plan: Plan) -> bool:
    del azure.edge(plan)["backendHttpSettingsCollection"][0]["trustedRootCertificates"]
    return True


@TABLE.mutation("W11", "every path goes to the gateway")
def every_path(plan: Plan) -> bool:
    own = azure.edge(plan)
    paths = own["urlPathMaps"][0]
    paths["defaultBackendAddressPool"] = {"id": azure.part(own, "backendAddressPools", "gateway")}
    return True


@TABLE.mutation("W11", "a path that is no door's goes to the gateway")
def another_path(plan: Plan) -> bool:
    azure.edge(plan)["urlPathMaps"][0]["pathRules"][0]["paths"].append("/admin/*")
    return True


@TABLE.mutation("W11", "the edge answers for every host")
def every_host(plan: Plan) -> bool:
    del azure.edge(plan)["httpListeners"][0]["hostName"]
    return True


@TABLE.mutation("W11", "every method passes")
def every_method_at_the_firewall(plan: Plan) -> bool:
    rules = azure.firewall(plan)["customRules"]
    rules[:] = [rule for rule in rules if rule["name"] != "otherMethods"]
    return True


@TABLE.mutation("W11", "one path redirects to somebody else")
def redirect_elsewhere(plan: Plan) -> bool:
    own = azure.edge(plan)
    own["redirectConfigurations"] = [{"name": MARKER, "redirectType": "Permanent", "targetUrl": "https://elsewhere.example/"}]
    rule = own["urlPathMaps"][0]["pathRules"][0]
    for field in ("backendAddressPool", "backendHttpSettings", "rewriteRuleSet"):
        rule.pop(field, None)
    rule["redirectConfiguration"] = {"id": azure.part(own, "redirectConfigurations", MARKER)}
    return True


def _headers(plan: Plan) -> list[dict[str, str]]:
    return azure.edge(plan)["rewriteRuleSets"][0]["rewriteRules"][0]["actionSet"]["requestHeaderConfigurations"]


@TABLE.mutation("A07", "the edge passes on a client's own certificate header")
def certificate_header_passes(plan: Plan) -> bool:
    headers = _headers(plan)
    headers[:] = [each for each in headers if each["headerName"] != "x-forwarded-client-cert"]
    return True


@TABLE.mutation("A07", "the edge removes headers under a condition alone")
def headers_removed_sometimes(plan: Plan) -> bool:
    rule = azure.edge(plan)["rewriteRuleSets"][0]["rewriteRules"][0]
    rule["conditions"] = [{"variable": "http_req_x-debug", "pattern": "^$"}]
    return True


@TABLE.mutation("A07", "the edge removes some values of a header alone")
def header_removed_by_value(plan: Plan) -> bool:
    for each in _headers(plan):
        if each["headerName"] == "x-forwarded-client-cert":
            each["headerValueMatcher"] = {"pattern": "^none$"}  # pyright: ignore[reportArgumentType] # a mapping in its place
    return True


@TABLE.mutation("A07", "one path has no rewrite rules")
def path_without_rewrites(plan: Plan) -> bool:
    del azure.edge(plan)["urlPathMaps"][0]["pathRules"][0]["rewriteRuleSet"]
    return True


@TABLE.mutation("A07", "the edge takes the client's address from the client")
def address_from_the_client(plan: Plan) -> bool:
    for each in _headers(plan):
        if each["headerName"].lower() == "x-forwarded-for":
            each["headerValue"] = "{http_req_X-Real-IP}"
    return True


def _answers(plan: Plan, number: int = 0) -> list[dict[str, str]]:
    """Return the changes of answers by a set of rewrite rules."""
    actions = azure.edge(plan)["rewriteRuleSets"][number]["rewriteRules"][0]["actionSet"]
    return actions.setdefault("responseHeaderConfigurations", [])


@TABLE.mutation("W13", "neither edge nor gateway takes Server out of a door's answers")
def server_kept(plan: Plan) -> bool:
    own = azure.edge(plan)
    path = next((rule for rule in own["urlPathMaps"][0]["pathRules"] if "-without-" in rule["rewriteRuleSet"]["id"]), None)
    if path is not None:
        path["rewriteRuleSet"] = own["urlPathMaps"][0]["defaultRewriteRuleSet"]
    return path is not None


@TABLE.mutation("W13", "a policy of the gateway takes Server out, which it cannot, and the edge does not")
def server_kept_by_a_policy(plan: Plan) -> bool:
    if not server_kept(plan):
        return False
    everything = azure.inputs(plan, "apimanagement:Policy")
    everything["value"] = everything["value"].replace("<outbound>", '<outbound><set-header name="Server" exists-action="delete" />')
    return True


@TABLE.mutation("W13", "the edge takes Server out under a condition alone")
def server_kept_sometimes(plan: Plan) -> bool:
    sets = azure.edge(plan)["rewriteRuleSets"]
    if len(sets) < 2:
        return False
    sets[1]["rewriteRules"][0]["conditions"] = [{"variable": "http_req_x-debug", "pattern": "^$"}]
    return True


@TABLE.mutation("W13", "a later rule of the edge writes Server again")
def server_written_again(plan: Plan) -> bool:
    sets = azure.edge(plan)["rewriteRuleSets"]
    if len(sets) < 2:
        return False
    again = {"responseHeaderConfigurations": [{"headerName": "Server", "headerValue": "{http_resp_Server}"}]}
    sets[1]["rewriteRules"].insert(0, {"name": MARKER, "ruleSequence": 200, "actionSet": again})
    return True


@TABLE.mutation("W13", "neither edge nor gateway takes another header out of a door's answers")
def header_kept(plan: Plan) -> bool:
    gone = '<set-header name="x-powered-by" exists-action="delete" />'
    if (own := azure.policy(plan, gone)) is None:
        return False
    for each in (own, azure.inputs(plan, "apimanagement:Policy")):
        each["value"] = each["value"].replace(gone, "")
    return True


@TABLE.mutation("W13", "the edge takes a header out of answers that protects browsers")
def protection_taken_out(plan: Plan) -> bool:
    _answers(plan).append({"headerName": "Content-Security-Policy", "headerValue": ""})
    return True


@TABLE.mutation("W13", "the edge lets scripts of other origins read answers")
def other_origins_read(plan: Plan) -> bool:
    _answers(plan).append({"headerName": "Access-Control-Allow-Origin", "headerValue": "{http_req_Origin}"})
    return True


@TABLE.mutation("W13", "the edge lets browsers speak without TLS again")
def tls_forgotten_at_the_edge(plan: Plan) -> bool:
    _answers(plan).append({"headerName": "Strict-Transport-Security", "headerValue": "max-age=0"})
    return True


@TABLE.mutation("W13", "no layer tells browsers to keep to TLS")
def tls_not_remembered(plan: Plan) -> bool:
    everything = azure.inputs(plan, "apimanagement:Policy")
    everything["value"] = everything["value"].replace("strict-transport-security", "x-nothing")
    return True


@TABLE.mutation("W13", "what the edge does to answers is not known")
def answers_unknown(plan: Plan) -> bool:
    _answers(plan).append({"headerName": "Content-Security-Policy", "headerValue": UNKNOWN})
    return True


@TABLE.mutation("B01", "the edge rewrites paths")
def edge_rewrites_paths(plan: Plan) -> bool:
    rule = azure.edge(plan)["rewriteRuleSets"][0]["rewriteRules"][0]
    rule["actionSet"]["urlConfiguration"] = {"modifiedPath": "/admin", "reroute": False}
    return True


@TABLE.mutation("B01", "the firewall refuses a method of a door")
def firewall_refuses_a_door(plan: Plan) -> bool:
    _custom(plan, "otherMethods")["matchConditions"][0]["matchValues"] = ["TRACE"]
    return True
