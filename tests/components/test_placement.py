"""Who plays the layers, in the stacks that ship."""

import pytest

from components.placement import environment
from tests.systems import bound, topology


@pytest.mark.parametrize(
    ("stack", "system", "ways", "size"),
    [
        ("local", "abc", [["nginx", "envoy-gateway", "existing"]], None),
        ("azure-prod", "abc", [["application-gateway", "api-management", "aks"]], "production"),
        ("azure-dev", "brokerage", [["application-gateway", "api-management", "aks"], ["load-balancer", "envoy-gateway", "aks"]], "small"),
        ("aws-dev", "abc", [["application-load-balancer", "envoy-gateway", "eks"]], "small"),
        ("aws-dev", "payments", [["application-load-balancer", "nginx", "envoy-gateway", "eks"]], "small"),
    ],
)
def test_a_plan_says_who_plays_the_layers_on_each_way(stack: str, system: str, ways: list[list[str]], size: str | None) -> None:
    said = environment(bound(stack), topology(system))
    assert (said["ways"], said.get("size")) == (ways, size)
