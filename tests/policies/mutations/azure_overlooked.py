"""Edits of good plans of Azure of which the judge knew nothing until somebody read field by field what it passed: ways out, counts, waits, keys."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.azure_plan import SUBSCRIPTION
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import MARKER, UNKNOWN, Plan

NETWORK = Table(CloudFamily.NETWORK)
EDGE = Table(CloudFamily.EDGE)
GATEWAY = Table(CloudFamily.GATEWAY)
RIGHTS = Table(CloudFamily.RIGHTS)

OPERATION_POLICY = "apimanagement:ApiOperationPolicy"
OF_A_STRANGER = "https://stranger.vault.azure.net"


# Ways out


WAYS_OUT = {
    "nodes_to_every_port": ("aks", "Internet", "*", "Tcp", "nodes connect to every port outside"),
    "nodes_to_another_port": ("aks", "203.0.113.7", "22", "Tcp", "nodes connect to a port outside for which nobody asks"),
    "nodes_to_a_service_of_azure": ("aks", "AzureCloud", "445", "Tcp", "nodes connect to another port of whoever is in Azure"),
    "nodes_to_names_outside": ("aks", "8.8.8.8", "53", "Udp", "nodes ask somebody outside for names"),
    "nodes_ping": ("aks", "Internet", "*", "Icmp", "nodes speak ICMP with everybody"),
    "nodes_to_joined_networks": ("aks", "VirtualNetwork", "443", "Tcp", "nodes connect to every network that is joined to this one"),
    "nodes_to_a_private_range": ("aks", "192.168.0.0/16", "443", "Tcp", "nodes connect to a network that is joined to this one"),
    "gateway_to_every_port": ("apim", "Internet", "*", "Tcp", "API Management connects to every port outside"),
    "gateway_to_a_range_of_ports": ("apim", "Internet", "80-443", "Tcp", "it connects to all ports between two that it needs"),
    "gateway_to_any_database": ("apim", "Internet", "1433", "Tcp", "it connects to any database, and not to Azure's alone"),
    "ingress_to_the_internet": ("ingress", "Internet", "443", "Tcp", "the subnet of ingresses has a way out"),
    "endpoints_to_the_internet": ("endpoints", "*", "443", "Tcp", "the subnet of private endpoints has a way out"),
    "api_to_the_internet": ("apiserver", "Internet", "443", "Tcp", "the subnet of the Kubernetes API has a way out"),
}
"""Rules by which a subnet connects to what nothing in it needs: subnet, target, port, transport."""


def leaves(subnet: str, target: str, port: str, protocol: str) -> dict[str, Any]:
    """Return an outbound rule that allows, of a subnet's security group."""
    return azure.rule(f"{MARKER}-{subnet}", 105, "*", port=port, target=target, direction="Outbound", protocol=protocol)


def way_out(subnet: str, target: str, port: str, protocol: str) -> Callable[[Plan], bool]:
    """Return the change that opens a way out of a subnet."""

    def change(plan: Plan) -> bool:
        azure.group(plan, subnet)["securityRules"].append(leaves(subnet, target, port, protocol))
        return True

    return change


for _name, (*_way, _description) in WAYS_OUT.items():
    _change = way_out(*_way)
    _change.__name__ = _name
    NETWORK.mutation("N04", _description)(_change)


@NETWORK.mutation("N04", "a way out is a resource of its own")
def way_out_beside_the_group(plan: Plan) -> bool:
    found = azure.group(plan, "aks")
    own = {key: found[key] for key in ("networkSecurityGroupName", "resourceGroupName")}
    rule = {key: value for key, value in leaves("aks", "Internet", "22", "Tcp").items() if key != "name"}
    plan.add_resource("azure-native:network:SecurityRule", {"securityRuleName": MARKER, **own, **rule})
    return True


@NETWORK.mutation("N04", "nothing closes the ways out of the nodes: Azure's default opens them all")
def ways_out_not_closed(plan: Plan) -> bool:
    found = azure.group(plan, "aks")
    found["securityRules"] = [rule for rule in found["securityRules"] if rule["name"] != "out-nothing-else"]
    return True


@NETWORK.mutation("N04", "nobody knows where a way out leads")
def way_out_unknown(plan: Plan) -> bool:
    return way_out("aks", UNKNOWN, "22", "Tcp")(plan)


# Rules that refuse nobody, and seem to


NOBODYS = [{"id": f"{SUBSCRIPTION}/resourceGroups/rg-other/providers/Microsoft.Network/applicationSecurityGroups/empty"}]
"""A group of machines of which none needs to be there."""
SEEMING: dict[str, tuple[dict[str, Any], str]] = {
    "refused_for_a_group": (
        {"destinationAddressPrefix": "", "destinationApplicationSecurityGroups": NOBODYS},
        "the internet is refused at machines of a group that has none, and let in to all others",
    ),
    "refused_by_ipv6": ({"sourceAddressPrefix": "::/0"}, "the internet is refused by IPv6, and let in by IPv4"),
    "refused_by_ipv6_of_everybody": ({"sourceAddressPrefix": "2000::/3"}, "the same by the range of all that is outside"),
    "refused_at_addresses_of_ipv6": ({"destinationAddressPrefix": "::/0"}, "it is refused at addresses of IPv6, and let in to all others"),
    "refused_from_some_ports": ({"sourcePortRange": "0-1023"}, "it is refused from ports that no client uses"),
}


def seeming(refusal: Mapping[str, Any], *, target: str = "*") -> list[dict[str, Any]]:
    """Return a rule that refuses as little as it says, and after it one that lets the internet in."""
    refuses = {**azure.rule(f"{MARKER}-refuses", 101, "*", port="22", access="Deny"), **refusal}
    return [{key: value for key, value in refuses.items() if value}, azure.rule(MARKER, 102, "Internet", port="22", target=target)]


def _seems(refusal: Mapping[str, Any]) -> Callable[[Plan], bool]:
    def change(plan: Plan) -> bool:
        azure.group(plan, "aks")["securityRules"] += seeming(refusal)
        return True

    return change


for _name, (_refusal, _description) in SEEMING.items():
    _change = _seems(_refusal)
    _change.__name__ = _name
    NETWORK.mutation("N04", _description)(_change)


@NETWORK.mutation("N04", "ways out are refused to machines of a group that has none, and open to all others")
def way_out_refused_for_a_group(plan: Plan) -> bool:
    refuses = leaves("aks", "", "22", "Tcp") | {"name": f"{MARKER}-refuses", "priority": 101, "access": "Deny"}
    del refuses["destinationAddressPrefix"]
    refuses["destinationApplicationSecurityGroups"] = NOBODYS
    azure.group(plan, "aks")["securityRules"] += [refuses, leaves("aks", "Internet", "22", "Tcp")]
    return True


@NETWORK.mutation("N04", "machines of a group, whichever these are, connect to every port outside")
def way_out_of_a_group(plan: Plan) -> bool:
    opens = leaves("aks", "Internet", "22", "Tcp")
    del opens["sourceAddressPrefix"]
    azure.group(plan, "aks")["securityRules"].append(opens | {"sourceApplicationSecurityGroups": NOBODYS})
    return True


# Networks of the same name


def elsewhere(subnet: str) -> str:
    """Return the id of a subnet with the names of the program's own, in somebody else's group."""
    return re.sub("/resourceGroups/[^/]+/", "/resourceGroups/rg-other/", subnet)


@NETWORK.mutation("N04", "nodes are in a stranger's network that has the name of the program's own")
def nodes_in_a_namesake(plan: Plan) -> bool:
    pool = azure.inputs(plan, "containerservice:AgentPool")
    pool["vnetSubnetID"] = elsewhere(pool["vnetSubnetID"])
    return True


@NETWORK.mutation("B01", "API Management is in a network of that name in another subscription")
def gateway_in_a_namesake(plan: Plan) -> bool:
    network = azure.service(plan)["virtualNetworkConfiguration"]
    network["subnetResourceId"] = network["subnetResourceId"].replace(SUBSCRIPTION, "/subscriptions/00000000-0000-0000-0000-0000000000ff")
    return True


@NETWORK.mutation("B01", "the WAF is in a network of that name in somebody else's group")
def edge_in_a_namesake(plan: Plan) -> bool:
    home = azure.edge(plan)["gatewayIPConfigurations"][0]["subnet"]
    home["id"] = elsewhere(home["id"])
    return True


@NETWORK.mutation("N04", "the vault's private endpoint is in a network of that name in somebody else's group")
def endpoint_in_a_namesake(plan: Plan) -> bool:
    home = azure.inputs(plan, "network:PrivateEndpoint")["subnet"]
    home["id"] = elsewhere(home["id"])
    return True


# Counts


def _count_of_its_own(plan: Plan, pattern: str, replacement: str) -> bool:
    """Change the first limit of this form in one operation, of a door that has several."""
    records = [each for each in azure.all_of(plan, OPERATION_POLICY) if re.search(pattern, each["inputs"]["value"])]
    operations = [each["inputs"] for each in azure.all_of(plan, "apimanagement:ApiOperation")]
    titles = {(each["apiId"], each["operationId"]): str(each["displayName"]) for each in operations}
    doors = [titles[each["inputs"]["apiId"], each["inputs"]["operationId"]].split("-")[0] for each in records]
    found = next((each for each, door in zip(records, doors, strict=True) if doors.count(door) > 1), None)
    if found is None:
        return False
    policy = plan.edit(found)
    policy["value"] = re.sub(pattern, replacement, policy["value"])
    return True


@GATEWAY.mutation("A11", "one operation of a door counts its clients by a key of its own")
def count_of_its_own(plan: Plan) -> bool:
    return _count_of_its_own(plan, r'(<(?:rate-limit|quota)-by-key [^>]*counter-key="@\(&quot;)', r"\1mutated/")


@GATEWAY.mutation("A11", "the same by half of the calls in half of the time")
def count_of_its_own_in_another_window(plan: Plan) -> bool:
    pattern = r'<rate-limit-by-key calls="1000" renewal-period="60" counter-key="@\(&quot;'
    return _count_of_its_own(plan, pattern, '<rate-limit-by-key calls="500" renewal-period="30" counter-key="@(&quot;mutated/')


@GATEWAY.mutation("A11", "the same by a quota alone")
def quota_of_its_own(plan: Plan) -> bool:
    return _count_of_its_own(plan, r'(<quota-by-key [^>]*counter-key="@\(&quot;)', r"\1mutated/")


@GATEWAY.mutation("A11", "one counter counts for a second and for a minute")
def count_of_two_windows(plan: Plan) -> bool:
    changed = False
    for record in list(azure.all_of(plan, OPERATION_POLICY, lambda i: "/second/" in i["value"] and "/minute/" in i["value"])):
        policy = plan.edit(record)
        policy["value"], changed = policy["value"].replace("/second/", "/minute/"), True
    return changed


# What the gateway passes on, and what Azure refuses


def _kept(plan: Plan, header: str, where: Callable[[str], bool]) -> bool:
    gone = f'<set-header name="{header}" exists-action="delete" />'
    records = list(azure.all_of(plan, OPERATION_POLICY, lambda i: gone in i["value"] and where(i["value"])))
    for record in records[:1]:
        policy = plan.edit(record)
        policy["value"] = policy["value"].replace(gone, "")
    return bool(records)


@GATEWAY.mutation("A07", "a public door passes on a token that nobody has verified")
def token_kept_at_a_public_door(plan: Plan) -> bool:
    return _kept(plan, "authorization", lambda text: "context.Subscription" not in text)


@GATEWAY.mutation("A07", "a door for keys passes on a token that nobody has verified")
def token_kept_at_a_door_for_keys(plan: Plan) -> bool:
    return _kept(plan, "authorization", lambda text: "context.Subscription" in text)


@GATEWAY.mutation("A07", "a door for tokens passes on a key that nobody has verified")
def key_kept_at_a_door_for_tokens(plan: Plan) -> bool:
    keyed = azure.one(plan, "apimanagement:Api", lambda i: i["subscriptionRequired"] is True)
    return keyed is not None and _kept(plan, "x-api-key", lambda text: "<validate-jwt" in text)


@GATEWAY.mutation("A14", "a document has two policies in backend, so that Azure refuses it and leaves what was there before")
def two_policies_in_backend(plan: Plan) -> bool:
    policy = azure.inputs(plan, OPERATION_POLICY)
    policy["value"] = policy["value"].replace("<backend>", "<backend><base />", 1)
    return True


@GATEWAY.mutation("B01", "no product has the API whose keys it gives out")
def api_of_no_product(plan: Plan) -> bool:
    links = list(azure.all_of(plan, "apimanagement:ProductApi"))
    for link in links:
        plan.remove(link)
    return bool(links)


@GATEWAY.mutation("A03", "a weak cipher is left to Azure, which has it on")
def cipher_by_default(plan: Plan) -> bool:
    properties = azure.service(plan)["customProperties"]
    del properties["Microsoft.WindowsAzure.ApiManagement.Gateway.Security.Ciphers.TLS_RSA_WITH_AES_128_CBC_SHA"]
    return True


@GATEWAY.mutation("P07", "API Management takes the certificate of its name from a stranger's vault")
def name_of_a_strangers_vault(plan: Plan) -> bool:
    name = azure.service(plan)["hostnameConfigurations"][0]
    name |= {"certificateSource": "KeyVault", "keyVaultId": f"{OF_A_STRANGER}/secrets/one"}
    return True


# The edge


@EDGE.mutation("W13", "the edge waits a day for an answer")
def edge_waits_for_a_day(plan: Plan) -> bool:
    azure.edge(plan)["backendHttpSettingsCollection"][0]["requestTimeout"] = 86400
    return True


@EDGE.mutation("W13", "the edge cuts off slow doors")
def edge_waits_a_second(plan: Plan) -> bool:
    for each in azure.edge(plan)["backendHttpSettingsCollection"]:
        each["requestTimeout"] = 1
    return True


@EDGE.mutation("W13", "nothing says how long the edge waits for an answer")
def edge_waits_by_default(plan: Plan) -> bool:
    del azure.edge(plan)["backendHttpSettingsCollection"][0]["requestTimeout"]
    return True


@EDGE.mutation("W09", "the gateway's certificate is held against another name than the gateway's")
def gateway_verified_by_another_name(plan: Plan) -> bool:
    azure.edge(plan)["backendHttpSettingsCollection"][0]["sniName"] = "elsewhere.example"
    return True


@EDGE.mutation("W10", "files of any size pass the edge")
def files_of_any_size(plan: Plan) -> bool:
    azure.firewall(plan)["policySettings"]["fileUploadEnforcement"] = False
    return True


@EDGE.mutation("W10", "files of gigabytes pass the edge")
def files_of_gigabytes(plan: Plan) -> bool:
    azure.firewall(plan)["policySettings"]["fileUploadLimitInMb"] = 4000
    return True


@RIGHTS.mutation("N12", "the edge shows clients a certificate of a stranger's vault")
def edge_certificate_of_a_stranger(plan: Plan) -> bool:
    azure.edge(plan)["sslCertificates"][0]["keyVaultSecretId"] = f"{OF_A_STRANGER}/secrets/edge-server"
    return True


@RIGHTS.mutation("N12", "it shows one of which the address tells no vault")
def edge_certificate_of_nobody(plan: Plan) -> bool:
    azure.edge(plan)["sslCertificates"][0]["keyVaultSecretId"] = "https://certificates.elsewhere.example/edge-server"
    return True


@RIGHTS.mutation("N12", "disks are encrypted with a key of a stranger's vault")
def disks_with_a_strangers_key(plan: Plan) -> bool:
    if azure.one(plan, "compute:DiskEncryptionSet") is None:
        return False
    azure.inputs(plan, "compute:DiskEncryptionSet")["activeKey"] = {"keyUrl": f"{OF_A_STRANGER}/keys/disks/1"}
    return True


@RIGHTS.mutation("P07", "the provider does not say in which subscription it makes everything")
def subscription_of_whoever_runs_it(plan: Plan) -> bool:
    provider = next(each for each in plan.resources if each["type"] == "pulumi:providers:azure-native")
    del plan.edit(provider)["subscriptionId"]
    return True


@NETWORK.mutation("N09", "the identity of the flow log may write nowhere")
def flow_log_of_no_writer(plan: Plan) -> bool:
    right = azure.one(plan, "authorization:RoleAssignment", lambda i: "/storageAccounts/" in i["scope"])
    assert right is not None
    plan.remove(right)
    return True


@NETWORK.mutation("N09", "the flow log writes as nobody")
def flow_log_of_nobody(plan: Plan) -> bool:
    del azure.inputs(plan, "network:FlowLog")["identity"]
    return True


@NETWORK.mutation("N09", "the flow log goes nowhere")
def flow_log_without_place(plan: Plan) -> bool:
    del azure.inputs(plan, "network:FlowLog")["storageId"]
    return True


@NETWORK.mutation("N09", "nobody writes down who signs in to the cluster")
def no_log_of_users(plan: Plan) -> bool:
    logs = azure.inputs(plan, "monitor:DiagnosticSetting", lambda i: "/managedClusters/" in str(i["resourceUri"]))["logs"]
    logs[:] = [each for each in logs if each.get("category") != "guard"]
    return True


@RIGHTS.mutation("P07", "disks stay with an old version of their key")
def disks_with_an_old_key(plan: Plan) -> bool:
    if azure.one(plan, "compute:DiskEncryptionSet") is None:
        return False
    azure.inputs(plan, "compute:DiskEncryptionSet")["rotationToLatestKeyVersionEnabled"] = False
    return True


@NETWORK.mutation("P07", "the account of flow logs does not let Network Watcher in")
def flow_log_shut_out(plan: Plan) -> bool:
    azure.inputs(plan, "storage:StorageAccount")["networkRuleSet"]["bypass"] = "None"
    return True


@NETWORK.mutation("P07", "logs are collected from nodes of Windows, of which there are none")
def logs_of_no_nodes(plan: Plan) -> bool:
    azure.inputs(plan, "monitor:DataCollectionRule")["kind"] = "Windows"
    return True


@RIGHTS.mutation("P07", "whoever has seen its key writes into Application Insights")
def traces_by_key(plan: Plan) -> bool:
    if azure.one(plan, "applicationinsights:Component") is None:
        return False
    del azure.inputs(plan, "applicationinsights:Component")["disableLocalAuth"]
    return True


MUTATIONS: tuple[Mutation, ...] = tuple(mutation for table in (NETWORK, EDGE, GATEWAY, RIGHTS) for mutation in table.mutations)
