"""Browsers ask first at doors with `cors`, and every edge lets them."""

import json

import pytest

from policies.harness import findings_of
from policies.rule import Verdict
from tests.policies.mutations.held import RULES, read
from tests.policies.mutations.plan import Plan
from tests.policies.mutations.unusable import without_preflights
from tests.systems import plan, topology

SYSTEM = "payments"
METHODS = ("kubernetes:core/v1:ConfigMap", "aws:wafv2/webAcl:WebAcl", "azure-native:network:WebApplicationFirewallPolicy")
"""Where each edge lists the methods that it lets pass."""


@pytest.mark.parametrize("stack", ["local", "aws-dev", "azure-dev", "azure-nginx"])
def test_an_edge_that_refuses_them_is_broken(stack: str) -> None:
    broken = Plan(list(plan(SYSTEM, stack).resources))
    for record in list(broken.resources):
        if record["type"] in METHODS and (text := json.dumps(record["inputs"])) != (less := without_preflights(text)):
            broken.options(record)["inputs"] = json.loads(less)
    found = findings_of(RULES["W11"], read(broken.resources, topology(SYSTEM)))
    assert {each.verdict for each in found} == {Verdict.BROKEN}
    assert any("OPTIONS" in each.message for each in found)


@pytest.mark.parametrize("stack", ["aws-dev"])
def test_a_load_balancer_that_does_not_send_them_on_is_broken(stack: str) -> None:
    broken = Plan(list(plan(SYSTEM, stack).resources))
    for record in list(broken.resources):
        if record["type"] == "aws:lb/listenerRule:ListenerRule":
            broken.edit(record)["conditions"].append({"httpRequestMethod": {"values": ["GET", "POST", "PATCH"]}})
    found = findings_of(RULES["W11"], read(broken.resources, topology(SYSTEM)))
    assert any("OPTIONS" in each.message and each.verdict is Verdict.BROKEN for each in found)
