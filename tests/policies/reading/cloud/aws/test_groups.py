"""Security groups, read from rules in every spelling."""

from typing import Any

import pytest

from policies.reading.cloud.addresses import OUTSIDE, addresses
from policies.reading.cloud.aws.groups import groups_in, members
from policies.reading.cloud.aws.kinds import CLUSTER, EGRESS_RULE, GROUP, GROUP_RULE, INGRESS_RULE
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError
from tests.policies.building import stack_of

UNKNOWN = "<unknown>"


def resource(kind: str, name: str, inputs: dict[str, Any], **dependencies: tuple[str, str]) -> dict[str, Any]:
    needs = {key: [f"urn:pulumi:test::perimeter::{of}::{called}"] for key, (of, called) in dependencies.items()}
    return {"type": kind, "name": name, "inputs": inputs, "propertyDependencies": needs}


def group(name: str, **inputs: Any) -> dict[str, Any]:
    return resource(GROUP, name, inputs)


def ingress(**inputs: Any) -> dict[str, Any]:
    given = {"securityGroupId": UNKNOWN, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, **inputs}
    return resource(INGRESS_RULE, "rule", given, securityGroupId=(GROUP, "nodes"))


def taken(stack: Stack, port: int = 443, transport: str = "TCP") -> list[str]:
    nodes = next(each for each in stack.of(GROUP) if each.name == "nodes")
    around = groups_in(stack).around([nodes])
    return [str(opening.peers) for opening in around.openings("in", addresses("10.0.0.1"), port, transport)]


def test_a_group_without_rules_takes_nobody() -> None:
    assert taken(stack_of([group("nodes")])) == []


@pytest.mark.parametrize(
    "rule",
    [
        ingress(cidrIpv4="10.0.0.0/8"),
        ingress(cidrIpv4="10.0.0.0/8", ipProtocol="6"),
        ingress(cidrIpv4="10.0.0.0/8", ipProtocol="-1", fromPort=None, toPort=None),
        ingress(cidrIpv4="10.0.0.0/8", fromPort=1, toPort=1024),
        resource(
            GROUP_RULE,
            "rule",
            {"type": "ingress", "protocol": "all", "fromPort": 0, "toPort": 0, "cidrBlocks": ["10.0.0.0/8"], "securityGroupId": UNKNOWN},
            securityGroupId=(GROUP, "nodes"),
        ),
    ],
)
def test_rules_of_every_spelling_open_the_same(rule: dict[str, Any]) -> None:
    assert taken(stack_of([group("nodes"), rule])) == ["10.0.0.0/8"]


def test_rules_inside_the_group_count_as_well() -> None:
    inside = [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8", "192.168.0.0/16"]}]
    assert taken(stack_of([group("nodes", ingress=inside)])) == ["10.0.0.0/8", "192.168.0.0/16"]


def test_other_ports_other_protocols_and_ways_out_open_nothing() -> None:
    rules = [
        ingress(cidrIpv4="10.0.0.0/8", fromPort=80, toPort=80),
        {**ingress(cidrIpv4="10.0.0.0/8", ipProtocol="udp"), "name": "udp"},
        {**ingress(cidrIpv4="10.0.0.0/8"), "type": EGRESS_RULE, "name": "out"},
    ]
    assert taken(stack_of([group("nodes"), *rules])) == []


def test_a_group_named_as_peer_stands_for_its_members() -> None:
    rule = resource(
        INGRESS_RULE,
        "rule",
        {"securityGroupId": UNKNOWN, "referencedSecurityGroupId": UNKNOWN, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443},
        securityGroupId=(GROUP, "nodes"),
        referencedSecurityGroupId=(GROUP, "edge"),
    )
    assert taken(stack_of([group("nodes"), group("edge"), rule])) == ["group edge"]


def test_the_members_of_several_groups_take_whom_any_of_them_takes() -> None:
    stack = stack_of([group("nodes"), group("more", ingress=[{"protocol": "-1", "cidrBlocks": ["10.0.0.0/8"]}])])
    around = groups_in(stack).around(list(stack.of(GROUP)))
    assert [str(opening.peers) for opening in around.openings("in", addresses("10.0.0.1"), 22)] == ["10.0.0.0/8"]


def test_a_prefix_list_may_hold_the_internet() -> None:
    stack = stack_of([group("nodes"), ingress(prefixListId="pl-1")])
    nodes = next(stack.of(GROUP))
    assert groups_in(stack).of(nodes)[0].peers == OUTSIDE


def test_the_group_that_eks_makes_takes_its_own_members() -> None:
    stack = stack_of([resource(CLUSTER, "eks", {"name": "eks"})])
    (cluster,) = stack.of(CLUSTER)
    around = groups_in(stack).around([cluster])
    assert [opening.peers for opening in around.openings("in", addresses("10.0.0.1"), 22)] == [members([cluster])]


@pytest.mark.parametrize("rule", [ingress(cidrIpv4=UNKNOWN), ingress(cidrIpv4="10.0.0.0/8", fromPort=UNKNOWN), ingress(cidrIpv4="x")])
def test_a_rule_that_cannot_be_read_leaves_every_group_unknown(rule: dict[str, Any]) -> None:
    with pytest.raises(UnknownValueError):
        taken(stack_of([group("nodes"), rule]))


def test_a_group_typed_by_hand_is_no_group_of_the_program() -> None:
    rule: dict[str, Any] = {**ingress(cidrIpv4="10.0.0.0/8", securityGroupId="sg-0123"), "propertyDependencies": {}}
    with pytest.raises(UnknownValueError, match="securityGroupId"):
        taken(stack_of([group("nodes"), rule]))


def test_a_literal_beside_the_dependency_it_pretends_to_be_is_not_followed() -> None:
    with pytest.raises(UnknownValueError, match="sg-0123"):
        taken(stack_of([group("nodes"), ingress(cidrIpv4="10.0.0.0/8", securityGroupId="sg-0123")]))
