"""Every mutation of every real plan of AWS is noticed by the rule meant for it, and the unmutated plan is clean."""

from typing import Any

import pytest

from tests.components.aws.systems import resources, system
from tests.policies.mutations import aws, aws_rights
from tests.policies.mutations.held import Record, hold_clean, hold_noticed, hold_untouched, hold_wellformed, read

MUTATIONS = (*aws.MUTATIONS, *aws_rights.MUTATIONS)
PLANS = (("abc", "aws-dev"), ("imaging", "aws-prod"))


@pytest.mark.parametrize(("name", "stack"), PLANS)
def test_the_unmutated_plan_is_clean(name: str, stack: str) -> None:
    hold_clean(resources(stack, name), system(name))


@pytest.mark.parametrize(("name", "stack"), PLANS)
def test_the_plan_allows_exactly_what_the_topology_says(name: str, stack: str) -> None:
    made = read(resources(stack, name), system(name))
    assert made.observed == made.expected


@pytest.mark.parametrize(("name", "stack"), PLANS)
def test_every_mutation_is_noticed_by_the_rule_meant_for_it(name: str, stack: str, record_property: Record) -> None:
    hold_noticed(MUTATIONS, resources(stack, name), system(name), of=f"{name} {stack}", record=record_property)


@pytest.mark.parametrize("mutation", [pytest.param(mutation, id=mutation.id) for mutation in MUTATIONS])
def test_a_mutation_leaves_the_plan_it_is_applied_to_as_it_was(mutation: Any) -> None:
    hold_untouched(mutation, resources("aws-dev", "abc"))


def test_mutations_have_names_of_their_own_rules_that_exist_and_plans_that_they_break() -> None:
    hold_wellformed(MUTATIONS, [resources(stack, name) for name, stack in PLANS])
