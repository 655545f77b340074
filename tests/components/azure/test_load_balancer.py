"""Azure with nginx behind a load balancer: what is made, what a first preview knows, and what is refused."""

import json
from typing import Any

import pytest

from components.binding import BindingError, read_binding
from components.edge.load_balancer.carries import uncarried
from components.edge.load_balancer.idle import LEAST, LONGEST, minutes
from planner import wire
from tests.components.azure.systems import NGINX, SETTINGS, ZONE, proved, resources
from tests.systems import SYSTEMS, topology
from topology.model.base import seconds

AZURE = "azure-native:"
EVERY_SYSTEM = pytest.mark.parametrize("name", SYSTEMS)
ONLY_AZURE_KNOWS = {
    ("authorization:RoleAssignment", "principalId"),
    # The number of the edge's address, by the one rule that lets clients in.
    ("network:NetworkSecurityGroup", "securityRules"),
}


def of(made: tuple[dict[str, Any], ...], type_: str) -> list[dict[str, Any]]:
    return [r["inputs"] for r in made if r["type"] == type_]


def azure(name: str, type_: str) -> list[dict[str, Any]]:
    return of(resources(NGINX, name), AZURE + type_)


def edge_service(made: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    (found,) = [i for i in of(made, "kubernetes:core/v1:Service") if i["spec"].get("type", "ClusterIP") != "ClusterIP"]
    return found


@EVERY_SYSTEM
def test_a_first_preview_knows_everything_but_the_number_of_the_address(name: str) -> None:
    made = [r for r in resources(NGINX, name) if r["type"].startswith(AZURE)]
    unknown = {(r["type"].removeprefix(AZURE), key) for r in made for key, value in r["inputs"].items() if wire.UNKNOWN in str(value)}
    assert unknown == ONLY_AZURE_KNOWS


@EVERY_SYSTEM
def test_neither_application_gateway_nor_api_management_nor_their_subnets_are_made(name: str) -> None:
    (network,) = azure(name, "network:VirtualNetwork")
    assert [subnet["name"] for subnet in network["subnets"]] == ["aks", "apiserver", "endpoints"]
    types = {r["type"] for r in resources(NGINX, name)}
    assert not {
        type_ for type_ in types if "ApplicationGateway" in type_ or "apimanagement" in type_ or type_.endswith(":CertificateAuthority")
    }


def test_subnets_lie_where_they_lie_with_another_edge() -> None:
    (network,) = azure("abc", "network:VirtualNetwork")
    (other,) = of(resources("azure-dev", "abc"), f"{AZURE}network:VirtualNetwork")
    elsewhere = {subnet["name"]: subnet["addressPrefix"] for subnet in other["subnets"]}
    assert all(subnet["addressPrefix"] == elsewhere[subnet["name"]] for subnet in network["subnets"])


@EVERY_SYSTEM
def test_the_only_service_with_an_address_outside_is_the_edges_at_the_programs_own_address(name: str) -> None:
    service = edge_service(resources(NGINX, name))
    (address,) = [i for i in azure(name, "network:PublicIPAddress") if i["publicIpAddressName"].startswith("pip-edge")]
    assert (service["metadata"]["namespace"], service["spec"]["type"]) == ("edge", "LoadBalancer")
    said = {key.rpartition("/")[2]: value for key, value in service["metadata"]["annotations"].items()}
    assert said["azure-pip-name"] == address["publicIpAddressName"]
    assert said["azure-load-balancer-resource-group"] == address["resourceGroupName"]
    assert address["publicIPAllocationMethod"] == "Static"
    assert address["sku"] == {"name": "Standard"}


@EVERY_SYSTEM
def test_clients_keep_their_address_and_nothing_goes_by_a_port_of_the_nodes(name: str) -> None:
    spec = edge_service(resources(NGINX, name))["spec"]
    assert (spec["externalTrafficPolicy"], spec["allocateLoadBalancerNodePorts"]) == ("Local", False)
    assert [(port["port"], "nodePort" in port) for port in spec["ports"]] == [(443, False)]


@EVERY_SYSTEM
def test_the_load_balancer_waits_longer_than_any_door(name: str) -> None:
    t = topology(name)
    assert LEAST <= minutes(t) <= LONGEST
    assert all(minutes(t) * 60 > seconds(door.timeout) for door in t.doors.values())


def test_a_door_that_waits_longer_than_a_connection_lives_is_refused() -> None:
    t = topology("brokerage")
    slow = t.model_copy(update={"doors": {"quote-stream": t.doors["quote-stream"].model_copy(update={"timeout": "2h"})}})
    (found,) = uncarried(binding(), slow)
    assert found.path == ("doors", "quote-stream", "timeout")
    assert "100 minutes" in found.reason


@EVERY_SYSTEM
def test_the_address_lies_in_a_group_of_its_own_and_aks_may_change_no_other(name: str) -> None:
    groups = {i["resourceGroupName"] for i in azure(name, "resources:ResourceGroup")}
    (own,) = {group for group in groups if group.endswith("-edge")}
    inside = [r["type"] for r in resources(NGINX, name) if r["inputs"].get("resourceGroupName") == own]
    assert sorted(inside) == [f"{AZURE}network:PublicIPAddress", f"{AZURE}resources:ResourceGroup"]
    scopes = [i["scope"] for i in azure(name, "authorization:RoleAssignment")]
    assert [scope for scope in scopes if "/providers/" not in scope] == [
        f"/subscriptions/{SETTINGS['subscriptionId']}/resourceGroups/{own}"
    ]


def test_the_security_group_of_the_nodes_waits_for_the_address_that_it_names() -> None:
    (group,) = [r for r in resources(NGINX, "abc") if r["inputs"].get("networkSecurityGroupName", "").startswith("nsg-aks")]
    (address,) = [r["urn"] for r in resources(NGINX, "abc") if r["inputs"].get("publicIpAddressName", "").startswith("pip-edge")]
    assert group["propertyDependencies"]["securityRules"] == [address]


@pytest.mark.parametrize(
    ("key", "value", "edge"),
    [
        ("publisher", {"name": "ABC", "email": "api@abc.example"}, "load-balancer"),
        ("discovery", {"customers": "https://login.abc.example/openid"}, "load-balancer"),
        ("applicationInsights", True, "load-balancer"),
        ("dnsZone", ZONE, "application-gateway"),
    ],
)
def test_a_key_for_another_edge_is_refused(key: str, value: object, edge: str) -> None:
    with pytest.raises(BindingError, match=rf"edge {edge} has no use for the key azure\.{key}: remove it"):
        binding(edge, **{key: value})


def test_api_management_needs_a_publisher() -> None:
    with pytest.raises(BindingError, match=r"gateway api-management needs the key azure\.publisher"):
        binding("application-gateway")


def test_a_zone_of_another_subscription_is_refused() -> None:
    with pytest.raises(BindingError, match="the program works in"):
        binding(dnsZone=ZONE.replace("0000", "1111"))


def test_a_host_outside_of_the_zone_is_refused() -> None:
    found = [*uncarried(binding(dnsZone=ZONE), topology("payments"))]
    assert [(finding.path, finding.given) for finding in found] == [(("hosts",), "api.example.com")]


def test_hosts_of_a_zone_get_the_address_itself_and_not_its_number() -> None:
    (record,) = of(proved(), f"{AZURE}dns:RecordSet")
    (address,) = [i for i in of(proved(), f"{AZURE}network:PublicIPAddress") if i["publicIpAddressName"].startswith("pip-edge")]
    assert (record["relativeRecordSetName"], record["zoneName"], record["resourceGroupName"]) == ("api", "abc.example", "rg-dns")
    assert record["targetResource"]["id"].endswith(f"/publicIPAddresses/{address['publicIpAddressName']}")


def test_hosts_of_a_zone_get_a_certificate_that_browsers_trust_and_layers_one_of_the_program() -> None:
    issuers = {i["metadata"]["name"]: i["spec"]["issuerRef"]["name"] for i in of(proved(), "kubernetes:cert-manager.io/v1:Certificate")}
    assert [name for name, issuer in issuers.items() if issuer == "perimeter-proved"] == ["edge-server"]


def test_cert_manager_signs_in_with_its_own_token_and_may_write_into_the_zone_alone() -> None:
    (trust,) = of(proved(), f"{AZURE}managedidentity:FederatedIdentityCredential")
    assert (trust["subject"], trust["issuer"]) == ("system:serviceaccount:cert-manager:cert-manager", wire.UNKNOWN)
    scopes = {i["roleDefinitionId"].rpartition("/")[2]: i["scope"] for i in of(proved(), f"{AZURE}authorization:RoleAssignment")}
    assert scopes["befefa01-2a29-4197-83a8-272ff33ce314"] == ZONE
    (release,) = [i["values"] for i in of(proved(), "kubernetes:helm.sh/v3:Release") if "cert-manager" in i["chart"]]
    assert release["podLabels"] == release["serviceAccount"]["labels"] == {"azure.workload.identity/use": "true"}


def binding(edge: str = "load-balancer", **azure_keys: object) -> Any:
    """Return what the stack file binds, with another edge and further keys."""
    gateway = "envoy-gateway" if edge == "load-balancer" else "api-management"
    own = json.dumps({**SETTINGS, **azure_keys})
    return read_binding({"topology": "stacks/abc.topology.yaml", "cluster": "aks", "edge": edge, "gateway": gateway, "azure": own}, NGINX)
