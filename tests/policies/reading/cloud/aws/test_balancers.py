"""What listeners do with requests."""

from typing import Any

from policies.reading.cloud.aws.balancers import cases_of
from policies.reading.cloud.aws.kinds import LISTENER, LISTENER_RULE
from policies.reading.patterns import exact, prefix
from policies.reading.requests import Requests
from tests.policies.building import stack_of

HTTPS = {"type": LISTENER, "name": "https", "inputs": {"port": 443, "defaultActions": [{"type": "fixed-response"}]}}


def rule(priority: int, *conditions: dict[str, Any], action: str = "forward") -> dict[str, Any]:
    inputs = {"listenerArn": "<unknown>", "priority": priority, "conditions": list(conditions), "actions": [{"type": action}]}
    needs = {"listenerArn": [f"urn:pulumi:test::perimeter::{LISTENER}::https"]}
    return {"type": LISTENER_RULE, "name": f"rule-{priority}", "inputs": inputs, "propertyDependencies": needs}


def host(*values: str) -> dict[str, Any]:
    return {"hostHeader": {"values": list(values)}}


def path(*values: str) -> dict[str, Any]:
    return {"pathPattern": {"values": list(values)}}


def cases(*rules: dict[str, Any]) -> list[Any]:
    stack = stack_of([HTTPS, *rules])
    return list(cases_of(stack, next(stack.of(LISTENER))))


def test_rules_are_asked_by_priority_and_the_default_last() -> None:
    assert [case.resource.name for case in cases(rule(20), rule(3), rule(100))] == ["rule-3", "rule-20", "rule-100", "https"]


def test_a_rule_takes_the_hosts_and_paths_of_its_conditions() -> None:
    case = cases(rule(1, host("api.example"), path("/a/*", "/b")))[0]
    assert [str(each) for each in case.taken(Requests())] == ["any method api.example/a/*", "any method api.example/b"]


def test_what_a_rule_takes_is_not_left_for_the_next() -> None:
    case = cases(rule(1, host("api.example"), path("/a/*")))[0]
    assert case.left(Requests(host="api.example", path=prefix("/a/"))) is None
    assert case.left(Requests(host="other.example", path=prefix("/a/"))) is not None


def test_text_behind_the_first_wildcard_narrows_nothing() -> None:
    case = cases(rule(1, path("/a/*/b")))[0]
    assert case.patterns == (prefix("/a/"),)
    assert case.left(Requests(path=exact("/a/x/b"))) is not None


def test_a_condition_that_is_not_followed_leaves_its_requests_for_later_rules() -> None:
    case = cases(rule(1, {"sourceIp": {"values": ["10.0.0.0/8"]}}))[0]
    assert case.left(Requests()) is not None
    assert list(case.taken(Requests())) == [Requests()]


def test_a_wide_host_is_every_host() -> None:
    assert cases(rule(1, host("*.example")))[0].hosts == ("*.example",)
    assert cases(rule(1, host("a*.example")))[0].hosts == ("*",)


def test_a_load_balancer_that_answers_itself_sends_nothing_on() -> None:
    first, last = cases(rule(1, action="redirect"))
    assert (first.answer, last.answer) == ("redirect", "fixed-response")
