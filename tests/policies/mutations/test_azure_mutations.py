"""Every mutation of every real plan of Azure is noticed by the rule meant for it. That plans are clean: `tests/components/test_environments.py`."""

import pytest

from tests.components.azure.systems import resources
from tests.policies.mutations import (
    azure_cluster,
    azure_edge,
    azure_gateway,
    azure_hostile,
    azure_hunted,
    azure_hunted_resources,
    azure_named,
    azure_network,
    azure_overlooked,
    azure_portal,
    azure_rights,
    azure_unusable,
)
from tests.policies.mutations.catalogue import MUTATIONS as OF_THE_CLUSTER
from tests.policies.mutations.held import Record, hold_noticed, hold_wellformed
from tests.policies.mutations.mutation import CloudFamily, Family
from tests.systems import topology

PLANS = (
    ("abc", "azure-dev"),
    ("payments", "azure-prod"),
    ("imaging", "azure-dev"),
    ("bookinfo", "azure-prod"),
    ("brokerage", "azure-prod"),
)
"""Each system once, in both sizes; the brokerage with a host that nginx and Envoy Gateway serve beside API Management."""
FAMILIES = (Family.IDENTITY, Family.BYPASS, Family.HAIRPIN, Family.NETWORK_POLICY, Family.WORKLOADS)
"""Families of the cluster of which a large system in production size is broken; a small one is broken in every way."""
TABLES = (azure_network, azure_edge, azure_gateway, azure_hunted, azure_portal, azure_cluster, azure_rights)
MUTATIONS = (
    *(mutation for module in TABLES for mutation in module.TABLE.mutations),
    *azure_hostile.MUTATIONS,
    *azure_hunted_resources.MUTATIONS,
    *azure_named.MUTATIONS,
    *azure_overlooked.MUTATIONS,
    *azure_unusable.MUTATIONS,
)


@pytest.mark.parametrize("family", [family for family in CloudFamily if any(each.family is family for each in MUTATIONS)])
@pytest.mark.parametrize(("name", "stack"), PLANS)
def test_every_mutation_is_noticed_by_the_rule_meant_for_it(name: str, stack: str, family: CloudFamily, record_property: Record) -> None:
    mutations = [each for each in MUTATIONS if each.family is family]
    hold_noticed(mutations, resources(stack, name), topology(name), of=f"{name} {stack}", record=record_property)


@pytest.mark.parametrize(
    ("name", "stack", "family"),
    [*(("abc", "azure-dev", family) for family in Family), *(("payments", "azure-prod", family) for family in FAMILIES)],
)
def test_mutations_of_the_cluster_are_noticed_behind_a_clouds_edge(name: str, stack: str, family: Family, record_property: Record) -> None:
    mutations = [each for each in OF_THE_CLUSTER if each.family is family]
    hold_noticed(mutations, resources(stack, name), topology(name), of=f"{name} {stack}", record=record_property)


def test_mutations_have_names_of_their_own_rules_that_exist_and_plans_that_they_break() -> None:
    hold_wellformed(MUTATIONS, [resources(stack, name) for name, stack in PLANS])
