"""Network security groups: who is let through after all rules, Azure's own included."""

from typing import Any

import pytest

from policies.reading.cloud.addresses import OUTSIDE, Addresses, addresses
from policies.reading.cloud.azure.filters import GROUP, SecurityGroup
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, known

NODES, EDGE, GATEWAY = addresses("10.60.0.0/22"), addresses("10.60.4.0/24"), addresses("10.60.5.0/27")
NETWORK = addresses("10.60.0.0/16")


def rule(priority: int, source: str = "*", **more: Any) -> dict[str, Any]:
    return {
        "name": f"rule-{priority}",
        "priority": priority,
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "*",
        "sourceAddressPrefix": source,
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
        **more,
    }


def group(*rules: dict[str, Any]) -> SecurityGroup:
    props = known({"networkSecurityGroupName": "nsg", "securityRules": list(rules)})
    return SecurityGroup(resource=Resource(urn="urn", token=GROUP, kind=GROUP, name="nsg", props=props), network=NETWORK, separate=())


def lets(found: SecurityGroup, peers: Addresses, port: int = 443, transport: str = "TCP", own: Addresses = NODES) -> bool:
    return any(opening.peers & peers for opening in found.openings("in", own, port, transport))


def test_without_rules_the_network_comes_in_and_nobody_else() -> None:
    assert lets(group(), EDGE)
    assert not lets(group(), OUTSIDE)


def test_without_rules_everything_goes_out() -> None:
    assert any(opening.peers & OUTSIDE for opening in group().openings("out", NODES, 443))


def test_the_first_rule_that_matches_decides() -> None:
    assert not lets(group(rule(100, access="Deny"), rule(200, "Internet")), OUTSIDE)
    assert lets(group(rule(200, access="Deny"), rule(100, "Internet")), OUTSIDE)


def test_a_rule_that_refuses_a_part_leaves_the_rest() -> None:
    found = group(rule(100, "10.60.4.0/24", access="Deny"), rule(200, "10.60.0.0/16"), rule(4096, access="Deny"))
    assert not lets(found, EDGE)
    assert lets(found, GATEWAY)


@pytest.mark.parametrize("source", ["*", "Any", "Internet", "0.0.0.0/0", "::/0", "198.51.100.0/24"])
def test_every_spelling_of_the_internet_lets_it_in(source: str) -> None:
    assert lets(group(rule(100, source), rule(4096, access="Deny")), OUTSIDE)


def test_a_rule_holds_for_its_ports_and_transport() -> None:
    found = group(rule(100, "Internet", protocol="Tcp", destinationPortRange="30000-32767"), rule(4096, access="Deny"))
    assert lets(found, OUTSIDE, 30123)
    assert not lets(found, OUTSIDE, 443)
    assert not lets(found, OUTSIDE, 30123, "UDP")


def test_lists_of_prefixes_and_ports_are_read_like_single_ones() -> None:
    many = rule(100, sourceAddressPrefixes=["10.9.0.0/16", "198.51.100.7"], destinationPortRanges=["80", "443-444"])
    del many["sourceAddressPrefix"], many["destinationPortRange"]
    assert lets(group(many, rule(4096, access="Deny")), OUTSIDE, 444)
    assert not lets(group(many, rule(4096, access="Deny")), OUTSIDE, 445)


def test_a_rule_for_a_part_of_what_is_guarded_opens_that_part_and_closes_nothing_else() -> None:
    part = {"destinationAddressPrefix": "10.60.0.0/24"}
    assert lets(group(rule(100, "Internet", **part), rule(4096, access="Deny")), OUTSIDE)
    assert lets(group(rule(100, access="Deny", **part), rule(200, "Internet")), OUTSIDE)


def test_a_refusal_of_some_source_ports_refuses_nobody() -> None:
    assert lets(group(rule(100, access="Deny", sourcePortRange="1024-2048"), rule(200, "Internet")), OUTSIDE)


def test_a_service_tag_is_nobody_but_itself() -> None:
    found = group(rule(100, "ApiManagement"), rule(4096, access="Deny"))
    assert not lets(found, OUTSIDE)
    assert lets(found, Addresses(names=frozenset({"ApiManagement"})))


def test_the_name_of_the_network_is_its_address_space_and_whatever_is_joined_to_it() -> None:
    found = group(rule(100, "VirtualNetwork"), rule(4096, access="Deny"))
    assert lets(found, GATEWAY)
    assert not lets(found, addresses("10.99.0.0/16"))
    assert lets(found, Addresses(names=frozenset({"VirtualNetwork"})))


@pytest.mark.parametrize(
    ("field", "value"), [("access", "Maybe"), ("direction", "Sideways"), ("priority", None), ("sourceAddressPrefix", "10.0.0.0/99")]
)
def test_a_rule_that_cannot_be_read_is_not_known(field: str, value: Any) -> None:
    with pytest.raises(UnknownValueError):
        lets(group({**rule(100), field: value}), OUTSIDE)
