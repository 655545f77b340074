"""AKS opens: its API, its nodes, its users, its network policy."""

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import Plan, manifest

TABLE = Table(CloudFamily.CLUSTER)


@TABLE.mutation("N01", "the Kubernetes API answers everybody")
def api_public(plan: Plan) -> bool:
    access = azure.cluster(plan)["apiServerAccessProfile"]
    access["enablePrivateCluster"] = False
    access.pop("authorizedIPRanges", None)
    return True


@TABLE.mutation("N01", "the Kubernetes API answers a range that is everybody")
def api_for_every_address(plan: Plan) -> bool:
    access = azure.cluster(plan)["apiServerAccessProfile"]
    access |= {"enablePrivateCluster": False, "authorizedIPRanges": ["0.0.0.0/0"]}
    return True


@TABLE.mutation("N01", "the Kubernetes API answers half of the internet, twice")
def api_for_two_halves(plan: Plan) -> bool:
    access = azure.cluster(plan)["apiServerAccessProfile"]
    access |= {"enablePrivateCluster": False, "authorizedIPRanges": ["0.0.0.0/1", "128.0.0.0/1"]}
    return True


@TABLE.mutation("N03", "nodes of the system pool have public addresses")
def system_nodes_public(plan: Plan) -> bool:
    azure.cluster(plan)["agentPoolProfiles"][0]["enableNodePublicIP"] = True
    return True


@TABLE.mutation("N03", "nodes of the user pool have public addresses")
def user_nodes_public(plan: Plan) -> bool:
    azure.inputs(plan, "containerservice:AgentPool")["enableNodePublicIP"] = True
    return True


@TABLE.mutation("N06", "nothing enforces NetworkPolicies")
def no_network_policy(plan: Plan) -> bool:
    del azure.cluster(plan)["networkProfile"]["networkPolicy"]
    return True


@TABLE.mutation("N06", "the engine is switched off by name")
def network_policy_none(plan: Plan) -> bool:
    azure.cluster(plan)["networkProfile"]["networkPolicy"] = "none"
    return True


@TABLE.mutation("N08", "RBAC is off")
def rbac_off(plan: Plan) -> bool:
    azure.cluster(plan)["enableRBAC"] = False
    return True


@TABLE.mutation("N08", "local accounts are on")
def local_accounts(plan: Plan) -> bool:
    azure.cluster(plan)["disableLocalAccounts"] = False
    return True


@TABLE.mutation("N09", "nobody writes down who asks the API for what")
def api_not_logged(plan: Plan) -> bool:
    setting = azure.one(plan, "monitor:DiagnosticSetting", lambda i: "managedClusters" in i["resourceUri"])
    assert setting is not None
    plan.remove(setting)
    return True


@TABLE.mutation("N11", "the add-on for routing is on")
def router_addon(plan: Plan) -> bool:
    azure.cluster(plan)["addonProfiles"]["httpApplicationRouting"] = {"enabled": True}
    return True


@TABLE.mutation("N11", "the web app routing add-on is on")
def web_app_routing(plan: Plan) -> bool:
    azure.cluster(plan)["ingressProfile"] = {"webAppRouting": {"enabled": True}}
    return True


@TABLE.mutation("P07", "AKS brings a mesh of its own")
def own_mesh(plan: Plan) -> bool:
    azure.cluster(plan)["serviceMeshProfile"] = {"mode": "Istio"}
    return True


@TABLE.mutation("P07", "operators run commands past the network")
def run_command(plan: Plan) -> bool:
    azure.cluster(plan)["apiServerAccessProfile"]["disableRunCommand"] = False
    return True


@TABLE.mutation("A13", "a service holds the key of the authority")
def authority_in_a_namespace_of_services(plan: Plan) -> bool:
    authority = next(r for r in plan.resources if r["type"].endswith(":CertificateAuthority") and "boundary" in r["urn"])
    plan.add(
        manifest("v1", "Secret", "authority", plan.app_namespaces()[0], stringData={"tls.key": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"})
    )
    plan.resources[-1]["propertyDependencies"] = {"stringData": [authority["urn"]]}
    return True


@TABLE.mutation("A13", "a service holds the gateway's certificate")
def gateway_certificate_in_a_namespace_of_services(plan: Plan) -> bool:
    held = next(r for r in plan.resources if r["type"].endswith(":Certificate") and r["inputs"].get("uris"))
    plan.add(manifest("v1", "Secret", "gateway", plan.app_namespaces()[0], stringData={"tls.key": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}))
    plan.resources[-1]["propertyDependencies"] = {"stringData": [held["urn"]]}
    return True


@TABLE.mutation("A13", "the cluster's identity may read every secret of the vault, the gateway's key among them")
def vault_open_to_the_cluster(plan: Plan) -> bool:
    reading = azure.one(plan, "authorization:RoleAssignment", lambda i: i["scope"].endswith("/secrets/gateway-client"))
    identity = azure.one(plan, "managedidentity:UserAssignedIdentity", lambda i: "-aks-" in i["resourceName"])
    assert reading is not None
    assert identity is not None
    inputs = {**reading["inputs"], "scope": reading["inputs"]["scope"].partition("/secrets/")[0], "roleAssignmentName": "mutated"}
    plan.add_resource("azure-native:authorization:RoleAssignment", inputs)
    plan.resources[-1]["propertyDependencies"] = {"principalId": [identity["urn"]]}
    return True


@TABLE.mutation("P08", "a key of the vault stands in the plan")
def vault_secret_in_clear(plan: Plan) -> bool:
    azure.inputs(plan, "keyvault:Secret")["properties"]["value"] = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
    return True


@TABLE.mutation("N07", "the temporary disks of a pool are not encrypted")
def temporary_disks_in_clear(plan: Plan) -> bool:
    azure.inputs(plan, "containerservice:AgentPool")["enableEncryptionAtHost"] = False
    return True


@TABLE.mutation("N09", "the agent writes what containers say into a stream that nobody sends on")
def container_logs_in_another_stream(plan: Plan) -> bool:
    source = azure.inputs(plan, "monitor:DataCollectionRule")["dataSources"]["extensions"][0]
    source["extensionSettings"]["dataCollectionSettings"]["enableContainerLogV2"] = False
    return True


@TABLE.mutation("N09", "the agent of containers' logs signs in with a key that the workspace does not take")
def agent_signs_in_by_key(plan: Plan) -> bool:
    azure.cluster(plan)["addonProfiles"]["omsagent"]["config"]["useAADAuth"] = "false"
    return True
