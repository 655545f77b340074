"""Every mutation of every real plan of Azure is noticed by the rule meant for it, and the unmutated plan is clean."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from policies.harness import findings_of, judge
from policies.reading.normalise import normalise
from policies.reading.stack import Stack
from policies.registry import rules
from policies.rule import Verdict
from tests.components.azure import systems
from tests.policies.mutations import azure_cluster, azure_edge, azure_gateway, azure_network
from tests.policies.mutations.catalogue import MUTATIONS as OF_THE_CLUSTER
from tests.policies.mutations.mutation import CloudFamily, Family
from tests.policies.mutations.summary import PROPERTY

PLANS = (
    ("abc", "azure-dev"),
    ("payments", "azure-prod"),
    ("imaging", "azure-dev"),
    ("bookinfo", "azure-prod"),
    ("brokerage", "azure-prod"),
)
"""Each system once, in both sizes; the brokerage without the doors that API Management does not carry."""
FAMILIES = (Family.IDENTITY, Family.BYPASS, Family.HAIRPIN, Family.NETWORK_POLICY, Family.WORKLOADS)
"""Families of the cluster whose mutations do not ask for an edge of nginx."""
MUTATIONS = tuple(mutation for module in (azure_network, azure_edge, azure_gateway, azure_cluster) for mutation in module.TABLE.mutations)
RULES = {rule.id: rule for rule in rules()}


@cache
def resources(system: str, stack: str) -> list[dict[str, Any]]:
    return list(systems.resources(stack, system))


@pytest.mark.parametrize(("system", "stack"), PLANS)
def test_the_unmutated_plan_is_clean(system: str, stack: str) -> None:
    report = judge(Stack(normalise(resources(system, stack)), systems.system(system)), rules())
    assert report.verdict is Verdict.KEPT, "\n".join(f"{each.rule} {each.resource}: {each.message}" for each in report.findings)


@pytest.mark.parametrize(("system", "stack"), PLANS)
def test_the_plan_allows_exactly_what_the_topology_says(system: str, stack: str) -> None:
    read = Stack(normalise(resources(system, stack)), systems.system(system))
    assert read.observed == read.expected


@pytest.mark.parametrize("family", [family for family in CloudFamily if any(each.family is family for each in MUTATIONS)])
@pytest.mark.parametrize(("system", "stack"), PLANS)
def test_every_mutation_is_noticed_by_the_rule_meant_for_it(
    system: str, stack: str, family: CloudFamily, record_property: Callable[[str, object], None]
) -> None:
    good = resources(system, stack)
    missed: list[str] = []
    tried = 0
    for mutation in MUTATIONS:
        broken = mutation.apply(good) if mutation.family is family else None
        if broken is None:
            continue
        tried += 1
        if not findings_of(RULES[mutation.rule], Stack(normalise(broken), systems.system(system))):
            missed.append(f"{mutation.rule} does not notice {mutation.id}: {mutation.description}")
    record_property(PROPERTY, (f"{system} {stack}", family.value, tried - len(missed), tried))
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize("family", FAMILIES)
def test_mutations_of_the_cluster_are_noticed_behind_a_clouds_edge(family: Family, record_property: Callable[[str, object], None]) -> None:
    good = resources("payments", "azure-prod")
    missed: list[str] = []
    tried = 0
    for mutation in OF_THE_CLUSTER:
        broken = mutation.apply(good) if mutation.family is family else None
        if broken is None:
            continue
        tried += 1
        if not findings_of(RULES[mutation.rule], Stack(normalise(broken), systems.system("payments"))):
            missed.append(f"{mutation.rule} does not notice {mutation.id}: {mutation.description}")
    record_property(PROPERTY, ("payments azure-prod", family.value, tried - len(missed), tried))
    assert not missed, "\n".join(missed)


def test_mutations_have_names_of_their_own_and_rules_that_exist() -> None:
    names = [mutation.id for mutation in MUTATIONS]
    assert len(names) == len(set(names))
    assert {mutation.rule for mutation in MUTATIONS} <= set(RULES)
