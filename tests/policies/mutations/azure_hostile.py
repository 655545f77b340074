"""Ways in and out of a good stack in Azure that somebody found who looked for them."""

from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.azure_plan import SUBSCRIPTION
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import MARKER, Plan

NETWORK = Table(CloudFamily.NETWORK)
EDGE = Table(CloudFamily.EDGE)
GATEWAY = Table(CloudFamily.GATEWAY)
CLUSTER = Table(CloudFamily.CLUSTER)
RIGHTS = Table(CloudFamily.RIGHTS)

ELSEWHERE = f"{SUBSCRIPTION}/resourceGroups/rg-other/providers"
"""Resources of somebody else."""
ROOT = "TUlJQnN0cmFuZ2Vy"
"""A certificate that somebody typed."""
TENANT = "00000000-0000-0000-0000-0000000000ff"


# The Kubernetes API and its users


@CLUSTER.mutation("N01", "somebody whom the stack file does not name reaches the Kubernetes API")
def api_of_a_stranger(plan: Plan) -> bool:
    access = azure.cluster(plan)["apiServerAccessProfile"]
    access |= {"enablePrivateCluster": False, "authorizedIPRanges": [*(access.get("authorizedIPRanges") or ()), "198.51.100.66/32"]}
    return True


@CLUSTER.mutation("N08", "users of the cluster are those of another tenant")
def users_of_another_tenant(plan: Plan) -> bool:
    azure.cluster(plan)["aadProfile"]["tenantID"] = TENANT
    return True


@RIGHTS.mutation("N12", "the vault answers users of another tenant")
def vault_of_another_tenant(plan: Plan) -> bool:
    azure.inputs(plan, "keyvault:Vault")["properties"]["tenantId"] = TENANT
    return True


@CLUSTER.mutation("N04", "pods ask somebody outside of the cluster for names")
def name_service_elsewhere(plan: Plan) -> bool:
    azure.cluster(plan)["networkProfile"]["dnsServiceIP"] = "10.99.0.10"
    return True


# What layers believe


def _believes(plan: Plan, store: str) -> bool:
    azure.service(plan)["certificates"].append({"storeName": store, "encodedCertificate": ROOT})
    return True


@GATEWAY.mutation("A04", "API Management believes a root of somebody else")
def root_of_a_stranger(plan: Plan) -> bool:
    return _believes(plan, "Root")


@GATEWAY.mutation("A04", "API Management believes an authority of somebody else")
def authority_of_a_stranger(plan: Plan) -> bool:
    return _believes(plan, "CertificateAuthority")


@GATEWAY.mutation("A04", "API Management believes a root of somebody else in the place of the program's own")
def another_root(plan: Plan) -> bool:
    azure.service(plan)["certificates"] = [{"storeName": "Root", "encodedCertificate": ROOT}]
    return True


@EDGE.mutation("W09", "the edge believes whatever a stranger's root signed")
def edge_root_of_a_stranger(plan: Plan) -> bool:
    azure.edge(plan)["trustedRootCertificates"][0]["data"] = ROOT
    return True


@GATEWAY.mutation("A09", "API Management answers for a stranger's host")
def host_of_a_stranger(plan: Plan) -> bool:
    hosts = azure.service(plan)["hostnameConfigurations"]
    hosts.append({**hosts[0], "hostName": "api.attacker.example", "defaultSslBinding": False})
    return True


@GATEWAY.mutation("A09", "the management of API Management has a name of the system")
def host_of_the_management(plan: Plan) -> bool:
    hosts = azure.service(plan)["hostnameConfigurations"]
    hosts.append({**hosts[0], "type": "Management", "defaultSslBinding": False})
    return True


# Ways out of the network, and names


def _subnet(plan: Plan, name: str) -> dict[str, Any]:
    return next(each for each in azure.inputs(plan, "network:VirtualNetwork")["subnets"] if each["name"] == name)


@NETWORK.mutation("N04", "packets of the nodes go where a stranger's route table says")
def route_table_of_a_stranger(plan: Plan) -> bool:
    _subnet(plan, "aks")["routeTable"] = {"id": f"{ELSEWHERE}/Microsoft.Network/routeTables/other"}
    return True


@NETWORK.mutation("N04", "packets of the gateway leave by a stranger's NAT gateway")
def nat_of_a_stranger(plan: Plan) -> bool:
    _subnet(plan, "apim")["natGateway"] = {"id": f"{ELSEWHERE}/Microsoft.Network/natGateways/other"}
    return True


@NETWORK.mutation("N04", "the same in another subscription, under the names of the program's own")
def nat_of_another_subscription(plan: Plan) -> bool:
    subnet = _subnet(plan, "aks")
    subnet["natGateway"]["id"] = subnet["natGateway"]["id"].replace(SUBSCRIPTION, "/subscriptions/00000000-0000-0000-0000-0000000000ff")
    return True


@RIGHTS.mutation("N12", "the private endpoint leads to a stranger's vault")
def endpoint_of_a_stranger(plan: Plan) -> bool:
    connection = azure.inputs(plan, "network:PrivateEndpoint")["privateLinkServiceConnections"][0]
    connection["privateLinkServiceId"] = f"{ELSEWHERE}/Microsoft.KeyVault/vaults/other"
    return True


@NETWORK.mutation("N04", "another network knows the names of the ingresses, and this one asks outside for them")
def zone_of_a_stranger(plan: Plan) -> bool:
    link = azure.inputs(plan, "privatedns:VirtualNetworkLink", lambda i: i["privateZoneName"] == "mesh.internal")
    link["virtualNetwork"] = {"id": f"{ELSEWHERE}/Microsoft.Network/virtualNetworks/other"}
    return True


@NETWORK.mutation("N04", "no network is linked to the zone of the ingresses' names")
def zone_without_link(plan: Plan) -> bool:
    link = azure.one(plan, "privatedns:VirtualNetworkLink", lambda i: i["privateZoneName"] == "mesh.internal")
    assert link is not None
    plan.remove(link)
    return True


INSIDE = {
    "ingress": ("VirtualNetwork", "AzureLoadBalancer", "10.60.4.0/24", "10.0.0.0/8"),
    "endpoints": ("VirtualNetwork", "AzureLoadBalancer", "192.168.0.0/16"),
    "apiserver": ("VirtualNetwork", "AzureLoadBalancer", "10.60.4.0/24", "192.168.0.0/16"),
    "edge": ("VirtualNetwork", "10.60.0.0/22"),
}
"""Who has no business in a subnet, though he is inside: a network joined to this one, probes, another layer."""


def _enters(subnet: str, source: str) -> None:
    def change(plan: Plan) -> bool:
        azure.group(plan, subnet)["securityRules"].append(azure.rule(MARKER, 2000, source, port="444"))
        return True

    change.__name__ = f"{source.replace('/', '_').replace('.', '_')}_enters_{subnet}"
    NETWORK.mutation("N04", f"{source} connects to the subnet {subnet}")(change)


for _place, _sources in INSIDE.items():
    for _source in _sources:
        _enters(_place, _source)


# Logs


WORKSPACE = f"{ELSEWHERE}/Microsoft.OperationalInsights/workspaces/other"


@CLUSTER.mutation("N09", "the audit log of the Kubernetes API goes to somebody else")
def audit_log_elsewhere(plan: Plan) -> bool:
    azure.inputs(plan, "monitor:DiagnosticSetting", lambda i: "managedClusters" in i["resourceUri"])["workspaceId"] = WORKSPACE
    return True


@EDGE.mutation("N09", "the firewall's log goes to somebody else")
def firewall_log_elsewhere(plan: Plan) -> bool:
    azure.inputs(plan, "monitor:DiagnosticSetting", lambda i: "applicationGateways" in i["resourceUri"])["workspaceId"] = WORKSPACE
    return True


@CLUSTER.mutation("N09", "what containers say goes to somebody else")
def container_logs_elsewhere(plan: Plan) -> bool:
    azure.inputs(plan, "monitor:DataCollectionRule")["destinations"]["logAnalytics"][0]["workspaceResourceId"] = WORKSPACE
    return True


@CLUSTER.mutation("N09", "the agent of containers' logs reports to somebody else")
def agent_reports_elsewhere(plan: Plan) -> bool:
    azure.cluster(plan)["addonProfiles"]["omsagent"]["config"]["logAnalyticsWorkspaceResourceID"] = WORKSPACE
    return True


@NETWORK.mutation("N09", "the log of connections goes to somebody else's account")
def flow_log_elsewhere(plan: Plan) -> bool:
    azure.inputs(plan, "network:FlowLog")["storageId"] = f"{ELSEWHERE}/Microsoft.Storage/storageAccounts/other"
    return True


@NETWORK.mutation("N09", "connections in another network are written down, and none of this one")
def flow_log_of_another_network(plan: Plan) -> bool:
    azure.inputs(plan, "network:FlowLog")["targetResourceId"] = f"{ELSEWHERE}/Microsoft.Network/virtualNetworks/other"
    return True


@NETWORK.mutation("N09", "nobody writes down who connected to whom")
def no_flow_log(plan: Plan) -> bool:
    log = azure.one(plan, "network:FlowLog")
    assert log is not None
    plan.remove(log)
    return True


@NETWORK.mutation("N09", "who connected to whom is forgotten after a day")
def flow_log_forgotten(plan: Plan) -> bool:
    azure.inputs(plan, "network:FlowLog")["retentionPolicy"]["days"] = 1
    return True


@CLUSTER.mutation("N09", "the workspace forgets after a week")
def workspace_forgets(plan: Plan) -> bool:
    azure.inputs(plan, "operationalinsights:Workspace")["retentionInDays"] = 7
    return True


# What the edge lets pass


def _other_hosts(plan: Plan) -> dict[str, Any]:
    return next(each for each in azure.firewall(plan)["customRules"] if each["name"] == "otherHosts")


@EDGE.mutation("W11", "the rule about hosts is off")
def hosts_not_asked(plan: Plan) -> bool:
    _other_hosts(plan)["state"] = "Disabled"
    return True


@EDGE.mutation("W11", "the rule about hosts takes one more")
def one_host_more(plan: Plan) -> bool:
    _other_hosts(plan)["matchConditions"][0]["matchValues"].append("api.attacker.example")
    return True


@EDGE.mutation("W11", "the rule about hosts takes one more, which it compares with by itself")
def one_host_beside(plan: Plan) -> bool:
    conditions = _other_hosts(plan)["matchConditions"]
    conditions.append(conditions[0] | {"matchValues": ["api.attacker.example"]})
    return True


@EDGE.mutation("W11", "the rule about hosts spares one client")
def hosts_of_one_client(plan: Plan) -> bool:
    client = {
        "matchVariables": [{"variableName": "RemoteAddr"}],
        "operator": "IPMatch",
        "negationConditon": True,
        "matchValues": ["203.0.113.7/32"],
    }
    _other_hosts(plan)["matchConditions"].append(client)
    return True


@EDGE.mutation("W11", "the rule about hosts refuses none of its own that are none of others")
def hosts_asked_for_twice(plan: Plan) -> bool:
    conditions = _other_hosts(plan)["matchConditions"]
    conditions.append(conditions[0] | {"negationConditon": False})
    return True


@EDGE.mutation("W11", "the rule about hosts compares what it has decoded")
def hosts_decoded(plan: Plan) -> bool:
    _other_hosts(plan)["matchConditions"][0]["transforms"] = ["UrlDecode"]
    return True


@EDGE.mutation("W11", "the rule about hosts takes whatever ends like one")
def hosts_by_their_end(plan: Plan) -> bool:
    _other_hosts(plan)["matchConditions"][0]["operator"] = "EndsWith"
    return True


@EDGE.mutation("W11", "the rule about hosts refuses the system's own alone")
def hosts_turned_round(plan: Plan) -> bool:
    _other_hosts(plan)["matchConditions"][0]["negationConditon"] = False
    return True


@EDGE.mutation("W11", "the rule about hosts holds for requests alone that meet something else, too")
def hosts_on_a_condition(plan: Plan) -> bool:
    rule = _other_hosts(plan)
    rule["matchConditions"].append(
        {"operator": "Equal", "matchValues": ["TRACE"], "matchVariables": [{"variableName": "RequestMethod"}], "negationConditon": False}
    )
    return True


@EDGE.mutation("W03", "the rule about hosts asks a script in the place of refusing")
def hosts_by_script(plan: Plan) -> bool:
    _other_hosts(plan)["action"] = "JSChallenge"
    return True


@EDGE.mutation("W11", "a redirect to a stranger waits for a rule that uses it")
def redirect_in_waiting(plan: Plan) -> bool:
    azure.edge(plan)["redirectConfigurations"] = [
        {"name": MARKER, "redirectType": "Found", "targetUrl": "https://attacker.example/", "includePath": True}
    ]
    return True


MUTATIONS: tuple[Mutation, ...] = tuple(mutation for table in (NETWORK, EDGE, GATEWAY, CLUSTER, RIGHTS) for mutation in table.mutations)
