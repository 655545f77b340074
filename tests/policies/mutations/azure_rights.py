"""Ways to give somebody more rights in Azure than the system needs."""

from typing import Any

from policies.reading.cloud.azure.roles import WIDE
from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import Plan

TABLE = Table(CloudFamily.RIGHTS)

ASSIGNMENT = "authorization:RoleAssignment"
SOMEBODY = "00000000-0000-0000-0000-0000000000ff"


def _joining(plan: Plan) -> dict[str, Any]:
    """Return the assignment by which AKS joins its nodes to their subnet."""
    return azure.inputs(plan, ASSIGNMENT, lambda i: i["scope"].endswith("/subnets/aks"))


def _as(plan: Plan, role: str, scope: str) -> bool:
    given = _joining(plan)
    identifier = next(key for key, name in WIDE.items() if name == role)
    given["roleDefinitionId"] = f"{azure.SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{identifier}"
    given["scope"] = scope or given["scope"]
    return True


@TABLE.mutation("N12", "an identity is Owner of the subscription")
def identity_is_owner(plan: Plan) -> bool:
    return _as(plan, "Owner", azure.SUBSCRIPTION)


@TABLE.mutation("N12", "an identity is Contributor at one subnet")
def identity_is_contributor(plan: Plan) -> bool:
    return _as(plan, "Contributor", "")


@TABLE.mutation("N12", "an identity may give roles")
def identity_gives_roles(plan: Plan) -> bool:
    return _as(plan, "User Access Administrator", "")


@TABLE.mutation("N12", "an identity administers the cluster")
def identity_administers_the_cluster(plan: Plan) -> bool:
    return _as(plan, "Azure Kubernetes Service RBAC Cluster Admin", "")


@TABLE.mutation("N12", "an identity has a role of which nothing is known")
def identity_has_a_strange_role(plan: Plan) -> bool:
    given = _joining(plan)
    given["roleDefinitionId"] = f"{azure.SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{SOMEBODY}"
    return True


@TABLE.mutation("N12", "AKS may change every security group: its role is at the resource group")
def role_at_the_group(plan: Plan) -> bool:
    given = _joining(plan)
    given["scope"] = given["scope"].partition("/providers/")[0]
    return True


@TABLE.mutation("N12", "AKS may change a security group")
def role_at_a_security_group(plan: Plan) -> bool:
    given = _joining(plan)
    group = azure.inputs(plan, "network:NetworkSecurityGroup")["networkSecurityGroupName"]
    given["scope"] = f"{given['scope'].partition('/providers/')[0]}/providers/Microsoft.Network/networkSecurityGroups/{group}"
    return True


@TABLE.mutation("N12", "the API gateway reads every secret of the vault")
def role_at_the_vault(plan: Plan) -> bool:
    given = azure.inputs(plan, ASSIGNMENT, lambda i: i["scope"].endswith("/secrets/gateway-client"))
    given["scope"] = given["scope"].partition("/secrets/")[0]
    return True


@TABLE.mutation("N12", "somebody whom the program does not make has a role")
def role_of_somebody(plan: Plan) -> bool:
    plan.add_resource(f"azure-native:{ASSIGNMENT}", {**_joining(plan), "principalId": SOMEBODY, "roleAssignmentName": SOMEBODY})
    return True


@TABLE.mutation("N12", "access policies say who reads the vault")
def vault_with_access_policies(plan: Plan) -> bool:
    properties = azure.inputs(plan, "keyvault:Vault")["properties"]
    properties["enableRbacAuthorization"] = False
    properties["accessPolicies"] = [{"objectId": SOMEBODY, "tenantId": SOMEBODY, "permissions": {"secrets": ["get"]}}]
    return True


@TABLE.mutation("N12", "the vault answers the internet")
def vault_on_the_internet(plan: Plan) -> bool:
    azure.inputs(plan, "keyvault:Vault")["properties"]["publicNetworkAccess"] = "Enabled"
    return True


@TABLE.mutation("N12", "nothing is said about who may ask the vault")
def vault_on_the_internet_by_default(plan: Plan) -> bool:
    del azure.inputs(plan, "keyvault:Vault")["properties"]["publicNetworkAccess"]
    return True


@TABLE.mutation("N12", "the vault lets every network in")
def vault_for_every_network(plan: Plan) -> bool:
    azure.inputs(plan, "keyvault:Vault")["properties"]["networkAcls"]["defaultAction"] = "Allow"
    return True


@TABLE.mutation("N12", "flow logs are read with a key that is nobody's")
def logs_by_key(plan: Plan) -> bool:
    azure.inputs(plan, "storage:StorageAccount")["allowSharedKeyAccess"] = True
    return True


@TABLE.mutation("N12", "flow logs are read by everybody")
def logs_of_everybody(plan: Plan) -> bool:
    del azure.inputs(plan, "storage:StorageAccount")["allowBlobPublicAccess"]
    return True


@TABLE.mutation("N08", "a group administers the cluster that the stack file does not name")
def another_administrators_group(plan: Plan) -> bool:
    azure.cluster(plan)["aadProfile"]["adminGroupObjectIDs"].append(SOMEBODY)
    return True


@TABLE.mutation("N07", "the key of Secrets is asked for over the internet")
def key_over_the_internet(plan: Plan) -> bool:
    key = {"enabled": True, "keyId": "https://kv.vault.azure.net/keys/secrets/1", "keyVaultNetworkAccess": "Public"}
    azure.cluster(plan)["securityProfile"]["azureKeyVaultKms"] = key
    return True


@TABLE.mutation("N07", "the key of Secrets is named and not used")
def key_not_used(plan: Plan) -> bool:
    key = {"enabled": False, "keyId": "https://kv.vault.azure.net/keys/secrets/1", "keyVaultNetworkAccess": "Private"}
    azure.cluster(plan)["securityProfile"]["azureKeyVaultKms"] = key
    return True
