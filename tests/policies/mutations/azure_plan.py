"""Questions about a plan of Azure that its mutations ask."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.policies.mutations.plan import MARKER, Plan, Record

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"


def all_of(plan: Plan, kind: str, where: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> Iterator[Record]:
    """Yield the resources of a kind, without the provider's package."""
    for record in plan.resources:
        if record["type"] == f"azure-native:{kind}" and where(record["inputs"]):
            yield record


def one(plan: Plan, kind: str, where: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> Record | None:
    """Return the first resource of a kind."""
    return next(all_of(plan, kind, where), None)


def inputs(plan: Plan, kind: str, where: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
    """Return the inputs of a copy of the first resource of a kind, for a change."""
    record = one(plan, kind, where)
    assert record is not None, f"the plan has no {kind}"
    return plan.edit(record)


def edge(plan: Plan) -> dict[str, Any]:
    """Return the Application Gateway."""
    return inputs(plan, "network:ApplicationGateway")


def firewall(plan: Plan) -> dict[str, Any]:
    """Return the firewall's policy."""
    return inputs(plan, "network:WebApplicationFirewallPolicy")


def service(plan: Plan) -> dict[str, Any]:
    """Return the API Management service."""
    return inputs(plan, "apimanagement:ApiManagementService")


def cluster(plan: Plan) -> dict[str, Any]:
    """Return the AKS cluster."""
    return inputs(plan, "containerservice:ManagedCluster")


def group(plan: Plan, subnet: str) -> dict[str, Any]:
    """Return the network security group of a subnet."""
    return inputs(plan, "network:NetworkSecurityGroup", lambda i: f"nsg-{subnet}-" in i["networkSecurityGroupName"])


def policy(plan: Plan, containing: str) -> dict[str, Any] | None:
    """Return the first policy of an operation in which a text stands."""
    record = one(plan, "apimanagement:ApiOperationPolicy", lambda i: containing in i["value"])
    return plan.edit(record) if record else None


def rule(name: str, priority: int, source: str, *, port: str = "*", target: str = "*", **more: Any) -> dict[str, Any]:
    """Return an inbound rule that allows."""
    return {
        "name": name,
        "priority": priority,
        "access": "Allow",
        "direction": "Inbound",
        "protocol": "*",
        "sourceAddressPrefix": source,
        "sourcePortRange": "*",
        "destinationAddressPrefix": target,
        "destinationPortRange": port,
        **more,
    }


def public_address(plan: Plan) -> str:
    """Register a public address and return its id."""
    place = inputs(plan, "resources:ResourceGroup")["resourceGroupName"]
    plan.add_resource(
        "azure-native:network:PublicIPAddress",
        {"publicIpAddressName": MARKER, "resourceGroupName": place, "publicIPAllocationMethod": "Static", "sku": {"name": "Standard"}},
    )
    return f"{SUBSCRIPTION}/resourceGroups/{place}/providers/Microsoft.Network/publicIPAddresses/{MARKER}"


def part(own: dict[str, Any], collection: str, name: str) -> str:
    """Return the id of a part of an Application Gateway."""
    example = own["frontendIPConfigurations"][0]["publicIPAddress"]["id"].partition("/providers/")[0]
    return f"{example}/providers/Microsoft.Network/applicationGateways/{own['applicationGatewayName']}/{collection}/{name}"
