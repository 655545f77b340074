"""Names of somebody else in a good plan of Azure, each where the program's own stood: what the property depended on is kept."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.azure_hostile import ELSEWHERE
from tests.policies.mutations.azure_rights import ASSIGNMENT, SOMEBODY
from tests.policies.mutations.mutation import CloudFamily, Mutation, Table
from tests.policies.mutations.plan import Plan

NETWORK = Table(CloudFamily.NETWORK)
EDGE = Table(CloudFamily.EDGE)
RIGHTS = Table(CloudFamily.RIGHTS)

PROVIDER = "pulumi:providers:azure-native"


def _is_joining(inputs: Mapping[str, Any]) -> bool:
    """Say whether an assignment lets AKS join its nodes to their subnet."""
    return str(inputs["scope"]).endswith("/subnets/aks")


@RIGHTS.mutation("N12", "a role is a stranger's, though it depends on an identity of the program")
def role_of_a_stranger(plan: Plan) -> bool:
    azure.inputs(plan, ASSIGNMENT, _is_joining)["principalId"] = SOMEBODY
    return True


@RIGHTS.mutation("N12", "a role is an identity's of the program or one of another stack, and the plan does not know which")
def role_of_one_of_two(plan: Plan) -> bool:
    record = azure.one(plan, ASSIGNMENT, _is_joining)
    assert record is not None
    needs = plan.options(record)["propertyDependencies"]
    needs["principalId"] = [*needs["principalId"], f"{needs['principalId'][0]}-elsewhere"]
    return True


@NETWORK.mutation("N10", "what leaves goes through an address of another subscription, under the name of the program's own")
def nat_at_an_address_of_another_subscription(plan: Plan) -> bool:
    for each in azure.inputs(plan, "network:NatGateway")["publicIpAddresses"]:
        each["id"] = each["id"].replace(azure.SUBSCRIPTION, f"/subscriptions/{SOMEBODY}")
    return True


def _joining_elsewhere(plan: Plan, old: str, new: str) -> bool:
    for record in [*azure.all_of(plan, ASSIGNMENT, _is_joining)]:
        given = plan.edit(record)
        given["scope"] = given["scope"].replace(old, new)
    return True


@RIGHTS.mutation("N12", "AKS may change a stranger's subnet, of the name of the program's own")
def role_at_a_subnet_of_another_group(plan: Plan) -> bool:
    return _joining_elsewhere(plan, "/resourceGroups/rg-", "/resourceGroups/rg-other-")


@RIGHTS.mutation("N12", "AKS may change a subnet of another network")
def role_at_a_subnet_of_another_network(plan: Plan) -> bool:
    return _joining_elsewhere(plan, "/virtualNetworks/vnet-", "/virtualNetworks/vnet-other-")


@RIGHTS.mutation("N09", "what clients ask API Management is told to a logger that somebody else made")
def logger_of_a_stranger(plan: Plan) -> bool:
    told = azure.inputs(plan, "apimanagement:Diagnostic")
    told["loggerId"] = f"{told['loggerId'].rpartition('/')[0]}/stranger"
    return True


@NETWORK.mutation("P07", "the whole internet is the network's own")
def network_of_everything(plan: Plan) -> bool:
    azure.inputs(plan, "network:VirtualNetwork")["addressSpace"]["addressPrefixes"] = ["0.0.0.0/0"]
    return True


@NETWORK.mutation("N04", "the gateway's subnet lies over all others, so that everybody is the gateway")
def subnet_of_everything(plan: Plan) -> bool:
    network = azure.inputs(plan, "network:VirtualNetwork")
    subnet = next((each for each in network["subnets"] if each["name"] == "apim"), network["subnets"][0])
    subnet["addressPrefix"] = network["addressSpace"]["addressPrefixes"][0]
    return True


@EDGE.mutation("N10", "the edge is reached at a stranger's address")
def edge_at_a_strangers_address(plan: Plan) -> bool:
    front = azure.edge(plan)["frontendIPConfigurations"][0]
    front["publicIPAddress"] = {"id": f"{ELSEWHERE}/Microsoft.Network/publicIPAddresses/other"}
    return True


@NETWORK.mutation("N10", "what leaves goes through a stranger's address, and nothing has the program's own")
def nat_at_a_strangers_address(plan: Plan) -> bool:
    azure.inputs(plan, "network:NatGateway")["publicIpAddresses"] = [{"id": f"{ELSEWHERE}/Microsoft.Network/publicIPAddresses/other"}]
    return True


# Where everything is made


def _everywhere(plan: Plan, change: Callable[[str], str]) -> bool:
    """Change every text that a resource of Azure, or what has an id of one, says."""
    for record in list(plan.resources):
        given: dict[str, Any] = record.get("inputs") or {}
        text = json.dumps(given)
        if (changed := change(text)) != text:
            plan.options(record)["inputs"] = json.loads(changed)
    return True


def _another(plan: Plan, field: str) -> bool:
    """Let the program make everything elsewhere, where all that it says fits together."""
    provider = next(each for each in plan.resources if each["type"] == PROVIDER)
    plan.edit(provider)[field] = SOMEBODY
    return True


@RIGHTS.mutation("N12", "everything is made in a subscription that the stack file does not name")
def another_subscription(plan: Plan) -> bool:
    _everywhere(plan, lambda text: text.replace(azure.SUBSCRIPTION, f"/subscriptions/{SOMEBODY}"))
    return _another(plan, "subscriptionId")


@RIGHTS.mutation("N12", "the provider makes everything in another subscription than the one that ids are of")
def another_subscription_of_the_provider(plan: Plan) -> bool:
    return _another(plan, "subscriptionId")


@RIGHTS.mutation("N12", "users of everything are those of a tenant that the stack file does not name")
def another_tenant(plan: Plan) -> bool:
    azure.inputs(plan, "keyvault:Vault")["properties"]["tenantId"] = SOMEBODY
    azure.cluster(plan)["aadProfile"]["tenantID"] = SOMEBODY
    return _another(plan, "tenantId")


@RIGHTS.mutation("N08", "the same, which the users of the cluster are held to as well")
def another_tenant_of_users(plan: Plan) -> bool:
    return another_tenant(plan)


MUTATIONS: tuple[Mutation, ...] = tuple(mutation for table in (NETWORK, EDGE, RIGHTS) for mutation in table.mutations)
