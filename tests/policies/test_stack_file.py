"""What the judge holds a cloud's plan against comes from the stack file, by the engine, and never from the program."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from planner.program import plan_program
from policies.harness import findings_of
from policies.reading.normalise import normalise
from policies.reading.stack import Stack
from policies.reading.stack_file import AWS, AZURE
from policies.rule import Verdict
from tests.policies.mutations.held import RULES
from tests.systems import ROOT, config_of, plan, topology, topology_file

CASES: Mapping[str, tuple[str, str, dict[str, Any]]] = {
    "N01": ("azure-dev", AZURE, {"operators": ["9.9.9.9/32"]}),
    "N02": ("aws-dev", AWS, {"operators": ["9.9.9.9/32"]}),
    "N04": ("azure-prod", AZURE, {"privateOperators": ["192.168.7.0/24"]}),
    "N05": ("aws-dev", AWS, {"privateOperators": ["192.168.7.0/24"]}),
    "N08": ("aws-dev", AWS, {"administrators": ["arn:aws:iam::000000000000:role/somebody"]}),
}
"""By rule: a stack, and what a program says in the place of its file."""


def told(cloud: str, config: Mapping[str, str], change: Mapping[str, Any]) -> dict[str, str]:
    return {**config, cloud: json.dumps({**json.loads(config[cloud]), **change})}


@pytest.mark.parametrize("rule", CASES)
def test_a_program_that_names_others_than_the_stack_file_does_is_refused(rule: str) -> None:
    stack, cloud, change = CASES[rule]
    said = {**told(cloud, config_of(stack), change), "perimeter:topology": str(topology_file("abc"))}
    resources = normalise(plan_program(ROOT, stack, said).resources)
    for config, verdicts in ((said, set[Verdict]()), (config_of(stack), {Verdict.BROKEN})):
        found = findings_of(RULES[rule], Stack(resources, topology("abc"), config=config))
        assert {each.verdict for each in found} == verdicts


@pytest.mark.parametrize(("stack", "rules"), [("aws-dev", ("N02", "N08")), ("azure-dev", ("N01", "N08"))])
@pytest.mark.parametrize("config", [{}, {AWS: "[]", AZURE: "no JSON"}])
def test_without_the_stack_file_who_operators_are_is_undecided(stack: str, rules: tuple[str, ...], config: Mapping[str, str]) -> None:
    resources = normalise(plan("abc", stack).resources)
    for rule in rules:
        found = findings_of(RULES[rule], Stack(resources, topology("abc"), config=config))
        assert {each.verdict for each in found} == {Verdict.UNDECIDED}
        assert any("of the stack file" in each.message for each in found)
