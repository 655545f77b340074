"""Where nginx stands behind the load balancer: every mutation of it, of the load balancer and of the network is noticed."""

from typing import Any

import pytest

from tests.components.aws.systems import resources, system
from tests.policies.mutations import aws, aws_nginx, edge, waf
from tests.policies.mutations.held import Record, hold_noticed, hold_untouched, hold_wellformed, read

SYSTEM, STACK = "payments", "aws-dev"
GROUPS = {
    "nginx behind the load balancer": aws_nginx.MUTATIONS,
    "nginx": (*edge.TABLE.mutations, *waf.TABLE.mutations),
    "load balancer and network": aws.MUTATIONS,
}


def test_load_balancer_and_nginx_are_one_crossing_of_the_edge() -> None:
    made = read(resources(STACK, SYSTEM), system(SYSTEM))
    inside = "payments.example/ns/istio-ingress/sa/ingress"
    roles = {trail.roles for call, trails in made.ways.trails.items() if call.source == "internet" for trail in trails}
    assert roles == {("edge", "gateway", inside)}


def test_the_way_to_a_service_leads_through_each_layer_in_turn() -> None:
    made = read(resources(STACK, SYSTEM), system(SYSTEM))
    (trail,) = next(trails for call, trails in made.ways.trails.items() if call.source == "internet" and call.entry == "/v1/catalogue/*")
    places = [hop.place for hop in trail.hops]
    layers = (
        "load balancer edge port 443", "TargetGroup nginx-https", "the nodes of the cluster port 8443",
        "pods of Deployment edge/edge port 8443", "location /v1/catalogue/", "pods of Deployment gateway/gateway port 10443",
        "pods of Deployment istio-ingress/ingress port 8443",
    )  # fmt: skip
    assert [place for place in places if place in layers] == list(layers)


@pytest.mark.parametrize("group", GROUPS)
def test_every_mutation_is_noticed_by_the_rule_meant_for_it(group: str, record_property: Record) -> None:
    hold_noticed(GROUPS[group], resources(STACK, SYSTEM), system(SYSTEM), of=f"{SYSTEM} {STACK}", record=record_property)


@pytest.mark.parametrize("mutation", [pytest.param(mutation, id=mutation.id) for mutation in aws_nginx.MUTATIONS])
def test_a_mutation_leaves_the_plan_it_is_applied_to_as_it_was(mutation: Any) -> None:
    hold_untouched(mutation, resources(STACK, SYSTEM))


@pytest.mark.parametrize("mutation", [pytest.param(mutation, id=mutation.id) for mutation in aws_nginx.MUTATIONS])
def test_a_plan_without_nginx_has_nothing_to_break_in_this_way(mutation: Any) -> None:
    assert mutation.apply(list(resources(STACK, "abc"))) is None


def test_mutations_have_names_of_their_own_rules_that_exist_and_plans_that_they_break() -> None:
    hold_wellformed(aws_nginx.MUTATIONS, [resources(STACK, SYSTEM)])
