"""Every mutation of every real plan of AWS is noticed by the rule meant for it. That plans are clean: `tests/components/test_environments.py`."""

from typing import Any

import pytest

from tests.components.aws.systems import resources, system
from tests.policies.mutations import aws, aws_hostile, aws_keeping, aws_logs, aws_named, aws_overlooked, aws_rights, aws_writers
from tests.policies.mutations.catalogue import MUTATIONS as OF_THE_CLUSTER
from tests.policies.mutations.held import Record, hold_noticed, hold_untouched, hold_wellformed
from tests.policies.mutations.mutation import Family

MUTATIONS = (
    *aws.MUTATIONS,
    *aws_rights.MUTATIONS,
    *aws_hostile.MUTATIONS,
    *aws_keeping.MUTATIONS,
    *aws_logs.MUTATIONS,
    *aws_named.MUTATIONS,
    *aws_overlooked.MUTATIONS,
    *aws_writers.MUTATIONS,
)
PLANS = (("abc", "aws-dev"), ("imaging", "aws-prod"), ("bookinfo", "aws-kong"))

MEANINGLESS = {("aws-bodies-refused", "bookinfo")}
"""Mutations that break nothing in a system: the one door of bookinfo that takes bodies takes 4 KiB, which the firewall sees whole."""


@pytest.mark.parametrize(("name", "stack"), PLANS)
def test_every_mutation_is_noticed_by_the_rule_meant_for_it(name: str, stack: str, record_property: Record) -> None:
    mutations = [each for each in MUTATIONS if (each.id, name) not in MEANINGLESS]
    hold_noticed(mutations, resources(stack, name), system(name), of=f"{name} {stack}", record=record_property)


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize(("name", "stack"), [("abc", "aws-dev"), ("bookinfo", "aws-kong")])
def test_mutations_of_the_cluster_are_noticed_behind_the_load_balancer(
    name: str, stack: str, family: Family, record_property: Record
) -> None:
    mutations = [each for each in OF_THE_CLUSTER if each.family is family]
    hold_noticed(mutations, resources(stack, name), system(name), of=f"{name} {stack}", record=record_property)


@pytest.mark.parametrize("mutation", [pytest.param(mutation, id=mutation.id) for mutation in MUTATIONS])
def test_a_mutation_leaves_the_plan_it_is_applied_to_as_it_was(mutation: Any) -> None:
    hold_untouched(mutation, resources("aws-dev", "abc"))


def test_mutations_have_names_of_their_own_rules_that_exist_and_plans_that_they_break() -> None:
    hold_wellformed(MUTATIONS, [resources(stack, name) for name, stack in PLANS])
