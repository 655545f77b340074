"""The plan of addresses."""

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from pydantic import ValidationError

from components.azure.addresses import SIZES, Subnet, plan
from components.azure.settings import AzureSettings

SETTINGS = {
    "subscriptionId": "00000000-0000-0000-0000-000000000001",
    "tenantId": "00000000-0000-0000-0000-000000000002",
    "location": "westeurope",
    "name": "shop-dev",
    "publisher": {"name": "Shop", "email": "api@shop.example"},
    "administrators": ["00000000-0000-0000-0000-000000000003"],
}


@pytest.mark.parametrize("network", ["10.60.0.0/16", "10.60.16.0/20", "172.16.0.0/18"])
def test_subnets_lie_inside_the_network_and_none_overlaps_another(network: str) -> None:
    subnets = plan(network, ["a"]).subnets
    assert set(subnets) == set(Subnet)
    assert all(subnet.subnet_of(IPv4Network(network)) for subnet in subnets.values())
    assert not any(a.overlaps(b) for a, b in combinations(subnets.values(), 2))
    assert {subnet: found.prefixlen for subnet, found in subnets.items()} == dict(SIZES)


def test_each_mesh_has_a_static_address_that_azure_does_not_keep_for_itself() -> None:
    found = plan("10.60.0.0/16", ["banking", "trading"])
    subnet = found.subnets[Subnet.INGRESS]
    assert [str(address) for address in found.ingresses.values()] == [str(subnet[4]), str(subnet[5])]


def test_ranges_of_network_pods_and_services_are_apart() -> None:
    with pytest.raises(ValidationError, match=r"network 10\.244\.0\.0/16 and pods 10\.244\.0\.0/16 overlap"):
        AzureSettings.model_validate({**SETTINGS, "network": "10.244.0.0/16"})


def test_a_network_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValidationError, match="too small for the plan of subnets: give it a /20 or larger"):
        AzureSettings.model_validate({**SETTINGS, "network": "10.60.0.0/21"})


@pytest.mark.parametrize("name", ["shop--dev", "-shop", "shop-", "1shop", "s"])
def test_a_name_that_a_key_vault_could_not_have_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="one at a time, beginning with a letter"):
        AzureSettings.model_validate({**SETTINGS, "name": name})


def test_nobody_opens_the_kubernetes_api_to_everybody() -> None:
    with pytest.raises(ValidationError, match="is every address: name your own"):
        AzureSettings.model_validate({**SETTINGS, "operators": ["0.0.0.0/0"]})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("203.0.113.10/32", "is not private: give a part of"),
        ("0.0.0.0/0", "is not private: give a part of"),
        ("10.60.16.0/24", r"and network 10\.60\.0\.0/16 overlap: give the range of a connected network"),
        ("10.244.1.0/24", r"and pods 10\.244\.0\.0/16 overlap"),
        ("10.20.0.1/24", "is no range of IPv4 addresses"),
        ("fd00::/64", "is no range of IPv4 addresses"),
    ],
)
def test_private_operators_are_in_a_private_network_elsewhere(given: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        AzureSettings.model_validate({**SETTINGS, "privateOperators": [given]})


@pytest.mark.parametrize("given", ["10.20.0.0/24", "100.64.8.0/24"])
def test_private_operators_of_a_connected_network_are_accepted(given: str) -> None:
    assert AzureSettings.model_validate({**SETTINGS, "privateOperators": [given]}).private_operators == (given,)


def test_all_mistakes_of_an_environment_are_said_at_once() -> None:
    wrong = {"network": "10.60.0.1/16", "pods": "10.245.0.0/16", "operators": ["0.0.0.0/0"], "privateOperators": ["10.20.0.1/24"]}
    match = r"network 10\.60\.0\.1/16 is no range.*pods.*overlap.*every address.*privateOperators 10\.20\.0\.1/24 is no range"
    with pytest.raises(ValidationError, match=match):
        AzureSettings.model_validate({**SETTINGS, **wrong})
