"""The plan of addresses, and settings that cannot be."""

from ipaddress import IPv4Network
from itertools import combinations
from typing import Any

import pytest
from pydantic import ValidationError

from components.aws.addresses import LENGTHS, Tier, plan
from components.aws.settings import AwsSettings

ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
SETTINGS: dict[str, Any] = {
    "accountId": "123456789012",
    "region": "eu-central-1",
    "name": "shop-dev",
    "administrators": ["arn:aws:iam::123456789012:role/admin"],
    "hostedZone": "Z0123456789ABCDEFGHIJ",
}


@pytest.mark.parametrize("network", ["10.70.0.0/16", "10.70.128.0/17", "172.16.0.0/16"])
def test_subnets_lie_inside_the_network_and_none_overlaps_another(network: str) -> None:
    subnets = plan(network, ZONES).subnets
    assert all(subnet.addresses.subnet_of(IPv4Network(network)) for subnet in subnets)
    assert not any(a.addresses.overlaps(b.addresses) for a, b in combinations(subnets, 2))
    assert {(subnet.tier, subnet.zone) for subnet in subnets} == {(tier, zone) for tier in Tier for zone in ZONES}
    assert all(subnet.addresses.prefixlen == LENGTHS[subnet.tier] for subnet in subnets)


def test_a_subnet_is_named_after_its_tier_and_its_zone() -> None:
    assert [subnet.name for subnet in plan("10.70.0.0/16", ZONES).of(Tier.PUBLIC)] == ["public-a", "public-b", "public-c"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"services": "10.70.0.0/20"}, r"network 10\.70\.0\.0/16 and services 10\.70\.0\.0/20 overlap"),
        ({"network": "10.70.0.0/18"}, "too small for the plan of subnets: give it a /17 or larger"),
        ({"network": "10.64.0.0/12"}, "larger than a VPC can be: give it a /16 or smaller"),
        ({"services": "172.20.0.0/25"}, "refused by EKS: give it a range between /24 and /12"),
        ({"services": "10.0.0.0/8", "network": "172.16.0.0/16"}, "refused by EKS: give it a range between /24 and /12"),
        ({"services": "100.64.0.0/16"}, r"refused by EKS: give it a part of 10\.0\.0\.0/8"),
        ({"operators": ["0.0.0.0/0"]}, "is every address: name your own"),
        ({"operators": ["10.8.0.0/24"]}, r"operators 10\.8\.0\.0/24 is refused by EKS"),
        ({"operators": ["203.0.113.10/32"]}, r"operators 203\.0\.113\.10/32 is refused by EKS.*give your public address"),
        ({"administrators": SETTINGS["administrators"] * 2}, "administrators names arn:aws:iam::123456789012:role/admin twice"),
        ({"privateOperators": ["10.8.0.0/24", "10.8.0.0/24"]}, r"privateOperators names 10\.8\.0\.0/24 twice"),
        ({"privateOperators": ["10.0.0.0/7"]}, r"privateOperators 10\.0\.0\.0/7 is not private"),
        ({"privateOperators": ["203.0.113.10/32"]}, "public addresses in operators"),
        ({"availabilityZones": ["us-east-1a", "eu-central-1b", "eu-central-1c"]}, "us-east-1a is not in region eu-central-1"),
        ({"availabilityZones": ["eu-central-1a", "eu-central-1a", "eu-central-1c"]}, "names a zone twice"),
        ({"hostedZone": None}, "neither a certificate nor a hostedZone"),
        ({"certificate": f"arn:aws:acm:us-east-1:123456789012:certificate/{'0' * 36}"}, "not in region eu-central-1"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_to_do(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AwsSettings.model_validate({**SETTINGS, **change})


def test_operators_with_public_addresses_are_taken() -> None:
    assert AwsSettings.model_validate({**SETTINGS, "operators": ["9.9.9.9/32"]}).operators == ("9.9.9.9/32",)


def test_all_mistakes_of_an_environment_are_said_at_once() -> None:
    wrong = {"network": "10.70.0.0/18", "services": "172.20.0.1/16", "operators": ["0.0.0.0/0"], "privateOperators": ["10.8.0.1/24"]}
    match = r"services 172\.20\.0\.1/16 is no range.*too small.*every address.*privateOperators 10\.8\.0\.1/24 is no range"
    with pytest.raises(ValidationError, match=match):
        AwsSettings.model_validate({**SETTINGS, **wrong})


def test_private_operators_may_be_machines_in_the_network_itself() -> None:
    assert AwsSettings.model_validate({**SETTINGS, "privateOperators": ["10.70.4.0/24"]}).private_operators == ("10.70.4.0/24",)


def test_zones_are_those_of_the_region_unless_named() -> None:
    assert AwsSettings.model_validate(SETTINGS).zones == ZONES
    chosen = ["ca-central-1a", "ca-central-1b", "ca-central-1d"]
    given = AwsSettings.model_validate({**SETTINGS, "region": "ca-central-1", "availabilityZones": chosen})
    assert list(given.zones) == chosen
