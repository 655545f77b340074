"""What a web ACL refuses ends there, and nothing else does."""

from policies.explain import Reach, explain
from policies.harness import findings_of
from policies.reading.cloud.aws import kinds
from policies.reading.stack import Stack
from tests.components.aws.systems import resources, system
from tests.policies.mutations.aws import found
from tests.policies.mutations.held import RULES, read
from tests.policies.mutations.plan import Plan


def refusing(part: str, text: str) -> Stack:
    """Return the stack of payments with a rule that refuses requests by the beginning of one of their parts."""
    plan = Plan(list(resources("aws-dev", "payments")))
    compared = {"positionalConstraint": "STARTS_WITH", "searchString": text, "textTransformations": [{"priority": 0, "type": "NONE"}]}
    statement = {"byteMatchStatement": {"fieldToMatch": {part: {}}, **compared}}
    plan.edit(found(plan, kinds.WEB_ACL))["rules"].append(
        {"name": "shut", "priority": 900, "action": {"block": {}}, "statement": statement}
    )
    return read(plan.resources, system("payments"))


def test_a_method_that_is_refused_leaves_the_others_of_its_path() -> None:
    stack = refusing("method", "PATCH")
    (found,) = findings_of(RULES["B01"], stack)
    assert "PATCH api.example.com/v1/users" in found.message
    assert "GET" not in found.message
    assert "WebAcl waf (its rule shut refuses them)" in found.message
    assert explain(stack, "internet", "users").reach is Reach.YES


def test_a_door_that_is_refused_is_explained_by_what_refuses_it() -> None:
    stack = refusing("uriPath", "/v1/users")
    answer = explain(stack, "internet", "users")
    assert answer.reach is Reach.NO
    assert all("/v1/users" in path.title and [hop.place for hop in path.hops] == ["WebAcl waf"] for path in answer.paths)
    assert explain(stack, "internet", "dashboard").reach is Reach.YES
