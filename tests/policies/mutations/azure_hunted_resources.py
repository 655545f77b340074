"""Edits of good plans of Azure that were looked for field by field, and that a judge of fewer fields had passed: what is around the gateway."""

import copy
from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.azure_hostile import ELSEWHERE
from tests.policies.mutations.azure_plan import SUBSCRIPTION
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import AZURE_INTERNAL, MARKER, UNKNOWN, Plan

NETWORK = Table(CloudFamily.NETWORK)
EDGE = Table(CloudFamily.EDGE)
GATEWAY = Table(CloudFamily.GATEWAY)
CLUSTER = Table(CloudFamily.CLUSTER)
RIGHTS = Table(CloudFamily.RIGHTS)

ASSIGNMENT = "authorization:RoleAssignment"
OF_A_STRANGER = "https://stranger.vault.azure.net/secrets/one"


def _group(plan: Plan) -> str:
    return azure.inputs(plan, "resources:ResourceGroup")["resourceGroupName"]


# The edge's headers


def _changes(plan: Plan, field: str, change: dict[str, Any], **conditions: Any) -> bool:
    for each in azure.edge(plan)["rewriteRuleSets"]:
        each["rewriteRules"].append({"name": MARKER, "ruleSequence": 900, "actionSet": {field: [change]}, **conditions})
    return True


def _requests(name: str, description: str, header: str, value: str, **more: Any) -> None:
    conditions = {"conditions": more.pop("conditions")} if "conditions" in more else {}

    def change(plan: Plan) -> bool:
        return _changes(plan, "requestHeaderConfigurations", {"headerName": header, "headerValue": value, **more}, **conditions)

    change.__name__ = name
    EDGE.mutation("A07", description)(change)


_SECRET_SIGN = [{"variable": "http_req_x-open", "pattern": "1"}]
_requests("edge_says_role", "the edge tells services who a client is", "x-role", "admin")
_requests("edge_says_subject_to_some", "whoever knows a header is somebody", "x-perimeter-subject", "root", conditions=_SECRET_SIGN)
_requests("edge_shows_token_for_some", "whoever knows a header has a token", "Authorization", "Bearer x", conditions=_SECRET_SIGN)
_requests(
    "edge_forwards_for_some", "whoever knows a header comes from where he says", "X-Forwarded-For", "{http_req_x}", conditions=_SECRET_SIGN
)
_requests(
    "edge_says_subject_matched",
    "a header's own value says who a client is",
    "x-perimeter-subject",
    "{http_req_x}",
    headerValueMatcher={"pattern": ".*"},
)
_requests("edge_forwards_for_nobody", "the edge hides where requests come from", "X-Forwarded-For", "127.0.0.1")
_requests("edge_names_another_host", "the edge asks for another host than the client", "Host", "another.example")


def _answers(name: str, description: str, header: str, value: str) -> None:
    def change(plan: Plan) -> bool:
        return _changes(plan, "responseHeaderConfigurations", {"headerName": header, "headerValue": value})

    change.__name__ = name
    EDGE.mutation("W13", description)(change)


_answers("edge_leads_elsewhere", "the edge sends browsers elsewhere", "Location", "https://elsewhere.example")
_answers("edge_repeats_tokens", "the edge repeats the client's token in answers", "x-debug", "{http_req_Authorization}")
_answers("edge_sets_cookies", "the edge gives browsers a cookie", "Set-Cookie", "session=1")
_answers("edge_weakens_protection", "the edge lets pages load anything", "Content-Security-Policy", "default-src *")


# The firewall


@EDGE.mutation("B01", "the firewall's rule about hosts lacks a host")
def firewall_forgets_a_host(plan: Plan) -> bool:
    own = next(each for each in azure.firewall(plan)["customRules"] if each["name"] == "otherHosts")
    own["matchConditions"][0]["matchValues"] = ["another.example"]
    return True


def _hides(variable: str, operator: str, selector: str) -> None:
    def change(plan: Plan) -> bool:
        rules = azure.firewall(plan)["policySettings"]["logScrubbing"]["scrubbingRules"]
        rules.append({"matchVariable": variable, "selectorMatchOperator": operator, "selector": selector, "state": "Enabled"})
        return True

    change.__name__ = f"firewall_hides_{variable}_{selector.strip('*') or 'all'}".lower()
    EDGE.mutation("W04", f"the firewall hides {variable} {selector} in its log")(change)


_hides("RequestIPAddress", "EqualsAny", "*")
_hides("RequestArgNames", "EqualsAny", "*")
_hides("RequestHeaderNames", "EqualsAny", "*")
_hides("RequestHeaderNames", "Equals", "user-agent")


@EDGE.mutation("W03", "the firewall has an old version of its rules beside the new one")
def rules_of_two_versions(plan: Plan) -> bool:
    azure.firewall(plan)["managedRules"]["managedRuleSets"].insert(0, {"ruleSetType": "Microsoft_DefaultRuleSet", "ruleSetVersion": "1.1"})
    return True


@EDGE.mutation("P07", "the firewall's rules are told how much they mind")
def rules_of_low_sensitivity(plan: Plan) -> bool:
    rule = {"ruleId": "500100", "state": "Enabled", "sensitivity": "Low"}
    own = azure.firewall(plan)["managedRules"]["managedRuleSets"][0]
    own["ruleGroupOverrides"] = [{"ruleGroupName": "ExcessiveRequests", "rules": [rule]}]
    return True


# Who connects


def _enters(subnet: str, protocol: str, rule: str) -> None:
    def change(plan: Plan) -> bool:
        source = "VirtualNetwork" if subnet == "apim" else "Internet"
        azure.group(plan, subnet)["securityRules"].append({**azure.rule(MARKER, 105, source), "protocol": protocol})
        return True

    change.__name__ = f"{protocol}_enters_{subnet}".lower()
    NETWORK.mutation(rule, f"{protocol} comes in to the subnet {subnet}")(change)


_enters("aks", "Udp", "N04")
_enters("aks", "Icmp", "N04")
_enters("aks", "Esp", "N04")
_enters("edge", "Udp", "N04")
_enters("apim", "Udp", "A02")


@NETWORK.mutation("N04", "the nodes' subnet closes for TCP alone")
def closed_for_tcp_alone(plan: Plan) -> bool:
    next(each for each in azure.group(plan, "aks")["securityRules"] if each["name"] == "in-nothing-else")["protocol"] = "Tcp"
    return True


def _endpoints(plan: Plan) -> dict[str, Any]:
    return next(each for each in azure.inputs(plan, "network:VirtualNetwork")["subnets"] if each["name"] == "endpoints")


@NETWORK.mutation("N04", "no security group holds for the vault's private endpoint")
def endpoint_not_fenced(plan: Plan) -> bool:
    _endpoints(plan)["privateEndpointNetworkPolicies"] = "Disabled"
    return True


@NETWORK.mutation("N04", "the same, by saying nothing")
def endpoint_not_fenced_by_default(plan: Plan) -> bool:
    del _endpoints(plan)["privateEndpointNetworkPolicies"]
    return True


def _record(plan: Plan, zone: str, name: str, address: str) -> bool:
    inputs = {"privateZoneName": zone, "resourceGroupName": _group(plan), "recordType": "A", "relativeRecordSetName": name, "ttl": 60}
    plan.add_resource("azure-native:privatedns:PrivateRecordSet", {**inputs, "aRecords": [{"ipv4Address": address}]})
    return True


@NETWORK.mutation("N04", "the vault's private name leads outside")
def vault_name_leads_outside(plan: Plan) -> bool:
    return _record(plan, "privatelink.vaultcore.azure.net", azure.inputs(plan, "keyvault:Vault")["vaultName"], "203.0.113.6")


@NETWORK.mutation("N04", "a private zone leads an issuer's name outside")
def issuer_name_leads_outside(plan: Plan) -> bool:
    network = azure.inputs(plan, "network:VirtualNetwork")
    id_ = f"{SUBSCRIPTION}/resourceGroups/{_group(plan)}/providers/Microsoft.Network/virtualNetworks/{network['virtualNetworkName']}"
    zone = {"privateZoneName": "issuer.example", "resourceGroupName": _group(plan), "location": "global"}
    plan.add_resource("azure-native:privatedns:PrivateZone", zone)
    link = {**zone, "virtualNetworkLinkName": MARKER, "virtualNetwork": {"id": id_}, "registrationEnabled": False}
    plan.add_resource("azure-native:privatedns:VirtualNetworkLink", link)
    return _record(plan, "issuer.example", "@", "203.0.113.6")


@NETWORK.mutation("N12", "the vault's private name is written into a stranger's zone")
def vault_name_of_a_stranger(plan: Plan) -> bool:
    own = azure.inputs(plan, "network:PrivateDnsZoneGroup")["privateDnsZoneConfigs"][0]
    own["privateDnsZoneId"] = f"{ELSEWHERE}/Microsoft.Network/privateDnsZones/other"
    return True


@NETWORK.mutation("N10", "the mesh ingress's load balancer is made by another controller")
def ingress_of_another_controller(plan: Plan) -> bool:
    service = plan.first("Service", where=lambda i: AZURE_INTERNAL in i["metadata"].get("annotations", {}))
    assert service is not None
    plan.edit(service)["spec"]["loadBalancerClass"] = "example.com/public"
    return True


# The cluster


@CLUSTER.mutation("N01", "nothing is said of a public name of the private API")
def public_name_by_default(plan: Plan) -> bool:
    access = azure.cluster(plan)["apiServerAccessProfile"]
    access["enablePrivateCluster"] = True
    access.pop("enablePrivateClusterPublicFQDN", None)
    return True


@CLUSTER.mutation("P07", "the API's private name is in a stranger's zone")
def api_name_of_a_stranger(plan: Plan) -> bool:
    azure.cluster(plan)["apiServerAccessProfile"]["privateDNSZone"] = f"{ELSEWHERE}/Microsoft.Network/privateDnsZones/other"
    return True


@CLUSTER.mutation("N03", "whether nodes have public addresses is not known")
def nodes_perhaps_public(plan: Plan) -> bool:
    azure.inputs(plan, "containerservice:AgentPool")["enableNodePublicIP"] = UNKNOWN
    return True


@CLUSTER.mutation("N11", "whether the add-on for routing is on is not known")
def router_perhaps_on(plan: Plan) -> bool:
    azure.cluster(plan)["addonProfiles"]["httpApplicationRouting"]["enabled"] = UNKNOWN
    return True


@CLUSTER.mutation("N07", "Secrets are encrypted with a key of a stranger's vault")
def secrets_with_a_strangers_key(plan: Plan) -> bool:
    vault = f"{ELSEWHERE}/Microsoft.KeyVault/vaults/stranger"
    key = {"enabled": True, "keyId": "https://stranger.vault.azure.net/keys/one/1", "keyVaultNetworkAccess": "Private"}
    azure.cluster(plan)["securityProfile"]["azureKeyVaultKms"] = {**key, "keyVaultResourceId": vault}
    return True


# Rights, and in whose hands things are


def _another(plan: Plan, suffix: str) -> dict[str, Any]:
    """Return a copy of the assignment by which AKS joins its nodes to their subnet, as one more."""
    record = azure.one(plan, ASSIGNMENT, lambda i: i["scope"].endswith("/subnets/aks"))
    assert record is not None
    made = copy.deepcopy(record)
    made["urn"] += f"-{MARKER}"
    made["inputs"]["roleAssignmentName"] = suffix
    plan.resources.append(made)
    return made["inputs"]


@RIGHTS.mutation("N12", "AKS may change the edge's subnet, and what filters it")
def nodes_change_the_edge(plan: Plan) -> bool:
    own = _another(plan, MARKER)
    own["scope"] = own["scope"].replace("/subnets/aks", "/subnets/edge")
    return True


@RIGHTS.mutation("N12", "AKS may write, and delete, the log of connections")
def nodes_write_flow_logs(plan: Plan) -> bool:
    like = azure.inputs(plan, ASSIGNMENT, lambda i: "/storageAccounts/" in i["scope"])
    _another(plan, MARKER).update({key: like[key] for key in ("roleDefinitionId", "scope")})
    return True


@RIGHTS.mutation("N12", "the flow log's identity may write into a stranger's account")
def flow_logs_of_a_stranger(plan: Plan) -> bool:
    azure.inputs(plan, ASSIGNMENT, lambda i: "/storageAccounts/" in i["scope"])["scope"] = (
        f"{ELSEWHERE}/Microsoft.Storage/storageAccounts/x"
    )
    return True


@RIGHTS.mutation("N12", "pods act as AKS")
def pods_act_as_the_cluster(plan: Plan) -> bool:
    cluster = azure.one(plan, "containerservice:ManagedCluster")
    identity = azure.inputs(plan, "managedidentity:UserAssignedIdentity", lambda i: "-aks-" in i["resourceName"])
    assert cluster is not None
    inputs = {
        "federatedIdentityCredentialResourceName": MARKER,
        "resourceName": identity["resourceName"],
        "resourceGroupName": _group(plan),
        "issuer": UNKNOWN,
        "subject": "system:serviceaccount:cert-manager:cert-manager",
        "audiences": ["api://AzureADTokenExchange"],
    }
    plan.add_resource("azure-native:managedidentity:FederatedIdentityCredential", inputs)
    plan.resources[-1]["propertyDependencies"] = {"issuer": [cluster["urn"]]}
    return True


_STRANGER = f"{ELSEWHERE}/Microsoft.ManagedIdentity/userAssignedIdentities/other"


@RIGHTS.mutation("N12", "AKS acts with a stranger's identity as well")
def cluster_acts_as_a_stranger(plan: Plan) -> bool:
    azure.cluster(plan)["identity"]["userAssignedIdentities"].append(_STRANGER)
    return True


@RIGHTS.mutation("N12", "the edge acts with a stranger's identity as well")
def edge_acts_as_a_stranger(plan: Plan) -> bool:
    azure.edge(plan)["identity"]["userAssignedIdentities"].append(_STRANGER)
    return True


@RIGHTS.mutation("N12", "the API gateway acts with a stranger's identity as well")
def gateway_acts_as_a_stranger(plan: Plan) -> bool:
    azure.service(plan)["identity"] = {"type": "SystemAssigned, UserAssigned", "userAssignedIdentities": [_STRANGER]}
    return True


@RIGHTS.mutation("N12", "the gateway's key is put into a stranger's vault")
def key_in_a_strangers_vault(plan: Plan) -> bool:
    azure.inputs(plan, "keyvault:Secret", lambda i: i["secretName"] == "gateway-client")["vaultName"] = "stranger"
    return True


@RIGHTS.mutation("N12", "the gateway shows the mesh a certificate of a stranger's vault")
def certificate_of_a_strangers_vault(plan: Plan) -> bool:
    azure.inputs(plan, "apimanagement:Certificate")["keyVault"] = {"secretIdentifier": OF_A_STRANGER}
    return True


@RIGHTS.mutation("N12", "a value of the gateway's is taken from a stranger's vault")
def value_of_a_strangers_vault(plan: Plan) -> bool:
    inputs = {"serviceName": azure.service(plan)["serviceName"], "resourceGroupName": _group(plan), "namedValueId": MARKER, "secret": True}
    plan.add_resource("azure-native:apimanagement:NamedValue", {**inputs, "keyVault": {"secretIdentifier": OF_A_STRANGER}})
    return True


@RIGHTS.mutation("P07", "the vault may be emptied for good")
def vault_may_be_purged(plan: Plan) -> bool:
    del azure.inputs(plan, "keyvault:Vault")["properties"]["enablePurgeProtection"]
    return True


@RIGHTS.mutation("P07", "a stranger may have copies of the log of connections made")
def logs_copied_to_another_tenant(plan: Plan) -> bool:
    azure.inputs(plan, "storage:StorageAccount")["allowCrossTenantReplication"] = True
    return True


# The gateway's resources


@GATEWAY.mutation("P07", "somebody owns a consumer's key, and reads it in the developer portal")
def key_of_an_owner(plan: Plan) -> bool:
    if (found := azure.one(plan, "apimanagement:Subscription")) is None:
        return False
    plan.edit(found)["ownerId"] = "/users/other"
    return True


@GATEWAY.mutation("P07", "the gateway's management answers old versions of its API, with keys in clear")
def old_management(plan: Plan) -> bool:
    azure.service(plan)["apiVersionConstraint"]["minApiVersion"] = "2018-01-01"
    return True


@GATEWAY.mutation("P07", "the same, by saying nothing")
def old_management_by_default(plan: Plan) -> bool:
    del azure.service(plan)["apiVersionConstraint"]
    return True


@GATEWAY.mutation("P07", "the gateway shows a backend a certificate of which nobody knows")
def another_certificate_shown(plan: Plan) -> bool:
    azure.inputs(plan, "apimanagement:Backend")["credentials"] = {"certificateIds": [MARKER]}
    return True


@GATEWAY.mutation("P08", "the key of the gateway's own certificate stands in the plan")
def gateway_key_in_clear(plan: Plan) -> bool:
    azure.service(plan)["hostnameConfigurations"][0]["encodedCertificate"] = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
    return True


@GATEWAY.mutation("P07", "the gateway tells a stranger's event hub of each request")
def requests_told_to_a_stranger(plan: Plan) -> bool:
    inputs = {"serviceName": azure.service(plan)["serviceName"], "resourceGroupName": _group(plan), "loggerId": MARKER}
    hub = {"name": MARKER, "endpointAddress": "stranger.servicebus.windows.net", "identityClientId": "SystemAssigned"}
    plan.add_resource("azure-native:apimanagement:Logger", {**inputs, "loggerType": "azureEventHub", "credentials": hub})
    return True


@GATEWAY.mutation("N09", "the gateway tells a stranger's Application Insights of each request")
def traces_told_to_a_stranger(plan: Plan) -> bool:
    inputs = {"serviceName": azure.service(plan)["serviceName"], "resourceGroupName": _group(plan), "loggerId": MARKER}
    stranger = f"{ELSEWHERE}/Microsoft.Insights/components/other"
    plan.add_resource("azure-native:apimanagement:Logger", {**inputs, "loggerType": "applicationInsights", "resourceId": stranger})
    return True


# Logs


def _forgotten(kind: str, segment: str) -> None:
    def change(plan: Plan) -> bool:
        record = azure.one(plan, "monitor:DiagnosticSetting", lambda i: f"/{segment}/" in i["resourceUri"])
        assert record is not None
        plan.remove(record)
        return True

    change.__name__ = f"{kind}_not_logged"
    CLUSTER.mutation("N09", f"nobody writes down what the {kind} does")(change)


_forgotten("gateway", "Microsoft.ApiManagement/service")
_forgotten("vault", "Microsoft.KeyVault/vaults")
_forgotten("workspace", "Microsoft.OperationalInsights/workspaces")


@EDGE.mutation("W04", "the log is that of a stranger's gateway of the same name")
def log_of_a_namesake(plan: Plan) -> bool:
    own = azure.inputs(plan, "monitor:DiagnosticSetting", lambda i: "applicationGateways" in i["resourceUri"])
    own["resourceUri"] = own["resourceUri"].replace(SUBSCRIPTION, "/subscriptions/00000000-0000-0000-0000-0000000000ff")
    return True


@GATEWAY.mutation("N09", "the gateway writes down one request of a hundred")
def requests_sampled(plan: Plan) -> bool:
    azure.inputs(plan, "apimanagement:Diagnostic", lambda i: i["diagnosticId"] == "azuremonitor")["sampling"]["percentage"] = 1
    return True


@GATEWAY.mutation("P07", "the gateway does not write down who asked")
def clients_not_logged(plan: Plan) -> bool:
    azure.inputs(plan, "apimanagement:Diagnostic", lambda i: i["diagnosticId"] == "azuremonitor")["logClientIp"] = False
    return True


@CLUSTER.mutation("P07", "the workspace writes nothing down after the first megabytes of a day")
def logs_of_a_morning(plan: Plan) -> bool:
    azure.inputs(plan, "operationalinsights:Workspace")["workspaceCapping"] = {"dailyQuotaGb": 0.023}
    return True


@CLUSTER.mutation("P07", "the workspace is of the kind that takes half a gigabyte a day")
def logs_for_free(plan: Plan) -> bool:
    azure.inputs(plan, "operationalinsights:Workspace")["sku"]["name"] = "Free"
    return True


def _collection(plan: Plan) -> dict[str, Any]:
    return azure.inputs(plan, "monitor:DataCollectionRule")


@CLUSTER.mutation("N09", "what containers say is thrown away on its way")
def container_logs_transformed(plan: Plan) -> bool:
    _collection(plan)["dataFlows"][0]["transformKql"] = "source | where false"
    return True


@CLUSTER.mutation("N09", "what containers say is collected and sent nowhere")
def container_logs_not_sent(plan: Plan) -> bool:
    _collection(plan)["dataFlows"][0]["streams"] = ["Microsoft-KubeEvents"]
    return True


@CLUSTER.mutation("N09", "what edge and gateway say is not collected")
def container_logs_of_some(plan: Plan) -> bool:
    settings = _collection(plan)["dataSources"]["extensions"][0]["extensionSettings"]["dataCollectionSettings"]
    settings |= {"namespaceFilteringMode": "Exclude", "namespaces": ["edge", "gateway", "istio-ingress"]}
    return True


@CLUSTER.mutation("N09", "nothing says that the cluster's containers are collected")
def containers_not_associated(plan: Plan) -> bool:
    record = azure.one(plan, "monitor:DataCollectionRuleAssociation")
    assert record is not None
    plan.remove(record)
    return True


@CLUSTER.mutation("N09", "the agent that collects what containers say is off")
def agent_off(plan: Plan) -> bool:
    azure.cluster(plan)["addonProfiles"]["omsagent"]["enabled"] = False
    return True


MUTATIONS: tuple[Mutation, ...] = tuple(mutation for table in (NETWORK, EDGE, GATEWAY, CLUSTER, RIGHTS) for mutation in table.mutations)
