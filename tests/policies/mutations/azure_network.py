"""Something of Azure's network opens: an address, a rule, a mode, an add-on."""

from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import AZURE_INTERNAL, MARKER, UNKNOWN, Plan, name

TABLE = Table(CloudFamily.NETWORK)


@TABLE.mutation("N04", "the group of the nodes' subnet lets the internet in, by a rule of its own")
def internet_to_nodes_inline(plan: Plan) -> bool:
    azure.group(plan, "aks")["securityRules"].append(azure.rule(MARKER, 105, "Internet", port="443"))
    return True


@TABLE.mutation("N04", "the group of the nodes' subnet lets the internet in, by a rule that is a resource")
def internet_to_nodes_separate(plan: Plan) -> bool:
    found = azure.group(plan, "aks")
    plan.add_resource(
        "azure-native:network:SecurityRule",
        {
            "securityRuleName": MARKER,
            "networkSecurityGroupName": found["networkSecurityGroupName"],
            "resourceGroupName": found["resourceGroupName"],
            **{key: value for key, value in azure.rule(MARKER, 105, "0.0.0.0/0", port="30000-32767").items() if key != "name"},
        },
    )
    return True


@TABLE.mutation("N04", "the same rule under the token of one API version")
def internet_to_nodes_by_version(plan: Plan) -> bool:
    found = azure.group(plan, "aks")
    plan.add_resource(
        "azure-native:network/v20230901:SecurityRule",
        {
            "securityRuleName": MARKER,
            "networkSecurityGroupName": found["networkSecurityGroupName"],
            "resourceGroupName": found["resourceGroupName"],
            **{key: value for key, value in azure.rule(MARKER, 105, "*").items() if key != "name"},
        },
    )
    return True


@TABLE.mutation("N04", "a rule for all of Azure's public addresses, by service tag")
def azure_cloud_to_nodes(plan: Plan) -> bool:
    azure.group(plan, "aks")["securityRules"].append(azure.rule(MARKER, 105, "AzureCloud", port="443"))
    return True


@TABLE.mutation("N04", "the same by a range in a list")
def public_range_to_nodes(plan: Plan) -> bool:
    found = azure.rule(MARKER, 105, "", port="443", sourceAddressPrefixes=["10.0.0.0/8", "198.51.100.0/24"])
    del found["sourceAddressPrefix"]
    azure.group(plan, "aks")["securityRules"].append(found)
    return True


@TABLE.mutation("N04", "the nodes' subnet has no security group")
def nodes_without_group(plan: Plan) -> bool:
    for subnet in azure.inputs(plan, "network:VirtualNetwork")["subnets"]:
        if subnet["name"] == "aks":
            del subnet["networkSecurityGroup"]
    return True


@TABLE.mutation("N04", "the group of the nodes' subnet has no rules: Azure's default lets the whole network in")
def nodes_without_rules(plan: Plan) -> bool:
    azure.group(plan, "aks")["securityRules"] = []
    return True


@TABLE.mutation("N04", "the edge's subnet may connect to the nodes")
def edge_to_nodes(plan: Plan) -> bool:
    azure.group(plan, "aks")["securityRules"].append(azure.rule(MARKER, 105, "10.60.4.0/24", port="443"))
    return True


@TABLE.mutation("N04", "the edge's subnet may connect to the ingress's load balancer")
def edge_to_the_balancer(plan: Plan) -> bool:
    azure.group(plan, "aks")["securityRules"].append(azure.rule(MARKER, 105, "10.60.4.0/24", port="443", target="10.60.5.32/27"))
    return True


@TABLE.mutation("N04", "the internet may connect to the subnet of private endpoints")
def internet_to_endpoints(plan: Plan) -> bool:
    azure.group(plan, "endpoints")["securityRules"].append(azure.rule(MARKER, 105, "Internet", port="443"))
    return True


@TABLE.mutation("N04", "the internet may connect to the Kubernetes API's subnet")
def internet_to_the_api(plan: Plan) -> bool:
    azure.group(plan, "apiserver")["securityRules"].append(azure.rule(MARKER, 105, "*", port="443"))
    return True


@TABLE.mutation("N04", "an operator's public address may connect to the Kubernetes API's subnet")
def public_operator_to_the_api(plan: Plan) -> bool:
    azure.group(plan, "apiserver")["securityRules"].append(azure.rule(MARKER, 105, "203.0.113.10/32", port="443"))
    return True


@TABLE.mutation("N04", "the internet may connect to the edge's subnet on every port")
def internet_to_edge_ports(plan: Plan) -> bool:
    azure.group(plan, "edge")["securityRules"].append(azure.rule(MARKER, 105, "Internet"))
    return True


@TABLE.mutation("N04", "the internet may connect to the ports at which Azure manages the edge")
def internet_to_edge_managers(plan: Plan) -> bool:
    (found,) = (each for each in azure.group(plan, "edge")["securityRules"] if each["sourceAddressPrefix"] == "GatewayManager")
    found["sourceAddressPrefix"] = "Internet"
    return True


@TABLE.mutation("N04", "what manages Azure's gateways may connect to the edge on every port")
def managers_to_edge_ports(plan: Plan) -> bool:
    azure.group(plan, "edge")["securityRules"].append(azure.rule(MARKER, 105, "GatewayManager"))
    return True


@TABLE.mutation("N04", "what manages Azure's gateways may connect to the nodes")
def managers_to_nodes(plan: Plan) -> bool:
    azure.group(plan, "aks")["securityRules"].append(azure.rule(MARKER, 105, "GatewayManager", port="65200-65535"))
    return True


@TABLE.mutation("A02", "what manages Azure's gateways may connect to the gateway")
def managers_to_gateway(plan: Plan) -> bool:
    azure.group(plan, "apim")["securityRules"].append(azure.rule(MARKER, 105, "GatewayManager", port="65200-65535"))
    return True


@TABLE.mutation("N04", "the subnet of private endpoints has no security group")
def endpoints_without_group(plan: Plan) -> bool:
    for subnet in azure.inputs(plan, "network:VirtualNetwork")["subnets"]:
        if subnet["name"] == "endpoints":
            del subnet["networkSecurityGroup"]
    return True


@TABLE.mutation("N04", "a rule of the Kubernetes API's subnet does not say whether it allows")
def rule_without_access(plan: Plan) -> bool:
    del azure.group(plan, "apiserver")["securityRules"][0]["access"]
    return True


@TABLE.mutation("A02", "the gateway's subnet has no security group")
def gateway_without_group(plan: Plan) -> bool:
    for subnet in azure.inputs(plan, "network:VirtualNetwork")["subnets"]:
        if subnet["name"] == "apim":
            del subnet["networkSecurityGroup"]
    return True


@TABLE.mutation("A02", "the whole virtual network may connect to the gateway")
def network_to_gateway(plan: Plan) -> bool:
    azure.group(plan, "apim")["securityRules"].append(azure.rule(MARKER, 105, "VirtualNetwork", port="443"))
    return True


@TABLE.mutation("A02", "the nodes may connect to the gateway")
def nodes_to_gateway(plan: Plan) -> bool:
    azure.group(plan, "apim")["securityRules"].append(azure.rule(MARKER, 105, "10.60.0.0/22", port="443"))
    return True


@TABLE.mutation("A02", "the internet may connect to the gateway's subnet")
def internet_to_gateway(plan: Plan) -> bool:
    azure.group(plan, "apim")["securityRules"].append(azure.rule(MARKER, 105, "Internet", port="80-443"))
    return True


@TABLE.mutation("A02", "the rule that closes the gateway's subnet is gone, so Azure's default lets the network in")
def gateway_not_closed(plan: Plan) -> bool:
    found = azure.group(plan, "apim")
    found["securityRules"] = [rule for rule in found["securityRules"] if rule["priority"] < 4096 or rule["direction"] != "Inbound"]
    return True


@TABLE.mutation("A02", "the rule that closes the gateway's subnet comes after one that opens it")
def gateway_closed_too_late(plan: Plan) -> bool:
    azure.group(plan, "apim")["securityRules"].append(azure.rule(MARKER, 4000, "*", port="443"))
    return True


@TABLE.mutation("N10", "an address of the internet at the cluster")
def public_address_at_the_cluster(plan: Plan) -> bool:
    address = azure.public_address(plan)
    azure.cluster(plan)["networkProfile"]["loadBalancerProfile"] = {"outboundIPs": {"publicIPs": [{"id": address}]}}
    return True


@TABLE.mutation("N10", "a virtual machine with an address of the internet")
def public_address_at_a_machine(plan: Plan) -> bool:
    address = azure.public_address(plan)
    plan.add_resource(
        "azure-native:network:NetworkInterface",
        {"networkInterfaceName": MARKER, "ipConfigurations": [{"name": "one", "publicIPAddress": {"id": address}}]},
    )
    return True


@TABLE.mutation("W08", "the same address, whose id nobody knows yet")
def public_address_by_dependency(plan: Plan) -> bool:
    azure.public_address(plan)
    address = plan.resources[-1]["urn"]
    plan.add_resource("azure-native:network:BastionHost", {"bastionHostName": MARKER, "ipConfigurations": UNKNOWN})
    plan.resources[-1]["propertyDependencies"] = {"ipConfigurations": [address]}
    return True


@TABLE.mutation("A01", "API Management is in the external mode")
def gateway_external(plan: Plan) -> bool:
    azure.service(plan)["virtualNetworkType"] = "External"
    return True


@TABLE.mutation("W08", "API Management is in no network")
def gateway_in_no_network(plan: Plan) -> bool:
    found = azure.service(plan)
    found["virtualNetworkType"] = "None"
    return True


def _ingress_balancer(plan: Plan) -> dict[str, Any]:
    """Return the Service whose load balancer is internal, to be changed."""
    service = plan.first("Service", where=lambda i: AZURE_INTERNAL in i["metadata"].get("annotations", {}))
    assert service is not None
    return plan.edit(service)


@TABLE.mutation("K02", "the annotation that makes the mesh ingress's load balancer internal is gone")
def ingress_balancer_public(plan: Plan) -> bool:
    del _ingress_balancer(plan)["metadata"]["annotations"][AZURE_INTERNAL]
    return True


@TABLE.mutation("W08", "the same, with a value that the cloud does not know")
def ingress_balancer_nearly_internal(plan: Plan) -> bool:
    _ingress_balancer(plan)["metadata"]["annotations"][AZURE_INTERNAL] = "True"
    return True


@TABLE.mutation("K02", "the ingress's load balancer takes everybody inside")
def ingress_balancer_for_all(plan: Plan) -> bool:
    del _ingress_balancer(plan)["spec"]["loadBalancerSourceRanges"]
    return True


@TABLE.mutation("K02", "a private link service in front of the mesh ingress lets other subscriptions in")
def ingress_balancer_private_link(plan: Plan) -> bool:
    annotations = _ingress_balancer(plan)["metadata"]["annotations"]
    annotations |= {"service.beta.kubernetes.io/azure-pls-create": "true", "service.beta.kubernetes.io/azure-pls-visibility": "*"}
    return True


@TABLE.mutation("K02", "the mesh ingress has public addresses besides its internal one")
def ingress_balancer_with_more_addresses(plan: Plan) -> bool:
    _ingress_balancer(plan)["metadata"]["annotations"]["service.beta.kubernetes.io/azure-additional-public-ips"] = "198.51.100.7"
    return True


@TABLE.mutation("W08", "a second load balancer, public, in front of a service")
def service_balancer_public(plan: Plan) -> bool:
    if (service := plan.some_service()) is None:
        return False
    plan.edit(service)["spec"]["type"] = "LoadBalancer"
    return True


@TABLE.mutation("K10", "the addresses of the edge may connect to the mesh ingress, past the gateway")
def edge_to_ingress(plan: Plan) -> bool:
    found = plan.first("NetworkPolicy", where=lambda i: "ipBlock" in str(i["spec"].get("ingress")) and name(i) == "ingress")
    assert found is not None
    plan.edit(found)["spec"]["ingress"][0]["from"].append({"ipBlock": {"cidr": "10.60.4.0/24"}})
    return True


@TABLE.mutation("B01", "the nodes' security group keeps the gateway out")
def gateway_kept_out(plan: Plan) -> bool:
    found = azure.group(plan, "aks")
    found["securityRules"] = [rule for rule in found["securityRules"] if rule["name"] != "in-gateway-to-ingress"]
    return True


@TABLE.mutation("P02", "the network is joined to another")
def network_peered(plan: Plan) -> bool:
    plan.add_resource(
        "azure-native:network:VirtualNetworkPeering",
        {"virtualNetworkName": "vnet", "remoteVirtualNetwork": {"id": "/subscriptions/x/other"}, "allowForwardedTraffic": True},
    )
    return True


@TABLE.mutation("P07", "a route leads through an appliance")
def route_through_an_appliance(plan: Plan) -> bool:
    plan.add_resource(
        "azure-native:network:RouteTable",
        {"routeTableName": MARKER, "routes": [{"name": "all", "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance"}]},
    )
    return True


@TABLE.mutation("B01", "a subnet is said twice, the second time without filter")
def subnet_said_twice(plan: Plan) -> bool:
    network = azure.inputs(plan, "network:VirtualNetwork")
    plan.add_resource(
        "azure-native:network:Subnet",
        {"virtualNetworkName": network["virtualNetworkName"], "subnetName": "aks", "addressPrefix": "10.60.0.0/22"},
    )
    return True
