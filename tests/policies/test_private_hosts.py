"""Outside hosts with private addresses: opened where the stack file says that they are, on their ports, in every layer of every environment."""

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from planner.program import plan_program
from policies.harness import findings_of
from policies.reading.private_hosts import KEY
from policies.rule import Verdict
from tests.policies.mutations.held import RULES, hold_clean, read
from tests.systems import ROOT, topology, topology_file

SYSTEM = "payments"
RANGE = "10.99.5.0/24"
WIDER = "10.99.0.0/16"
SAID = {KEY: json.dumps({"ledger": [RANGE]})}
STACKS = ("local", "aws-dev", "azure-dev")

Inputs = dict[str, Any]


@cache
def resources(stack: str) -> tuple[dict[str, Any], ...]:
    config = {"perimeter:topology": str(topology_file(SYSTEM)), **SAID}
    return tuple(plan_program(ROOT, stack, config).resources)


def found(rule: str, stack: str, edit: Callable[[Inputs], bool] | None = None, said: dict[str, str] = SAID) -> list[tuple[Verdict, str]]:
    """Return what a rule says of the plan after one of its resources was edited; `edit` says whether it was the one."""
    plan = [copy.deepcopy(each) for each in resources(stack)]
    assert edit is None or any(edit(each.get("inputs") or {}) for each in plan), "nothing to edit"
    report = findings_of(RULES[rule], read(plan, topology(SYSTEM), {KEY: "{}", **said}))
    return [(each.verdict, each.message) for each in report]


def _ways_out(inputs: Inputs) -> list[Inputs]:
    """Return the rules by which the egress gateway connects to others, where this is its NetworkPolicy."""
    is_its = inputs.get("kind") == "NetworkPolicy" and inputs["metadata"]["namespace"] == "istio-egress"
    return inputs["spec"].get("egress", []) if is_its else []


def _openings(inputs: Inputs) -> Iterator[Inputs]:
    """Yield those that open the private host's addresses."""
    yield from (rule for rule in _ways_out(inputs) if {"ipBlock": {"cidr": RANGE}} in rule["to"])


@pytest.mark.parametrize("stack", STACKS)
def test_a_host_that_the_stack_file_places_is_reached_there(stack: str) -> None:
    hold_clean(resources(stack), topology(SYSTEM), SAID)


@pytest.mark.parametrize("stack", STACKS)
def test_its_port_is_not_open_to_the_internet(stack: str) -> None:
    plan: list[Inputs] = [each.get("inputs") or {} for each in resources(stack)]
    opened = [rule for inputs in plan for rule in _ways_out(inputs) if {"protocol": "TCP", "port": 5432} in rule["ports"]]
    assert [rule["to"] for rule in opened] == [[{"ipBlock": {"cidr": RANGE}}]]


@pytest.mark.parametrize("stack", STACKS)
def test_private_addresses_of_which_the_stack_file_knows_nothing_are_refused(stack: str) -> None:
    assert any("among them" in message for _, message in found("M21", stack, said={}))
    assert found("B04", stack, said={})


def test_a_wider_range_another_port_and_the_internet_on_its_port_are_refused() -> None:
    def wider(inputs: Inputs) -> bool:
        return any(not rule["to"][0]["ipBlock"].update(cidr=WIDER) for rule in _openings(inputs))

    def another_port(inputs: Inputs) -> bool:
        return any(not rule.update(ports=[{"protocol": "TCP", "port": 443}]) for rule in _openings(inputs))

    def internet(inputs: Inputs) -> bool:
        return any(not rule["to"].append({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}) for rule in _openings(inputs))

    assert any(WIDER in message for _, message in found("M21", "local", wider))
    assert any(RANGE in message for _, message in found("M21", "local", another_port))
    assert any("opens port 5432" in message for _, message in found("M21", "local", internet)) or found("M21", "local", internet)


def test_a_part_of_the_range_is_not_the_host() -> None:
    def half(inputs: Inputs) -> bool:
        return any(not rule["to"][0]["ipBlock"].update(cidr="10.99.5.0/25") for rule in _openings(inputs))

    assert any(RANGE in message for _, message in found("B04", "local", half))


def test_a_range_where_pods_are_known_to_be_is_refused() -> None:
    def at_nodes(inputs: Inputs) -> bool:
        return any(not rule["to"][0]["ipBlock"].update(cidr="10.70.0.0/24") for rule in _openings(inputs))

    said = {KEY: json.dumps({"ledger": ["10.70.0.0/24"]})}
    assert any("pods and nodes among them" in message for _, message in found("M21", "aws-dev", at_nodes, said))


@pytest.mark.parametrize(
    ("rule", "stack", "key"), [("N05", "aws-dev", "cidrIpv4"), ("N04", "azure-dev", "destinationAddressPrefix")], ids=["AWS", "Azure"]
)
def test_nodes_connect_to_no_other_private_addresses(rule: str, stack: str, key: str) -> None:
    def widen(inputs: Inputs) -> bool:
        before = json.dumps(inputs)
        inputs.update(json.loads(before.replace(f'"{key}": "{RANGE}"', f'"{key}": "{WIDER}"')))
        return json.dumps(inputs) != before

    assert found(rule, stack) == []
    assert any("10.99" in message for _, message in found(rule, stack, widen))


@pytest.mark.parametrize("said", ["[", "[]", '{"ledger": ["nowhere"]}'])
def test_what_cannot_be_read_is_undecided(said: str) -> None:
    assert {verdict for verdict, _ in found("M21", "local", said={KEY: said})} == {Verdict.UNDECIDED}
