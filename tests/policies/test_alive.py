"""Every rule is alive: one resource of a real plan is broken, and exactly the expected rules notice."""

from functools import cache

import pytest

from planner.program import plan_program
from policies.harness import findings_of
from policies.reading.normalise import normalise
from policies.reading.stack import Stack
from policies.registry import rules
from tests.policies.breaks import BREAKS
from tests.policies.building import BASELINES
from tests.policies.mutations.plan import Plan, Record
from tests.systems import ROOT, SYSTEMS, config_of, plan, topology
from topology.load import load
from topology.model.system import Topology

RULES = {rule.id: rule for rule in rules()}


@cache
def made(system: str, stack: str) -> tuple[list[Record], Topology]:
    """Return the resources of a real plan and the topology it was made from."""
    if system in SYSTEMS:
        return list(plan(system, stack).resources), topology(system)
    file = BASELINES / f"{system}.topology.yaml"
    return list(plan_program(ROOT, stack, {"perimeter:topology": str(file)}).resources), load(file)


def differences(good: list[Record], broken: list[Record]) -> list[str]:
    """Return the resources that one plan has otherwise than the other, or not at all."""
    before, after = ({id(record): record["urn"] for record in records} for records in (good, broken))
    return sorted({before[key] for key in before.keys() - after.keys()} | {after[key] for key in after.keys() - before.keys()})


@pytest.mark.parametrize("rule", sorted(BREAKS))
def test_a_broken_resource_is_noticed_by_exactly_the_expected_rules(rule: str) -> None:
    case = BREAKS[rule]
    good, intent = made(case.system, case.stack)
    broken = Plan(good)
    assert case.change(broken), "the plan has nothing to break in this way"
    assert len(differences(good, broken.resources)) == 1, "one resource is broken, not several"
    stack = Stack(normalise(broken.resources), intent, config=config_of(case.stack))
    noticed = {each.id: [finding.message for finding in found] for each in RULES.values() if (found := findings_of(each, stack))}
    assert rule in case.notices
    assert set(noticed) == case.notices, "\n".join(f"{key}: {messages[0]}" for key, messages in noticed.items())


def test_every_rule_has_a_way_to_be_broken() -> None:
    assert set(BREAKS) == set(RULES)
