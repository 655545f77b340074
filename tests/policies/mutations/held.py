"""Holds mutations of real plans against the rules meant for them."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from policies.harness import findings_of, judge
from policies.reading.normalise import normalise
from policies.reading.stack import Stack
from policies.registry import rules
from policies.rule import Verdict
from tests.policies.mutations.mutation import Mutation
from tests.policies.mutations.summary import PROPERTY
from tests.systems import config_of
from topology.model.system import Topology

RULES: Final = {rule.id: rule for rule in rules()}

STOPPED: Final = re.compile("the rule stopped with ")
"""How the harness begins what it says of a rule that crashed: that notices nothing."""

Resources = Sequence[Mapping[str, Any]]
Record = Callable[[str, object], None]
"""Pytest's `record_property`: the figures stand at the end of its output."""


def read(resources: Resources, intent: Topology, changed: Mapping[str, str] = {}) -> Stack:
    """Return the resources of a plan as the rules read them, held against the file of their own stack and what is changed in it."""
    _, _, stack = resources[0]["urn"].split("::")[0].rpartition(":")
    return Stack(normalise([dict(each) for each in resources]), intent, config={**config_of(stack), **changed})


def hold_clean(resources: Resources, intent: Topology, changed: Mapping[str, str] = {}) -> None:
    """Fail where any rule finds anything."""
    report = judge(read(resources, intent, changed), list(RULES.values()))
    assert report.verdict is Verdict.KEPT, "\n".join(f"{each.rule} {each.resource}: {each.message}" for each in report.findings)


def hold_noticed(mutations: Iterable[Mutation], resources: Resources, intent: Topology, *, of: str, record: Record) -> None:
    """Fail where the rule meant for a mutation finds nothing; `of` names the plan in the figures."""
    figures: dict[str, tuple[int, int]] = {}
    missed: list[str] = []
    for mutation in mutations:
        broken = mutation.apply(list(resources))
        if broken is None:
            continue
        found = findings_of(RULES[mutation.rule], read(broken, intent))
        noticed = any(not STOPPED.match(finding.message) for finding in found)
        caught, tried = figures.get(mutation.family.value, (0, 0))
        figures[mutation.family.value] = (caught + noticed, tried + 1)
        said = f" (it says: {'; '.join(finding.message for finding in found)})" if found else ""
        missed += [] if noticed else [f"{mutation.rule} does not notice {mutation.id}: {mutation.description}{said}"]
    for family, (caught, tried) in figures.items():
        record(PROPERTY, (of, family, caught, tried))
    assert not missed, "\n".join(missed)


def hold_untouched(mutation: Mutation, resources: Resources) -> None:
    """Fail where a mutation changes the plan that it is applied to."""
    before = [repr(each) for each in resources]
    mutation.apply(list(resources))
    assert [repr(each) for each in resources] == before


def hold_wellformed(mutations: Sequence[Mutation], plans: Iterable[Resources]) -> None:
    """Fail where two mutations have one name, a rule does not exist, or a mutation breaks nothing in any of the plans."""
    names = [mutation.id for mutation in mutations]
    assert not (twice := {name for name in names if names.count(name) > 1}), f"names of two mutations: {', '.join(twice)}"
    assert {mutation.rule for mutation in mutations} <= set(RULES)
    made = [list(plan) for plan in plans]
    idle = [mutation.id for mutation in mutations if all(mutation.apply(plan) is None for plan in made)]
    assert not idle, f"these break nothing in any system: {', '.join(idle)}"
