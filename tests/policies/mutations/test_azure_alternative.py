"""Every mutation of a real plan of Azure with two edges is noticed by the rule meant for it: those of Azure's own, and those of pods."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from planner.plan import Mode
from planner.program import plan_program
from tests.components.azure.systems import resources as plan_of
from tests.policies.mutations import azure_balancer, azure_two_edges
from tests.policies.mutations.catalogue import MUTATIONS as OF_THE_CLUSTER
from tests.policies.mutations.held import Record, hold_clean, hold_noticed, hold_untouched, hold_wellformed, read
from tests.policies.mutations.mutation import CloudFamily, Family
from tests.policies.mutations.test_azure_mutations import MUTATIONS as OF_AZURE
from tests.systems import ROOT, topology
from topology.load import load

FILE = Path(__file__).parent / "streams.topology.yaml"
OF = "streams azure-dev"
INSTEAD = {"public-service-elsewhere": "B01"}
"""Mutations that another rule notices here: W08 says that no edge at all is public, and one of two still is."""


@cache
def resources() -> tuple[dict[str, Any], ...]:
    return tuple(plan_program(ROOT, "azure-dev", {"perimeter:topology": str(FILE)}, mode=Mode.PESSIMISTIC).resources)


def test_the_unmutated_plan_is_clean_and_allows_exactly_what_the_topology_says() -> None:
    hold_clean(resources(), load(FILE))
    made = read(resources(), load(FILE))
    assert made.observed == made.expected


@pytest.mark.parametrize("family", CloudFamily)
def test_every_mutation_of_azure_is_noticed(family: CloudFamily, record_property: Record) -> None:
    mutations = [each for each in (*OF_AZURE, *azure_balancer.TABLE.mutations) if each.family is family]
    hold_noticed(mutations, resources(), load(FILE), of=OF, record=record_property)


@pytest.mark.parametrize("family", Family)
def test_every_mutation_of_the_cluster_is_noticed(family: Family, record_property: Record) -> None:
    mutations = [replace(each, rule=INSTEAD.get(each.id, each.rule)) for each in OF_THE_CLUSTER if each.family is family]
    hold_noticed(mutations, resources(), load(FILE), of=OF, record=record_property)


def test_what_belongs_to_one_way_and_serves_the_other_is_noticed(record_property: Record) -> None:
    plan = plan_of("azure-dev", "brokerage")
    hold_wellformed(azure_two_edges.TABLE.mutations, [plan])
    hold_noticed(azure_two_edges.TABLE.mutations, plan, topology("brokerage"), of="brokerage azure-dev", record=record_property)
    for mutation in azure_two_edges.TABLE.mutations:
        hold_untouched(mutation, plan)
