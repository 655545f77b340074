"""Every mutation of real plans of Azure with nginx behind a load balancer is noticed by the rule meant for it, and the plans are clean."""

from typing import Any

import pytest

from policies.harness import judge
from policies.rule import Verdict
from tests.components.azure.systems import NGINX, proved, resources
from tests.policies.mutations import azure_balancer, azure_cluster, azure_proofs
from tests.policies.mutations.catalogue import MUTATIONS as OF_THE_CLUSTER
from tests.policies.mutations.held import RULES, Record, hold_clean, hold_noticed, hold_untouched, hold_wellformed, read
from tests.policies.mutations.mutation import Family, Mutation
from tests.policies.mutations.plan import Plan
from tests.systems import SYSTEMS, topology

MUTATIONS = tuple(azure_balancer.TABLE.mutations)
OF_PROOFS = tuple(azure_proofs.TABLE.mutations)
BROKEN = ("abc", "payments")
"""Systems whose plans are broken: the smallest, and one with public doors that are cached, keys and an egress."""
OF_AKS = tuple(each for each in azure_cluster.TABLE.mutations if each.rule not in {"A13", "P08"})
"""Without those of keys and secrets in the vault, of which these plans have none."""


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_unmutated_plan_is_clean(name: str) -> None:
    hold_clean(resources(NGINX, name), topology(name))


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_plan_allows_exactly_what_the_topology_says(name: str) -> None:
    made = read(resources(NGINX, name), topology(name))
    assert made.observed == made.expected


@pytest.mark.parametrize("name", BROKEN)
def test_every_mutation_is_noticed_by_the_rule_meant_for_it(name: str, record_property: Record) -> None:
    hold_noticed((*MUTATIONS, *OF_AKS), resources(NGINX, name), topology(name), of=f"{name} {NGINX}", record=record_property)


def test_the_plan_with_hosts_of_a_zone_is_clean() -> None:
    hold_clean(proved(), topology("abc"))


def test_every_mutation_of_what_proves_hosts_is_noticed(record_property: Record) -> None:
    hold_noticed(OF_PROOFS, proved(), topology("abc"), of=f"abc {NGINX} with a zone", record=record_property)


@pytest.mark.parametrize("written", ["20.61.0.7", "20.61.0.7/32"])
def test_after_a_deployment_the_address_is_known_by_its_number(written: str) -> None:
    hold_clean(deployed("20.61.0.7", written), topology("abc"))


def test_clients_let_in_to_another_number_are_not_let_in() -> None:
    report = judge(read(deployed("20.61.0.7", "20.61.0.8"), topology("abc")), [RULES["B01"]])
    assert report.verdict is Verdict.BROKEN


@pytest.mark.parametrize("family", Family)
def test_mutations_of_the_cluster_are_noticed_behind_the_load_balancer(family: Family, record_property: Record) -> None:
    mutations = [each for each in OF_THE_CLUSTER if each.family is family]
    hold_noticed(mutations, resources(NGINX, "payments"), topology("payments"), of=f"payments {NGINX}", record=record_property)


@pytest.mark.parametrize("mutation", [pytest.param(mutation, id=mutation.id) for mutation in MUTATIONS])
def test_a_mutation_leaves_the_plan_that_it_breaks_as_it_was(mutation: Mutation) -> None:
    hold_untouched(mutation, resources(NGINX, "abc"))


def test_mutations_have_names_of_their_own_rules_that_exist_and_plans_that_they_break() -> None:
    hold_wellformed(MUTATIONS, [resources(NGINX, name) for name in BROKEN])
    hold_wellformed(OF_PROOFS, [proved()])


def deployed(number: str, written: str) -> list[dict[str, Any]]:
    """Return a plan of what is there already: Azure has chosen the edge's address, and the rule that lets clients in says it."""
    plan = Plan(list(resources(NGINX, "abc")))
    plan.options(azure_balancer.address(plan, "edge"))["outputs"] = {"ipAddress": number}
    azure_balancer.clients(plan)["destinationAddressPrefix"] = written
    return plan.resources
