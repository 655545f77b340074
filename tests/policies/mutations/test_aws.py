"""Plans of the environments in AWS, as they are and broken in every way there is."""

from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from planner.program import plan_program
from policies.harness import findings_of, judge
from policies.reading.normalise import normalise
from policies.reading.stack import Stack
from policies.registry import rules
from policies.rule import Verdict
from tests.policies.mutations.aws import MUTATIONS
from tests.policies.mutations.summary import PROPERTY
from tests.systems import ROOT, topology, topology_file

RULES = {rule.id: rule for rule in rules()}
PLANS = (("abc", "aws-dev"), ("imaging", "aws-prod"))


@cache
def resources(system: str, stack: str) -> list[dict[str, Any]]:
    return list(plan_program(ROOT, stack, {"perimeter:topology": str(topology_file(system))}).resources)


def read(records: list[dict[str, Any]], system: str) -> Stack:
    return Stack(normalise(records), topology(system))


@pytest.mark.parametrize(("system", "stack"), PLANS)
def test_the_plan_is_kept_and_says_what_the_topology_says(system: str, stack: str) -> None:
    made = read(resources(system, stack), system)
    report = judge(made, rules())
    assert report.verdict is Verdict.KEPT, "\n".join(f"{each.rule} {each.resource}: {each.message}" for each in report.findings)
    assert made.observed == made.expected


@pytest.mark.parametrize(("system", "stack"), PLANS)
def test_every_mutation_is_noticed_by_the_rule_meant_for_it(
    system: str, stack: str, record_property: Callable[[str, object], None]
) -> None:
    good = resources(system, stack)
    figures: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    missed: list[str] = []
    for mutation in MUTATIONS:
        broken = mutation.apply(good)
        if broken is None:
            continue
        caught = bool(findings_of(RULES[mutation.rule], read(broken, system)))
        figures[mutation.family.value][0] += caught
        figures[mutation.family.value][1] += 1
        missed += [] if caught else [f"{mutation.rule} does not notice {mutation.id}: {mutation.description}"]
    for family, (caught, tried) in figures.items():
        record_property(PROPERTY, (f"{system} {stack}", family, caught, tried))
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize("mutation", [pytest.param(mutation, id=mutation.id) for mutation in MUTATIONS])
def test_a_mutation_leaves_the_plan_it_is_applied_to_as_it_was(mutation: Any) -> None:
    good = resources("abc", "aws-dev")
    before = [repr(record) for record in good]
    mutation.apply(good)
    assert [repr(record) for record in good] == before


def test_every_mutation_applies_somewhere() -> None:
    plans = [resources(*plan) for plan in PLANS]
    idle = [mutation.id for mutation in MUTATIONS if all(mutation.apply(good) is None for good in plans)]
    assert not idle, f"these break nothing in any system: {', '.join(idle)}"
