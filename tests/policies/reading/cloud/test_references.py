"""What a property names, before a deployment and after it."""

from typing import Any

import pytest

from policies.reading.cloud.aws.kinds import GROUP, LOAD_BALANCER, SUBNET
from policies.reading.cloud.references import named, names, one
from policies.reading.normalise import normalise
from policies.reading.stack import Stack
from policies.reading.values import UNKNOWN_SENTINELS, UnknownValueError
from tests.policies.building import topology_of

UNKNOWN = UNKNOWN_SENTINELS[0]


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:test::perimeter::{kind}::{name}"


def record(kind: str, name: str, inputs: dict[str, Any], needs: dict[str, list[str]] | None = None, **more: Any) -> dict[str, Any]:
    return {"urn": urn(kind, name), "type": kind, "custom": True, "inputs": inputs, "propertyDependencies": needs or {}, **more}


def balancer(subnets: list[str], *on: str, groups: tuple[str, ...] = ()) -> tuple[Stack, Any]:
    needs = {"subnets": [*(urn(SUBNET, name) for name in on), *(urn(GROUP, name) for name in groups)]}
    made = [record(SUBNET, "a", {}, id="subnet-a"), record(SUBNET, "b", {}, id="subnet-b"), record(GROUP, "edge", {}, id="sg-1")]
    stack = Stack(normalise([*made, record(LOAD_BALANCER, "edge", {"subnets": subnets}, needs)]), topology_of("abc"))
    return stack, next(stack.of(LOAD_BALANCER))


def test_unknown_ids_are_those_of_what_the_property_depends_on() -> None:
    stack, edge = balancer([UNKNOWN, UNKNOWN], "a", "b")
    assert [each.name for each in named(stack, edge, "subnets", kinds=(SUBNET,))] == ["a", "b"]


def test_known_ids_are_those_that_a_deployment_gave() -> None:
    stack, edge = balancer(["subnet-b", "subnet-a"], "a", "b")
    assert {each.name for each in named(stack, edge, "subnets", kinds=(SUBNET,))} == {"a", "b"}


def test_dependencies_of_other_kinds_do_not_count() -> None:
    stack, edge = balancer([UNKNOWN], "a", groups=("edge",))
    assert [each.name for each in named(stack, edge, "subnets", kinds=(SUBNET,))] == ["a"]


def test_nothing_named_is_nothing() -> None:
    stack, edge = balancer([])
    assert named(stack, edge, "subnets", kinds=(SUBNET,)) == ()
    assert one(stack, edge, "securityGroups", kinds=(GROUP,)) is None


@pytest.mark.parametrize(
    ("subnets", "on"),
    [
        (["subnet-elsewhere"], ()),
        (["subnet-elsewhere"], ("a",)),
        ([UNKNOWN, "subnet-elsewhere"], ("a", "b")),
        ([UNKNOWN], ()),
        ([UNKNOWN, UNKNOWN], ("a",)),
        ([UNKNOWN], ("a", "b")),
    ],
)
def test_what_is_not_of_the_program_is_unknown(subnets: list[str], on: tuple[str, ...]) -> None:
    stack, edge = balancer(subnets, *on)
    with pytest.raises(UnknownValueError, match="subnets"):
        named(stack, edge, "subnets", kinds=(SUBNET,))


@pytest.mark.parametrize(
    ("given", "on", "is_named"),
    [
        ("subnet-a", (), True),
        ("by its name", (), True),
        ("subnet-b", ("a",), False),
        (UNKNOWN, ("a",), True),
        (UNKNOWN, ("b",), False),
        (UNKNOWN, ("a", "b"), False),
        (UNKNOWN, ("a", "of another stack"), False),
        (UNKNOWN, (), False),
    ],
)
def test_a_property_names_what_its_value_says_or_the_one_thing_that_it_depends_on(given: str, on: tuple[str, ...], is_named: bool) -> None:
    made = [record(SUBNET, "a", {}, id="subnet-a"), record(SUBNET, "b", {}, id="subnet-b")]
    needs = {"subnet": [urn(SUBNET, name) for name in on]}
    stack = Stack(normalise([*made, record(LOAD_BALANCER, "edge", {"subnet": given}, needs)]), topology_of("abc"))
    first = next(stack.of(SUBNET))
    assert names(next(stack.of(LOAD_BALANCER)), "subnet", first, "by its name", None) is is_named
