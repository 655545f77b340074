"""Rules of a web ACL asked with sample requests."""

from dataclasses import replace
from typing import Any

import pytest

from policies.reading.cloud.aws.statements import LONG_BODY_LABEL, Sample, answer_of, matches
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError

NONE = [{"priority": 0, "type": "NONE"}]


def acl(*rules: dict[str, Any], default: str = "allow") -> Resource:
    inputs: dict[str, Any] = {"defaultAction": {default: {}}, "rules": list(rules)}
    return Resource(urn="acl", token="aws:wafv2/webAcl:WebAcl", kind="aws:wafv2/webAcl:WebAcl", name="waf", props=inputs)  # noqa: S106 # a type


def rule(name: str, priority: int, statement: dict[str, Any], action: str = "block", **more: Any) -> dict[str, Any]:
    return {"name": name, "priority": priority, "action": {action: {}}, "statement": statement, **more}


def core(priority: int = 10, **more: Any) -> dict[str, Any]:
    group = {"name": "AWSManagedRulesCommonRuleSet", "vendorName": "AWS", **more}
    return {"name": "core", "priority": priority, "overrideAction": {"none": {}}, "statement": {"managedRuleGroupStatement": group}}


def text(constraint: str, wanted: str, field: dict[str, Any] | None = None, transformations: Any = None) -> dict[str, Any]:
    return {
        "byteMatchStatement": {
            "positionalConstraint": constraint,
            "searchString": wanted,
            "fieldToMatch": field or {"uriPath": {}},
            "textTransformations": transformations or NONE,
        }
    }


def regex(expression: str, field: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"regexMatchStatement": {"regexString": expression, "fieldToMatch": field or {"uriPath": {}}, "textTransformations": NONE}}


def longer(size: int, handling: str) -> dict[str, Any]:
    field = {"body": {"oversizeHandling": handling}}
    return {"sizeConstraintStatement": {"comparisonOperator": "GT", "size": size, "fieldToMatch": field, "textTransformations": NONE}}


@pytest.mark.parametrize(
    ("statement", "sample", "wanted"),
    [
        (text("STARTS_WITH", "/a/"), Sample(path="/a/b"), True),
        (text("STARTS_WITH", "/a/"), Sample(path="/b/a/"), False),
        (text("EXACTLY", "api.example", {"singleHeader": {"name": "Host"}}), Sample(host="api.example"), True),
        (text("EXACTLY", "get", {"method": {}}, [{"priority": 0, "type": "LOWERCASE"}]), Sample(method="GET"), True),
        (text("CONTAINS", "x", {"singleHeader": {"name": "x-user"}}), Sample(), False),
        (text("CONTAINS", "x-perimeter-", {"headers": [{"matchScope": "KEY", "matchPattern": {"all": {}}, "oversizeHandling": "MATCH"}]}),
         Sample(headers=(("x-perimeter-tier", "gold"),)), True),
        (regex("%2f|%5c"), Sample(path="/a%2fb"), True),
        (regex("^/a/[^/]+$"), Sample(path="/a/b/c"), False),
        ({"andStatement": {"statements": [regex("a"), regex("b")]}}, Sample(path="/a"), False),
        ({"orStatement": {"statements": [regex("a"), regex("b")]}}, Sample(path="/a"), True),
        ({"notStatement": {"statements": [regex("a")]}}, Sample(path="/b"), True),
        ({"notStatement": {"statement": regex("a")}}, Sample(path="/a"), False),
        (longer(100, "MATCH"), Sample(body=50), False),
        (longer(100, "MATCH"), Sample(body=101), True),
        (longer(100000, "MATCH"), Sample(body=9000), True),
        (longer(100, "NO_MATCH"), Sample(body=9000), False),
    ],
)  # fmt: skip
def test_a_statement_matches_what_the_firewall_would_match(statement: dict[str, Any], sample: Sample, wanted: bool) -> None:
    assert matches(statement, sample, frozenset()) is wanted


@pytest.mark.parametrize(
    "statement",
    [
        {"geoMatchStatement": {"countryCodes": ["DE"]}},
        text("CONTAINS_WORD", "a"),
        text("EXACTLY", "a", transformations=[{"priority": 0, "type": "BASE64_DECODE"}]),
        text("EXACTLY", "a", {"body": {"oversizeHandling": "MATCH"}}),
        longer(100, "CONTINUE"),
    ],
)
def test_a_statement_that_is_not_followed_is_unknown(statement: dict[str, Any]) -> None:
    with pytest.raises(UnknownValueError):
        matches(statement, Sample(body=9000), frozenset())


def test_rules_are_asked_by_priority_and_the_first_that_decides_ends_it() -> None:
    rules = (rule("late", 2, regex("^/")), rule("early", 1, regex("^/a"), "allow"))
    assert answer_of(acl(*rules), Sample(path="/a")).rule == "early"
    assert answer_of(acl(*rules), Sample(path="/b")).blocked


def test_a_rule_that_counts_decides_nothing_and_its_labels_are_seen_by_later_ones() -> None:
    seen = rule("see", 1, regex("^/a"), "count", ruleLabels=[{"name": "ours:a"}])
    late = rule("late", 2, {"labelMatchStatement": {"scope": "LABEL", "key": "ours:a"}})
    assert answer_of(acl(seen, late), Sample(path="/a")).blocked
    assert not answer_of(acl(seen, late), Sample(path="/b")).blocked


def test_a_rule_that_cannot_be_followed_refuses_nothing_that_is_counted_on() -> None:
    assert not answer_of(acl(rule("where", 1, {"geoMatchStatement": {"countryCodes": ["DE"]}})), Sample()).blocked


def test_what_no_rule_decides_gets_the_default() -> None:
    assert answer_of(acl(default="block"), Sample()).blocked
    assert not answer_of(acl(), Sample()).blocked


def test_the_core_rules_refuse_a_body_whose_end_they_have_not_seen() -> None:
    long, short = Sample(body=8193), Sample(body=8192)
    assert answer_of(acl(core()), long).blocked
    assert not answer_of(acl(core()), short).blocked


def test_told_to_count_long_bodies_they_say_so_by_a_label() -> None:
    counting = core(ruleActionOverrides=[{"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}])
    label = {"labelMatchStatement": {"scope": "LABEL", "key": LONG_BODY_LABEL}}
    block = rule("long", 20, {"andStatement": {"statements": [label, {"notStatement": {"statements": [regex("^/door")]}}]}})
    assert not answer_of(acl(counting), Sample(body=9000)).blocked
    assert answer_of(acl(counting, block), Sample(body=9000, path="/else")).blocked
    assert not answer_of(acl(counting, block), Sample(body=9000, path="/door")).blocked


def test_rules_written_as_text_are_unknown() -> None:
    text_rules = replace(acl(), props={"ruleJson": "[]"})
    with pytest.raises(UnknownValueError, match="ruleJson"):
        answer_of(text_rules, Sample())
