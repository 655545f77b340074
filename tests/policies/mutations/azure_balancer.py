"""Azure's load balancer in front of nginx opens: its address, its Service, the security group around the nodes, the right to the address."""

from collections.abc import Mapping
from typing import Any

from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.azure_overlooked import SEEMING, elsewhere, seeming, way_out
from tests.policies.mutations.mutation import CloudFamily, Table
from tests.policies.mutations.plan import MARKER, UNKNOWN, Plan, Record

TABLE = Table(CloudFamily.NGINX)

ANNOTATION = "service.beta.kubernetes.io/azure-"


def edge_service(plan: Plan) -> dict[str, Any]:
    """Return the Service of the edge."""
    record = plan.public_service()
    assert record is not None
    return plan.edit(record)


def clients(plan: Plan) -> dict[str, Any]:
    """Return the rule that lets clients in."""
    return next(rule for rule in azure.group(plan, "aks")["securityRules"] if rule["name"] == "in-clients")


def address(plan: Plan, named: str) -> Record:
    """Return a public address: `edge` or `nat`."""
    found = azure.one(plan, "network:PublicIPAddress", lambda i: named in i["publicIpAddressName"])
    assert found is not None
    return found


def service(called: str, to: Mapping[str, Any], port: int = 443, **annotations: str) -> dict[str, Any]:
    """Return a Service with a load balancer, in front of what another Service selects."""
    own = {f"{ANNOTATION}{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": called, "namespace": to["metadata"]["namespace"], "annotations": own},
        "spec": {
            "type": "LoadBalancer",
            "externalTrafficPolicy": "Local",
            "selector": dict(to["spec"]["selector"]),
            "ports": [{**to["spec"]["ports"][0], "port": port}],
        },
    }


def of_gateway(plan: Plan) -> Mapping[str, Any]:
    """Return the Service of the API gateway."""
    record = plan.first("Service", where=lambda i: i["metadata"]["namespace"] == "gateway" and i["metadata"]["name"] == "gateway")
    assert record is not None
    return record["inputs"]


@TABLE.mutation("K01", "a second load balancer leads to the gateway, past the WAF")
def balancer_for_the_gateway(plan: Plan) -> bool:
    plan.add(service(MARKER, of_gateway(plan)))
    return True


@TABLE.mutation("N10", "the same at the edge's own address, on the one port that is open")
def balancer_for_the_gateway_at_the_address(plan: Plan) -> bool:
    own = edge_service(plan)["metadata"]["annotations"]
    made = service(MARKER, of_gateway(plan))
    made["metadata"]["annotations"] = dict(own)
    plan.add(made)
    return True


@TABLE.mutation("W08", "the edge's Service leads to the gateway")
def service_leads_to_the_gateway(plan: Plan) -> bool:
    gateway, own = of_gateway(plan), edge_service(plan)
    own["metadata"]["namespace"] = gateway["metadata"]["namespace"]
    own["spec"]["selector"] = dict(gateway["spec"]["selector"])
    own["spec"]["ports"][0]["targetPort"] = gateway["spec"]["ports"][0]["targetPort"]
    return True


@TABLE.mutation("N10", "a second load balancer leads to the edge, at an address of its own")
def balancer_for_the_edge(plan: Plan) -> bool:
    plan.add(service(MARKER, edge_service(plan)))
    return True


@TABLE.mutation("N10", "a second load balancer leads to the edge by another port of its address")
def balancer_for_the_edge_at_its_address(plan: Plan) -> bool:
    own = edge_service(plan)
    made = service(MARKER, own, port=8443)
    made["metadata"]["annotations"] = dict(own["metadata"]["annotations"])
    plan.add(made)
    return True


@TABLE.mutation("N10", "the edge's Service does not say which address it gets")
def address_of_nobody(plan: Plan) -> bool:
    del edge_service(plan)["metadata"]["annotations"][f"{ANNOTATION}pip-name"]
    return True


@TABLE.mutation("N10", "the edge's Service asks for an address in another group")
def address_of_another_group(plan: Plan) -> bool:
    edge_service(plan)["metadata"]["annotations"][f"{ANNOTATION}load-balancer-resource-group"] = MARKER
    return True


@TABLE.mutation("N10", "the edge's Service asks for the address of the nodes' way out")
def address_of_the_way_out(plan: Plan) -> bool:
    way_out = address(plan, "nat")["inputs"]
    edge_service(plan)["metadata"]["annotations"] |= {
        f"{ANNOTATION}pip-name": way_out["publicIpAddressName"],
        f"{ANNOTATION}load-balancer-resource-group": way_out["resourceGroupName"],
    }
    return True


@TABLE.mutation("N10", "the edge's Service is reached by a private link from other networks")
def private_link(plan: Plan) -> bool:
    edge_service(plan)["metadata"]["annotations"][f"{ANNOTATION}pls-create"] = "true"
    return True


@TABLE.mutation("N10", "the edge's Service has further addresses")
def further_addresses(plan: Plan) -> bool:
    edge_service(plan)["metadata"]["annotations"][f"{ANNOTATION}additional-public-ips"] = "198.51.100.7"
    return True


@TABLE.mutation("N10", "packets lose the public address before the nodes: the security group sees another")
def no_floating_address(plan: Plan) -> bool:
    edge_service(plan)["metadata"]["annotations"][f"{ANNOTATION}disable-load-balancer-floating-ip"] = "true"
    return True


@TABLE.mutation("N10", "another controller makes the load balancer")
def another_controller(plan: Plan) -> bool:
    edge_service(plan)["spec"]["loadBalancerClass"] = "example.com/balancer"
    return True


@TABLE.mutation("N10", "a machine has the edge's address too")
def machine_at_the_address(plan: Plan) -> bool:
    own = address(plan, "edge")["inputs"]
    id_ = f"{azure.SUBSCRIPTION}/resourceGroups/{own['resourceGroupName']}/providers/Microsoft.Network/publicIPAddresses"
    settings = {"name": MARKER, "publicIPAddress": {"id": f"{id_}/{own['publicIpAddressName']}"}}
    inputs = {"networkInterfaceName": MARKER, "resourceGroupName": own["resourceGroupName"], "ipConfigurations": [settings]}
    plan.add_resource("azure-native:network:NetworkInterface", inputs)
    return True


@TABLE.mutation("N04", "the security group lets clients in on every port of the edge's address")
def every_port_of_the_address(plan: Plan) -> bool:
    clients(plan)["destinationPortRange"] = "*"
    return True


@TABLE.mutation("N04", "the security group lets clients in on another port of the edge's address besides")
def another_port_of_the_address(plan: Plan) -> bool:
    rules = azure.group(plan, "aks")["securityRules"]
    rules.append(
        {**next(rule for rule in rules if rule["name"] == "in-clients"), "name": MARKER, "priority": 105, "destinationPortRange": "22"}
    )
    return True


@TABLE.mutation("N04", "the security group lets clients in to whatever is in the nodes' subnet")
def clients_to_every_address(plan: Plan) -> bool:
    clients(plan)["destinationAddressPrefix"] = "*"
    return True


@TABLE.mutation("N04", "another port is open at all public addresses, the edge's among them")
def another_port_of_the_internet(plan: Plan) -> bool:
    azure.group(plan, "aks")["securityRules"].append(azure.rule(MARKER, 105, "Internet", port="22", target="Internet"))
    return True


@TABLE.mutation("N04", "another port is open in a public range, of which nobody knows yet whether the edge's address is in it")
def another_port_of_a_range(plan: Plan) -> bool:
    azure.group(plan, "aks")["securityRules"].append(azure.rule(MARKER, 105, "Internet", port="22", target="20.0.0.0/8"))
    return True


@TABLE.mutation("N04", "the security group lets clients in to an address that nobody knows")
def clients_to_an_unknown_address(plan: Plan) -> bool:
    found = azure.one(plan, "network:NetworkSecurityGroup", lambda i: "nsg-aks-" in i["networkSecurityGroupName"])
    assert found is not None
    plan.options(found)["propertyDependencies"] = {}
    return True


@TABLE.mutation("N04", "the security group takes a rule for an unknown source as well")
def unknown_source(plan: Plan) -> bool:
    azure.group(plan, "aks")["securityRules"].append(azure.rule(MARKER, 105, UNKNOWN, port="443", target="10.60.0.0/22"))
    return True


@TABLE.mutation("B01", "nobody is let in to the edge's address")
def clients_refused(plan: Plan) -> bool:
    clients(plan)["access"] = "Deny"
    return True


@TABLE.mutation("B01", "clients are let in on a port on which nobody listens")
def clients_at_another_port(plan: Plan) -> bool:
    clients(plan)["destinationPortRange"] = "8443"
    return True


@TABLE.mutation("W10", "nodes put their own addresses in the place of clients'")
def clients_are_hidden(plan: Plan) -> bool:
    edge_service(plan)["spec"]["externalTrafficPolicy"] = "Cluster"
    return True


@TABLE.mutation("W08", "the mesh ingress has a load balancer, and the annotation that makes it internal is gone")
def ingress_balancer_is_public(plan: Plan) -> bool:
    ingress = plan.first("Service", where=lambda i: "ingress" in i["metadata"]["namespace"])
    assert ingress is not None
    service = plan.edit(ingress)
    service["metadata"]["annotations"] = {}
    service["spec"] |= {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    return True


@TABLE.mutation("N12", "AKS may change every address and network of the environment")
def right_to_the_whole_environment(plan: Plan) -> bool:
    whole = azure.inputs(plan, "resources:ResourceGroup", lambda i: not i["resourceGroupName"].endswith("-edge"))
    grant = azure.inputs(plan, "authorization:RoleAssignment", lambda i: str(i["scope"]).endswith("-edge"))
    grant["scope"] = f"{azure.SUBSCRIPTION}/resourceGroups/{whole['resourceGroupName']}"
    return True


@TABLE.mutation("N12", "something else lies in the group of the edge's address, which AKS may change then")
def group_of_other_things(plan: Plan) -> bool:
    azure.group(plan, "aks")["resourceGroupName"] = address(plan, "edge")["inputs"]["resourceGroupName"]
    return True


@TABLE.mutation("N12", "the address of the nodes' way out lies in the group of the edge's, whose addresses AKS may change")
def group_of_other_addresses(plan: Plan) -> bool:
    own = address(plan, "nat")["inputs"]
    group = address(plan, "edge")["inputs"]["resourceGroupName"]
    way_out = azure.inputs(plan, "network:NatGateway")
    way_out["publicIpAddresses"][0]["id"] = way_out["publicIpAddresses"][0]["id"].replace(f"/{own['resourceGroupName']}/", f"/{group}/")
    plan.edit(address(plan, "nat"))["resourceGroupName"] = group
    return True


@TABLE.mutation("N04", "nodes, and the edge in front of everybody among them, connect to every port outside")
def nodes_leave_by_every_port(plan: Plan) -> bool:
    return way_out("aks", "Internet", "*", "Tcp")(plan)


@TABLE.mutation("N04", "nodes are in a network of the same name in somebody else's group")
def nodes_of_another_group(plan: Plan) -> bool:
    pool = azure.inputs(plan, "containerservice:AgentPool")
    pool["vnetSubnetID"] = elsewhere(pool["vnetSubnetID"])
    return True


@TABLE.mutation("N04", "another port of the edge's address is refused by IPv6, and open by IPv4")
def another_port_refused_by_ipv6(plan: Plan) -> bool:
    refusal, _ = SEEMING["refused_at_addresses_of_ipv6"]
    target = clients(plan)["destinationAddressPrefix"]
    azure.group(plan, "aks")["securityRules"] += seeming(refusal, target=target)
    return True
