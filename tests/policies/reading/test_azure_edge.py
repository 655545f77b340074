"""Application Gateway: which rule of its firewall is blamed for a door that leads nowhere."""

import pytest

from policies.harness import judge
from tests.components.azure.systems import resources
from tests.policies.mutations import azure_plan as azure
from tests.policies.mutations.held import RULES, read
from tests.policies.mutations.plan import Plan
from tests.systems import topology


@pytest.mark.parametrize(
    ("rule", "value", "said"),
    [
        ("otherHosts", "another.example", "it lets another.example pass, and no other host"),
        ("otherMethods", "TRACE", "it lets TRACE pass, and no other method"),
    ],
)
def test_the_rule_that_refuses_a_door_is_blamed_and_no_other(rule: str, value: str, said: str) -> None:
    plan = Plan(list(resources("azure-dev", "abc")))
    own = next(each for each in azure.firewall(plan)["customRules"] if each["name"] == rule)
    own["matchConditions"][0]["matchValues"] = [value]
    found = judge(read(plan.resources, topology("abc")), [RULES["B01"]]).findings
    assert found
    assert all(said in finding.message for finding in found)
