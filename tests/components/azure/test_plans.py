"""First previews of the Azure environments, for every system: what is made, and that it can be judged."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from openapi_spec_validator import validate

from components.azure.diagnostics import DDOS_LOGS
from components.headers import OVERRIDING, REWRITING
from planner import wire
from planner.errors import PlanError
from planner.plan import Mode
from planner.program import plan_program
from tests.components.azure.systems import CARRIED, PLANS, at_api_management, resources
from tests.policies.mutations.held import hold_clean
from tests.systems import ROOT, topology, topology_file
from topology.load import load
from topology.model.door import ApiKeyAuth

AZURE = "azure-native:"
OF_A_PLAN = pytest.mark.parametrize(("stack", "name"), PLANS)
OF_ONE_WAY = pytest.mark.parametrize(("stack", "name"), [plan for plan in PLANS if plan[1] in CARRIED])
"""Plans without anything of the alternative: `test_alternative.py` says what that adds."""

ANSWERS = "responseHeaderConfigurations"
OPERATION = "apimanagement:ApiOperation"

ONLY_AZURE_KNOWS = {
    # An identity's principal is made with it.
    ("azure-native:authorization:RoleAssignment", "principalId"),
    # The address of API Management inside the network is chosen by Azure; everything else asks for it by name.
    ("azure-native:privatedns:PrivateRecordSet", "aRecords"),
    # Certificates are made on deploy.
    ("azure-native:apimanagement:ApiManagementService", "certificates"),
    ("azure-native:apimanagement:ApiManagementService", "hostnameConfigurations"),
    ("azure-native:network:ApplicationGateway", "trustedRootCertificates"),
    ("azure-native:keyvault:Secret", "properties"),
    # Versions of keys, and keys of consumers.
    ("azure-native:compute:DiskEncryptionSet", "activeKey"),
    ("azure-native:apimanagement:Subscription", "primaryKey"),
}
"""Properties that a first preview may not know: none of them says who reaches what."""

ROLES = {
    ("4d97b98b-1d4f-4787-a291-c67834d212e7", "Microsoft.Network/virtualNetworks/subnets"),
    ("4633458b-17de-408a-b874-0445c86b69e6", "Microsoft.KeyVault/vaults/secrets"),
    ("e147488a-f6f5-4113-8e2d-b22465e65bf6", "Microsoft.KeyVault/vaults/keys"),
    ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Microsoft.Compute/diskEncryptionSets"),
    ("3913510d-42f4-4e42-8a64-420c390055eb", "Microsoft.Insights/components"),
    ("ba92f5b4-2d11-453d-a403-e96b0029c9fe", "Microsoft.Storage/storageAccounts"),
}
"""Every role that some identity has, and the type of the one resource at which it has it."""


def azure(stack: str, name: str) -> Iterator[dict[str, Any]]:
    return (r for r in resources(stack, name) if r["type"].startswith(AZURE))


def of(stack: str, name: str, type_: str) -> list[dict[str, Any]]:
    return [r["inputs"] for r in resources(stack, name) if r["type"] == AZURE + type_]


def type_of(identifier: str) -> str:
    """Return the type of a resource by its id."""
    provider, *path = identifier.partition("/providers/")[2].split("/")
    return "/".join([provider, *path[::2]])


def waited_for(stack: str, name: str, resource: dict[str, Any]) -> set[str]:
    """Return the URNs of all that exists before a resource."""
    found = {r["urn"]: r for r in resources(stack, name)}
    before, asked = set[str](), [resource["urn"]]
    while asked:
        new = set(found[asked.pop()].get("dependencies", ())) - before
        before |= new
        asked += new
    return before


@OF_ONE_WAY
def test_a_first_preview_knows_everything_that_decides_who_reaches_what(stack: str, name: str) -> None:
    unknown = {(r["type"], key) for r in azure(stack, name) for key, value in r["inputs"].items() if wire.has_unknown(value)}
    sealed = {(r["type"], key) for r in azure(stack, name) for key, value in r["inputs"].items() if wire.UNKNOWN in str(value)}
    assert unknown | sealed <= ONLY_AZURE_KNOWS


@OF_A_PLAN
def test_the_only_public_addresses_are_those_of_the_edge_and_of_the_nodes_way_out(stack: str, name: str) -> None:
    addresses = {inputs["publicIpAddressName"] for inputs in of(stack, name, "network:PublicIPAddress")}
    assert {address.rsplit("-", 2)[0] for address in addresses} == {"pip-edge", "pip-nat"}
    (edge,) = of(stack, name, "network:ApplicationGateway")
    (nat,) = of(stack, name, "network:NatGateway")
    assert edge["frontendIPConfigurations"][0]["publicIPAddress"]["id"].rpartition("/")[2].startswith("pip-edge")
    assert nat["publicIpAddresses"][0]["id"].rpartition("/")[2].startswith("pip-nat")
    pools = [*of(stack, name, "containerservice:AgentPool"), *of(stack, name, "containerservice:ManagedCluster")[0]["agentPoolProfiles"]]
    assert all(pool["enableNodePublicIP"] is False for pool in pools)


@OF_A_PLAN
def test_every_subnet_has_a_security_group_that_comes_before_it(stack: str, name: str) -> None:
    (network,) = [r for r in azure(stack, name) if r["type"].endswith(":VirtualNetwork")]
    groups = {inputs["networkSecurityGroupName"] for inputs in of(stack, name, "network:NetworkSecurityGroup")}
    attached = [subnet["networkSecurityGroup"]["id"].rpartition("/")[2] for subnet in network["inputs"]["subnets"]]
    assert sorted(attached) == sorted(groups)
    waited = [urn for urn in network["propertyDependencies"]["subnets"] if "NetworkSecurityGroup" in urn]
    assert len(waited) == len(groups)


@OF_ONE_WAY
def test_an_identity_has_one_narrow_role_at_one_resource(stack: str, name: str) -> None:
    granted = {
        (inputs["roleDefinitionId"].rpartition("/")[2], type_of(inputs["scope"]))
        for inputs in of(stack, name, "authorization:RoleAssignment")
    }
    assert granted <= ROLES
    names = [inputs["roleAssignmentName"] for inputs in of(stack, name, "authorization:RoleAssignment")]
    assert len(names) == len(set(names))


@OF_ONE_WAY
def test_the_rights_of_the_cluster_come_before_it_and_it_before_everything_inside(stack: str, name: str) -> None:
    (cluster,) = [r for r in azure(stack, name) if r["type"].endswith(":ManagedCluster")]
    assert sum("RoleAssignment::aks-joins" in urn for urn in cluster["dependencies"]) == 3
    (provider,) = [r for r in resources(stack, name) if r["type"] == "pulumi:providers:kubernetes"]
    assert {urn.rpartition("::")[2] for urn in provider["dependencies"]} >= {"aks", "aks-user"}


@OF_A_PLAN
def test_every_azure_resource_has_an_explicit_provider_and_name(stack: str, name: str) -> None:
    for r in azure(stack, name):
        assert "::pulumi:providers:azure-native::azure::" in r["provider"], r["urn"]
    for r in resources(stack, name):
        if r["type"].startswith("kubernetes:"):
            assert "::pulumi:providers:kubernetes::cluster::" in r["provider"], r["urn"]


@OF_A_PLAN
def test_the_gateway_is_inside_the_network_and_takes_one_change_at_a_time(stack: str, name: str) -> None:
    (service,) = of(stack, name, "apimanagement:ApiManagementService")
    assert service["virtualNetworkType"] == "Internal"
    changes = [
        r
        for r in azure(stack, name)
        if re.search(r":(Policy|Backend|Api\w*|Product\w*|Subscription|Logger|Diagnostic|NamedValue|resources:Deployment)$", r["type"])
    ]
    changes = [r for r in changes if not r["type"].endswith("ApiManagementService")]
    chain = {r["urn"]: set(r["dependencies"]) & {other["urn"] for other in changes} for r in changes}

    @cache
    def before(urn: str) -> int:
        return 1 + max((before(other) for other in chain[urn]), default=0)

    assert sorted(before(urn) for urn in chain) == list(range(1, len(chain) + 1))


@OF_A_PLAN
def test_every_operation_has_a_policy_and_a_backend_that_is_verified(stack: str, name: str) -> None:
    operations = {(i["apiId"], i["operationId"]) for i in of(stack, name, "apimanagement:ApiOperation")}
    policies = of(stack, name, "apimanagement:ApiOperationPolicy")
    assert {(i["apiId"], i["operationId"]) for i in policies} == operations
    backends = {i["backendId"]: i for i in of(stack, name, "apimanagement:Backend")}
    assert all(i["tls"] == {"validateCertificateChain": True, "validateCertificateName": True} for i in backends.values())
    assert all(i["url"].startswith("https://") for i in backends.values())
    used = {backend for i in policies for backend in re.findall(r'backend-id="([^"]+)"', i["value"])}
    assert used == set(backends)


@OF_A_PLAN
def test_an_api_asks_for_keys_exactly_where_its_doors_do(stack: str, name: str) -> None:
    t = topology(name)
    asked = {i["apiId"]: i["subscriptionRequired"] for i in of(stack, name, "apimanagement:Api")}
    for i in of(stack, name, "apimanagement:ApiOperation"):
        door = max((d for d in t.doors if i["displayName"].startswith(f"{d}-")), key=len)
        assert asked[i["apiId"]] is ("apiKey" in t.doors[door].auth.model_dump(by_alias=True)), i["displayName"]


def test_a_product_of_two_consumers_has_no_limit_that_refuses_the_second() -> None:
    """API Management counts subscriptions without an owner as one user's (github.com/Azure/apiops, issue 623)."""
    scopes = Counter(r["inputs"]["scope"] for r in azure("azure-dev", "payments") if r["type"].endswith(":Subscription"))
    shared = [scope.rpartition("/")[2] for scope, consumers in scopes.items() if consumers > 1]
    products = {i["productId"]: i for i in of("azure-dev", "payments", "apimanagement:Product")}
    assert shared
    assert all(products[product].get("subscriptionsLimit") is None for product in shared)


@OF_A_PLAN
def test_the_edge_is_a_preventing_firewall_that_knows_the_hosts_and_the_gateway_alone(stack: str, name: str) -> None:
    t = at_api_management(name)
    (edge,) = of(stack, name, "network:ApplicationGateway")
    assert edge["sku"] == {"name": "WAF_v2", "tier": "WAF_v2"}
    assert {listener["hostName"] for listener in edge["httpListeners"]} == set(t.public_hosts())
    assert all(listener["protocol"] == "Https" and listener["requireServerNameIndication"] for listener in edge["httpListeners"])
    (service,) = of(stack, name, "apimanagement:ApiManagementService")
    members = [address["fqdn"] for pool in edge["backendAddressPools"] for address in pool["backendAddresses"]]
    assert members == [f"{service['serviceName']}.azure-api.net"]
    for path_map in edge["urlPathMaps"]:
        assert path_map["defaultBackendAddressPool"]["id"].endswith("/nobody")
        assert len({path for rule in path_map["pathRules"] for path in rule["paths"]}) == len(path_map["pathRules"])
    for policy in of(stack, name, "network:WebApplicationFirewallPolicy"):
        assert (policy["policySettings"]["state"], policy["policySettings"]["mode"]) == ("Enabled", "Prevention")
        assert policy["policySettings"]["requestBodyCheck"] is True
        assert {rules["ruleSetType"] for rules in policy["managedRules"]["managedRuleSets"]} == {
            "Microsoft_DefaultRuleSet",
            "Microsoft_BotManagerRuleSet",
        }


def test_operations_with_bodies_say_how_long_one_may_be() -> None:
    said = {(about["method"], about.get("request", {}).get("description")) for about in of("azure-dev", "payments", OPERATION)}
    assert {method for method, text in said if text} == {"POST", "PATCH"}
    assert {method for method, text in said if not text} == {"GET", "HEAD"}
    assert all(text.startswith("at most ") for _, text in said if text)


@OF_A_PLAN
def test_the_edge_changes_no_more_headers_than_it_can(stack: str, name: str) -> None:
    (edge,) = of(stack, name, "network:ApplicationGateway")
    for rules in edge["rewriteRuleSets"]:
        changes = [change for rule in rules["rewriteRules"] for kind in rule["actionSet"].values() for change in kind]
        assert 0 < len(changes) <= 40


def test_the_edge_takes_out_of_answers_what_a_door_wants_out_and_the_gateway_leaves_in() -> None:
    (edge,) = of("azure-prod", "payments", "network:ApplicationGateway")
    hiding = {
        rules["name"]: [(each["headerName"], each["headerValue"]) for each in rules["rewriteRules"][0]["actionSet"].get(ANSWERS, [])]
        for rules in edge["rewriteRuleSets"]
    }
    assert hiding == {"clean": [], "clean-without-server": [("server", "")]}
    used = {
        path: rule["rewriteRuleSet"]["id"].rpartition("/")[2]
        for paths in edge["urlPathMaps"]
        for rule in paths["pathRules"]
        for path in rule["paths"]
    }
    assert [path for path, rules in used.items() if rules == "clean-without-server"] == ["/v1/catalogue/*"]


def test_no_condition_of_the_firewall_compares_with_more_texts_than_azure_takes(tmp_path: Path) -> None:
    """Of seven hosts, each with and without its port, there are fourteen; Azure takes ten (Learn, `application-gateway-limits`)."""
    document = yaml.safe_load(topology_file("abc").read_text(encoding="utf-8"))
    hosts = [f"api{number}.abc.example" for number in range(1, 8)]
    doors = {
        f"a{number}": document["doors"]["a"] | {"host": host, "paths": [f"/a{number}/*"]} for number, host in enumerate(hosts, start=1)
    }
    file = tmp_path / "seven.topology.yaml"
    file.write_text(yaml.safe_dump(document | {"hosts": hosts, "doors": doors}, sort_keys=False), encoding="utf-8")
    made = plan_program(ROOT, "azure-dev", {"perimeter:topology": str(file)}, mode=Mode.PESSIMISTIC).resources
    (policy,) = [r["inputs"] for r in made if r["type"].endswith(":WebApplicationFirewallPolicy")]
    compared = {rule["name"]: [len(each["matchValues"]) for each in rule["matchConditions"]] for rule in policy["customRules"]}
    assert compared["otherHosts"] == [10, 4]
    assert max(number for numbers in compared.values() for number in numbers) == 10
    hold_clean(made, load(file))


@OF_A_PLAN
def test_every_path_loses_the_same_headers_of_requests(stack: str, name: str) -> None:
    (edge,) = of(stack, name, "network:ApplicationGateway")
    changes = [rules["rewriteRules"][0]["actionSet"]["requestHeaderConfigurations"] for rules in edge["rewriteRuleSets"]]
    assert all(each == changes[0] for each in changes)


@OF_A_PLAN
def test_no_header_that_says_another_path_host_or_method_passes_the_edge(stack: str, name: str) -> None:
    (edge,) = of(stack, name, "network:ApplicationGateway")
    changes = edge["rewriteRuleSets"][0]["rewriteRules"][0]["actionSet"]["requestHeaderConfigurations"]
    removed = {change["headerName"].lower() for change in changes if change["headerValue"] == ""}
    for policy in of(stack, name, "network:WebApplicationFirewallPolicy"):
        rules = [rule for rule in policy["customRules"] if rule["name"] == "overridingHeaders"]
        assert [rule["action"] for rule in rules] == ["Block"]
        refused = {variable["selector"] for rule in rules for variable in rule["matchConditions"][0]["matchVariables"]}
        assert removed | refused >= {*REWRITING, *OVERRIDING}


@OF_A_PLAN
def test_ids_of_parts_of_the_edge_lead_to_parts_of_it(stack: str, name: str) -> None:
    (edge,) = of(stack, name, "network:ApplicationGateway")
    own = f"/applicationGateways/{edge['applicationGatewayName']}/"
    lists = {key: cast("list[dict[str, Any]]", value) for key, value in edge.items() if isinstance(value, list)}
    parts = {(key, part["name"]) for key, values in lists.items() for part in values if "name" in part}
    for identifier in re.findall(r"'id': '([^']+)'", str(edge)):
        if own in identifier:
            kind, _, part = identifier.partition(own)[2].partition("/")
            assert (kind, part) in parts, identifier


@OF_ONE_WAY
def test_ingresses_are_on_private_load_balancers_with_static_addresses_for_the_gateway_alone(stack: str, name: str) -> None:
    services = [r["inputs"] for r in resources(stack, name) if r["type"] == "kubernetes:core/v1:Service"]
    open_ = [service for service in services if service["spec"].get("type", "ClusterIP") != "ClusterIP"]
    t = topology(name)
    assert {s["metadata"]["namespace"] for s in open_} == {t.meshes[t.mesh_of(door.service)].ingress for door in t.doors.values()}
    prefix = "service.beta.kubernetes.io/azure-load-balancer"
    for service in open_:
        said = service["metadata"]["annotations"]
        assert (said[f"{prefix}-internal"], said[f"{prefix}-internal-subnet"]) == ("true", "ingress")
        assert service["spec"]["loadBalancerSourceRanges"] == ["10.60.5.0/27"]
    records = {
        r["aRecords"][0]["ipv4Address"] for r in of(stack, name, "privatedns:PrivateRecordSet") if r["privateZoneName"] == "mesh.internal"
    }
    assert records == {service["metadata"]["annotations"][f"{prefix}-ipv4"] for service in open_}


@OF_ONE_WAY
def test_what_runs_outside_the_cluster_has_no_namespace_inside(stack: str, name: str) -> None:
    namespaces = {r["inputs"]["metadata"]["name"] for r in resources(stack, name) if r["type"] == "kubernetes:core/v1:Namespace"}
    assert not namespaces & {"edge", "gateway", "ratelimit"}


def test_production_has_zones_a_private_api_and_a_key_of_its_own() -> None:
    (cluster,) = of("azure-prod", "abc", "containerservice:ManagedCluster")
    assert cluster["apiServerAccessProfile"]["enablePrivateCluster"] is True
    assert cluster["diskEncryptionSetID"]
    (service,) = of("azure-prod", "abc", "apimanagement:ApiManagementService")
    assert (service["sku"], service["zones"]) == ({"name": "Premium", "capacity": 3}, ["1", "2", "3"])
    (edge,) = of("azure-prod", "abc", "network:ApplicationGateway")
    assert edge["zones"] == ["1", "2", "3"]
    assert edge["autoscaleConfiguration"]["minCapacity"] == len(edge["zones"])
    assert edge["sslCertificates"][0]["keyVaultSecretId"] == "https://kv-certificates.vault.azure.net/secrets/api-abc-example"


def test_a_public_kubernetes_api_is_for_named_addresses() -> None:
    (cluster,) = of("azure-dev", "abc", "containerservice:ManagedCluster")
    access = cluster["apiServerAccessProfile"]
    assert (access["enablePrivateCluster"], access["authorizedIPRanges"]) == (False, ["203.0.113.10/32"])


@OF_A_PLAN
def test_the_cluster_has_no_local_accounts_and_enforces_network_policies(stack: str, name: str) -> None:
    (cluster,) = of(stack, name, "containerservice:ManagedCluster")
    assert cluster["disableLocalAccounts"] is True
    assert cluster["enableRBAC"] is True
    assert cluster["aadProfile"]["enableAzureRBAC"] is True
    assert (cluster["networkProfile"]["networkPolicy"], cluster["networkProfile"]["networkDataplane"]) == ("cilium", "cilium")
    assert cluster["networkProfile"]["outboundType"] == "userAssignedNATGateway"
    assert cluster["addonProfiles"]["httpApplicationRouting"]["enabled"] is False


@OF_A_PLAN
def test_nodes_are_of_a_system_and_a_user_pool_over_three_zones_whose_number_the_autoscaler_owns(stack: str, name: str) -> None:
    (cluster,) = (r for r in azure(stack, name) if r["type"].endswith(":ManagedCluster"))
    (user,) = (r for r in azure(stack, name) if r["type"].endswith(":AgentPool"))
    (system_pool,) = cluster["inputs"]["agentPoolProfiles"]
    pools = {pool["mode"]: pool for pool in (system_pool, user["inputs"])}
    assert set(pools) == {"System", "User"}
    assert pools["System"]["nodeTaints"] == ["CriticalAddonsOnly=true:NoSchedule"]
    assert "nodeTaints" not in pools["User"]
    for pool in pools.values():
        assert pool["availabilityZones"] == ["1", "2", "3"]
        assert pool["enableAutoScaling"] is True
        assert pool["minCount"] <= pool["count"] <= pool["maxCount"]
        assert pool["minCount"] < pool["maxCount"]
    assert (cluster["ignoreChanges"], user["ignoreChanges"]) == (["agentPoolProfiles[0].count"], ["count"])


@OF_A_PLAN
def test_pods_sign_in_to_azure_by_tokens_of_their_own(stack: str, name: str) -> None:
    (cluster,) = of(stack, name, "containerservice:ManagedCluster")
    assert cluster["securityProfile"]["workloadIdentity"] == {"enabled": True}
    assert cluster["oidcIssuerProfile"] == {"enabled": True}


@OF_A_PLAN
def test_the_edge_asks_the_gateway_of_each_host_for_its_status_by_https(stack: str, name: str) -> None:
    (edge,) = of(stack, name, "network:ApplicationGateway")
    probes = {probe["name"]: probe for probe in edge["probes"]}
    assert {probe["host"] for probe in probes.values()} == set(at_api_management(name).public_hosts())
    for probe in probes.values():
        assert (probe["protocol"], probe["path"], probe["match"]) == ("Https", "/status-0123456789abcdef", {"statusCodes": ["200"]})
    for settings in edge["backendHttpSettingsCollection"]:
        probe = probes[settings["probe"]["id"].rpartition("/")[2]]
        assert (settings["protocol"], settings["hostName"]) == ("Https", probe["host"])


@OF_A_PLAN
def test_the_vault_answers_inside_the_network_alone(stack: str, name: str) -> None:
    (vault,) = of(stack, name, "keyvault:Vault")
    assert vault["properties"]["publicNetworkAccess"] == "Disabled"
    assert vault["properties"]["networkAcls"]["defaultAction"] == "Deny"
    assert vault["properties"]["enableRbacAuthorization"] is True
    assert vault["properties"]["enablePurgeProtection"] is True
    assert len(vault["vaultName"]) <= 24


@OF_A_PLAN
def test_what_a_vault_keeps_goes_with_the_vault_which_nobody_outside_the_network_can_ask_to_delete_it(stack: str, name: str) -> None:
    (vault,) = [r for r in azure(stack, name) if r["type"] == "azure-native:keyvault:Vault"]
    kept = [r for r in azure(stack, name) if "vaultName" in r["inputs"] and r is not vault]
    assert {r["type"].rpartition(":")[2] for r in kept} == ({"Secret", "Key"} if stack == "azure-prod" else {"Secret"})
    assert {r.get("deletedWith") for r in kept} == {vault["urn"]}


@OF_A_PLAN
def test_what_is_inside_api_management_goes_with_it_because_a_product_cannot_be_deleted_by_itself(stack: str, name: str) -> None:
    (service,) = [r for r in azure(stack, name) if r["type"].endswith(":ApiManagementService")]
    inside = [r for r in azure(stack, name) if ":apimanagement:" in r["type"] and r is not service]
    assert {r.get("deletedWith") for r in inside} == {service["urn"]}


@OF_A_PLAN
def test_the_logger_that_azure_would_make_by_itself_is_made_before_logs_are_sent(stack: str, name: str) -> None:
    (sent,) = [r for r in azure(stack, name) if "/Microsoft.ApiManagement/" in r["inputs"].get("resourceUri", "")]
    monitor = {r["urn"] for r in azure(stack, name) if "azuremonitor" in (r["inputs"].get("loggerId"), r["inputs"].get("diagnosticId"))}
    assert len(monitor) == 2
    assert monitor <= waited_for(stack, name, sent)


@OF_A_PLAN
def test_the_edge_comes_after_the_gateways_name_policies_and_doors(stack: str, name: str) -> None:
    (edge,) = [r for r in azure(stack, name) if r["type"].endswith(":ApplicationGateway")]
    gateway = {
        r["urn"]
        for r in azure(stack, name)
        if ":apimanagement:" in r["type"] or r["inputs"].get("privateZoneName", "").endswith(".azure-api.net")
    }
    assert gateway <= waited_for(stack, name, edge)


@OF_A_PLAN
def test_no_secret_is_in_the_plan(stack: str, name: str) -> None:
    text = str(resources(stack, name))
    assert "PRIVATE KEY" not in text
    for inputs in of(stack, name, "keyvault:Secret"):
        assert inputs["properties"]["value"] in (wire.KNOWN_SECRET, wire.UNKNOWN_SECRET)


@OF_ONE_WAY
def test_every_layer_sends_its_logs_to_the_workspace(stack: str, name: str) -> None:
    watched = {type_of(inputs["resourceUri"]) for inputs in of(stack, name, "monitor:DiagnosticSetting")}
    assert watched == {
        "Microsoft.Network/applicationGateways",
        "Microsoft.ApiManagement/service",
        "Microsoft.ContainerService/managedClusters",
        "Microsoft.KeyVault/vaults",
        "Microsoft.OperationalInsights/workspaces",
    }


@OF_A_PLAN
def test_flows_of_the_whole_network_are_kept_where_no_key_and_no_network_reaches(stack: str, name: str) -> None:
    (log,) = of(stack, name, "network:FlowLog")
    (account,) = of(stack, name, "storage:StorageAccount")
    assert (log["enabled"], type_of(log["targetResourceId"])) == (True, "Microsoft.Network/virtualNetworks")
    assert log["storageId"].endswith(f"/storageAccounts/{account['accountName']}")
    assert re.fullmatch(r"[a-z0-9]{3,24}", account["accountName"])
    assert (account["publicNetworkAccess"], account["networkRuleSet"]["defaultAction"]) == ("Disabled", "Deny")
    assert (account["allowSharedKeyAccess"], account["allowBlobPublicAccess"], account["minimumTlsVersion"]) == (False, False, "TLS1_2")


@OF_A_PLAN
def test_what_containers_say_goes_to_the_workspace(stack: str, name: str) -> None:
    (cluster,) = of(stack, name, "containerservice:ManagedCluster")
    (rule,) = of(stack, name, "monitor:DataCollectionRule")
    (association,) = of(stack, name, "monitor:DataCollectionRuleAssociation")
    agent = cluster["addonProfiles"]["omsagent"]
    workspace = rule["destinations"]["logAnalytics"][0]["workspaceResourceId"]
    assert agent == {"enabled": True, "config": {"logAnalyticsWorkspaceResourceID": workspace, "useAADAuth": "true"}}
    assert "Microsoft-ContainerLogV2" in rule["dataFlows"][0]["streams"]
    assert association["resourceUri"].endswith(f"/managedClusters/{cluster['resourceName']}")
    assert association["dataCollectionRuleId"].endswith(f"/dataCollectionRules/{rule['dataCollectionRuleName']}")


@OF_A_PLAN
def test_the_developer_portal_is_there_only_where_developers_find_something(stack: str, name: str) -> None:
    t = topology(name)
    (service,) = of(stack, name, "apimanagement:ApiManagementService")
    wanted = bool(t.apis) or any(isinstance(door.auth, ApiKeyAuth) for door in t.doors.values())
    assert (service["developerPortalStatus"], service["legacyPortalStatus"]) == ("Enabled" if wanted else "Disabled", "Disabled")


@OF_A_PLAN
def test_whoever_reads_the_developer_portal_signs_in_before_there_is_anything_to_read(stack: str, name: str) -> None:
    (service,) = of(stack, name, "apimanagement:ApiManagementService")
    made = [r["type"].rpartition(":")[2] for r in azure(stack, name)]
    found = of(stack, name, "resources:Deployment")
    assert len(found) == (service["developerPortalStatus"] == "Enabled")
    for settings in found:
        assert made.index("Deployment") < made.index("Api")
        enabled = {each["name"]: each["properties"]["enabled"] for each in settings["properties"]["template"]["resources"]}
        assert enabled == {f"{service['serviceName']}/{setting}": True for setting in ("signin", "signup")}


def test_the_template_of_the_developer_portal_is_literal_deletes_nothing_and_is_made_again_with_the_service() -> None:
    found = {r["type"].removeprefix(AZURE): r for r in azure("azure-prod", "payments")}
    settings, service = found["resources:Deployment"], found["apimanagement:ApiManagementService"]
    properties = settings["inputs"]["properties"]
    assert (set(properties), properties["mode"]) == ({"mode", "template"}, "Incremental")
    assert '"[' not in json.dumps(properties)
    # In the id, so that a service that is replaced takes it with it: a new one has none of the settings.
    assert settings["propertyDependencies"]["deploymentName"] == [service["urn"]]


@OF_A_PLAN
def test_each_api_has_a_document_that_is_openapi_and_has_its_operations(stack: str, name: str) -> None:
    (gateway,) = [r for r in resources(stack, name) if r["type"] == "perimeter:gateway:ApiManagement"]
    documents = gateway["outputs"]["openapi"]
    operations = {(i["apiId"], i["operationId"]) for i in of(stack, name, "apimanagement:ApiOperation")}
    said = {(api, about["operationId"]) for api, found in documents.items() for path in found["paths"].values() for about in path.values()}
    assert said == operations
    for found in documents.values():
        validate(found)


@OF_A_PLAN
def test_a_path_has_one_set_of_versions_and_its_backend_keeps_what_the_api_swallows(stack: str, name: str) -> None:
    schemes = {i["versionSetId"]: i["versioningScheme"] for i in of(stack, name, "apimanagement:ApiVersionSet")}
    backends = {i["backendId"]: i["url"] for i in of(stack, name, "apimanagement:Backend")}
    sets: dict[str, set[str]] = {}
    for api in of(stack, name, "apimanagement:Api"):
        chosen = api.get("apiVersionSetId", "").rpartition("/")[2]
        sets.setdefault(api["path"], set()).add(chosen)
        begins = "/".join(part for part in (api["path"], api["apiVersion"] if schemes.get(chosen) == "Segment" else "") if part)
        urls = [backends[found] for mesh in topology(name).meshes if (found := f"{api['apiId']}-{mesh}") in backends]
        assert {url.partition("://")[2].partition("/")[2] for url in urls} == {begins}
    assert all(len(of_path) == 1 for of_path in sets.values())


def test_the_program_also_runs_where_outputs_are_known_and_the_kubeconfig_is_secret() -> None:
    config = {"perimeter:topology": str(topology_file("abc"))}
    plan = plan_program(ROOT, "azure-dev", config, mode=Mode.OPTIMISTIC)
    (provider,) = [r for r in plan.resources if r["type"] == "pulumi:providers:kubernetes"]
    assert provider["inputs"]["kubeconfig"] in (wire.KNOWN_SECRET, wire.UNKNOWN_SECRET)


def test_a_system_that_cannot_be_carried_registers_nothing() -> None:
    config = {"perimeter:topology": str(topology_file("brokerage")), "perimeter:alternative": "null"}
    with pytest.raises(PlanError, match=r"doors\.market-data\.service.*gRPC"):
        plan_program(ROOT, "azure-dev", config)


@OF_ONE_WAY
def test_pods_of_an_ingress_accept_the_gateways_addresses_and_its_certificate_alone(stack: str, name: str) -> None:
    t = topology(name)
    of_kind = {
        kind: [r["inputs"] for r in resources(stack, name) if r["type"].endswith(f":{kind}")] for kind in ("NetworkPolicy", "Gateway")
    }
    for mesh in {t.mesh_of(door.service) for door in t.doors.values()}:
        at = t.meshes[mesh].ingress
        (fence,) = [i for i in of_kind["NetworkPolicy"] if (i["metadata"]["namespace"], i["metadata"]["name"]) == (at, "ingress")]
        assert [rule["from"] for rule in fence["spec"]["ingress"]] == [[{"ipBlock": {"cidr": "10.60.5.0/27"}}]]
        (gateway,) = [i for i in of_kind["Gateway"] if (i["metadata"]["namespace"], i["metadata"]["name"]) == (at, "ingress")]
        (server,) = gateway["spec"]["servers"]
        assert f"./{mesh}.mesh.internal" in server["hosts"]
        assert (server["tls"]["mode"], server["tls"]["subjectAltNames"]) == ("MUTUAL", ["spiffe://boundary/ns/gateway/sa/gateway"])


@OF_A_PLAN
def test_both_sides_of_the_hop_into_the_mesh_have_certificates_of_one_authority(stack: str, name: str) -> None:
    found = {(r["type"], r["urn"].rpartition("::")[2]): r for r in resources(stack, name)}
    client = found["pulumi-python:dynamic/perimeter:Certificate", "gateway-client"]
    given = found["kubernetes:core/v1:Secret", "cert-manager/perimeter-boundary"]
    assert client["inputs"]["uris"] == ["spiffe://boundary/ns/gateway/sa/gateway"]
    for one in (client, given):
        assert any("CertificateAuthority::boundary" in urn for urn in one["dependencies"])
    assert ("kubernetes:cert-manager.io/v1:Certificate", "cert-manager/perimeter-boundary") not in found


def test_the_edges_address_is_protected_by_itself_and_tells_of_attacks_where_that_is_asked_for() -> None:
    given = yaml.safe_load((ROOT / "stacks" / "Pulumi.azure-dev.yaml").read_text(encoding="utf-8"))["config"]["perimeter:azure"]
    config = {"perimeter:topology": str(topology_file("abc")), "perimeter:azure": json.dumps({**given, "ddosProtection": True})}
    made = plan_program(ROOT, "azure-dev", config, mode=Mode.PESSIMISTIC).resources
    (address,) = [r["inputs"] for r in made if r["urn"].endswith("::edge-address") and r["type"].endswith(":PublicIPAddress")]
    assert address["ddosSettings"] == {"protectionMode": "Enabled"}
    (told,) = [r["inputs"] for r in made if r["urn"].endswith("::edge-address") and r["type"].endswith(":DiagnosticSetting")]
    assert {log["category"] for log in told["logs"]} == set(DDOS_LOGS)
    assert all("ddosSettings" not in inputs for inputs in of("azure-dev", "abc", "network:PublicIPAddress"))


def test_operators_of_a_private_cluster_reach_its_api_from_a_connected_network_and_the_plan_is_clean() -> None:
    given = yaml.safe_load((ROOT / "stacks" / "Pulumi.azure-prod.yaml").read_text(encoding="utf-8"))["config"]["perimeter:azure"]
    config = {
        "perimeter:topology": str(topology_file("abc")),
        "perimeter:azure": json.dumps({**given, "privateOperators": ["10.20.0.0/24"]}),
    }
    made = plan_program(ROOT, "azure-prod", config, mode=Mode.PESSIMISTIC).resources
    (cluster,) = [r["inputs"] for r in made if r["type"].endswith(":ManagedCluster")]
    assert cluster["apiServerAccessProfile"]["enablePrivateCluster"] is True
    (group,) = [r["inputs"] for r in made if r["urn"].endswith("::nsg-apiserver")]
    (rule,) = [rule for rule in group["securityRules"] if rule["name"] == "in-operators-1"]
    assert (rule["sourceAddressPrefix"], rule["destinationPortRange"], rule["access"]) == ("10.20.0.0/24", "443", "Allow")
    hold_clean(made, topology("abc"), config)


@OF_A_PLAN
def test_a_vault_takes_one_change_at_a_time_and_none_before_its_private_endpoint_is_there(stack: str, name: str) -> None:
    kept = [r for r in azure(stack, name) if r["type"].removeprefix(AZURE) in {"keyvault:Secret", "keyvault:Key"}]
    (endpoint,) = [r["urn"] for r in azure(stack, name) if r["type"].endswith(":PrivateEndpoint")]
    before = {each["urn"]: waited_for(stack, name, each) for each in kept}
    assert all(endpoint in waited for waited in before.values())
    assert sorted(len(before.keys() & waited) for waited in before.values()) == list(range(len(kept)))


@OF_A_PLAN
def test_each_name_of_the_gateway_is_a_zone_that_hides_no_name_of_other_services(stack: str, name: str) -> None:
    (service,) = of(stack, name, "apimanagement:ApiManagementService")
    zones = {inputs["privateZoneName"] for inputs in of(stack, name, "privatedns:PrivateZone")}
    own = {zone for zone in zones if zone.endswith("azure-api.net")}
    roles = {"", ".developer", ".management"} if service["developerPortalStatus"] == "Enabled" else {""}
    assert own == {f"{service['serviceName']}{role}.azure-api.net" for role in roles}
    records = [r for r in of(stack, name, "privatedns:PrivateRecordSet") if r["privateZoneName"] in own]
    assert sorted((r["privateZoneName"], r["relativeRecordSetName"]) for r in records) == sorted((zone, "@") for zone in own)


@OF_A_PLAN
def test_only_application_insights_is_told_how_requests_are_correlated(stack: str, name: str) -> None:
    said = {inputs["diagnosticId"]: inputs.get("httpCorrelationProtocol") for inputs in of(stack, name, "apimanagement:Diagnostic")}
    assert said.items() <= {"azuremonitor": None, "applicationinsights": "W3C"}.items()
