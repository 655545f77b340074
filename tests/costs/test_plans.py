"""Estimates of real plans: whatever a plan of ours holds is priced, known to be free, or named."""

from functools import cache
from typing import Any

import pytest

from costs.aws import BY_HAND
from costs.estimate import Estimate, estimate
from planner.plan import Mode
from planner.program import plan_program
from tests.components.azure.systems import NGINX, PLANS, resources
from tests.systems import ROOT

OF_A_PLAN = pytest.mark.parametrize(("stack", "name"), PLANS)


@cache
def of_aws(stack: str) -> tuple[dict[str, Any], ...]:
    return tuple(plan_program(ROOT, stack, mode=Mode.PESSIMISTIC).resources)


def month(found: Estimate, layer: str) -> tuple[float, float]:
    lines = dict(found.layers())[layer]
    return float(sum(line.least for line in lines)), float(sum(line.most for line in lines))


@OF_A_PLAN
def test_a_plan_of_azure_has_no_gap_and_every_layer_that_costs(stack: str, name: str) -> None:
    found = estimate(resources(stack, name))
    assert found.gaps == ()
    assert [layer for layer, _ in found.layers()] == ["edge", "gateway", "cluster", "mesh"]
    assert all(line.layer != "other" for line in found.lines)
    assert found.pods == ("workload",)
    assert found.regions == ("westeurope",)


@pytest.mark.parametrize("name", ["abc", "brokerage"])
def test_a_plan_of_azure_with_nginx_has_no_gap_and_its_edge_is_a_load_balancer(name: str) -> None:
    found = estimate(resources(NGINX, name))
    assert found.gaps == ()
    assert [layer for layer, _ in found.layers()] == ["edge", "cluster"]
    assert {line.what for line in found.lines if line.layer == "edge"} == {"load balancer", "public addresses"}
    assert found.pods == ("gateway", "mesh", "workload")


@pytest.mark.parametrize("stack", ["aws-dev", "aws-prod"])
def test_a_plan_of_aws_has_no_gap_and_every_layer_that_costs(stack: str) -> None:
    found = estimate(of_aws(stack))
    assert found.gaps == ()
    assert [layer for layer, _ in found.layers()] == ["edge", "cluster"]
    assert [line.remark for line in found.lines if line.what.startswith("nodes of")] == [BY_HAND]
    assert found.pods == ("gateway", "mesh", "workload")


def test_production_costs_more_in_every_layer_and_the_gateway_most_of_all() -> None:
    small, production = estimate(resources("azure-dev", "abc")), estimate(resources("azure-prod", "abc"))
    for layer in ("edge", "gateway", "cluster"):
        assert month(small, layer) < month(production, layer)
    assert month(production, "gateway")[0] > month(production, "cluster")[0] > month(production, "edge")[0]
