"""What the firewall's own rules refuse, and what they let through."""

import re
from typing import Any

import pytest

from components.edge.application_load_balancer.waf import INSPECTED, LARGE_BODY_LABEL, LONGEST_REGEX, SECRETS, expressions, of_hosts
from components.headers import KONG, OVERRIDING, REWRITING
from components.versions import AWS_WAF_RULES
from tests.components.aws.systems import PLANS, of, registered, system
from topology.derive import names
from topology.model.base import size_in_bytes
from topology.paths import regex

OF_A_PLAN = pytest.mark.parametrize(("stack", "name"), PLANS)


def rules(stack: str, name: str) -> dict[str, dict[str, Any]]:
    (acl,) = of(stack, name, "wafv2/webAcl:WebAcl")
    return {rule["name"]: rule for rule in acl["rules"]}


def leaves(statement: Any) -> list[dict[str, Any]]:
    """Return all expressions in a statement."""
    if isinstance(statement, list):
        return [leaf for item in statement for leaf in leaves(item)]
    if not isinstance(statement, dict):
        return []
    own = [statement["regexMatchStatement"]] if "regexMatchStatement" in statement else []
    return [*own, *(leaf for value in statement.values() for leaf in leaves(value))]


def depth(statement: Any) -> int:
    """Return how deeply statements hold statements."""
    if isinstance(statement, list):
        return max(map(depth, statement), default=0)
    if not isinstance(statement, dict):
        return 0
    nested = {"andStatement", "orStatement", "notStatement"}
    return max((depth(value) + (key in nested) for key, value in statement.items()), default=0)


def refuses(rule: dict[str, Any], text: str, part: str = "uriPath") -> bool:
    """Say whether an expression about a part of the request is found in a text."""
    about = [leaf for leaf in leaves(rule["statement"]) if part in leaf["fieldToMatch"]]
    assert about
    return any(re.search(leaf["regexString"], text) for leaf in about)


@OF_A_PLAN
def test_priorities_are_unique_and_ours_decide_before_those_of_aws(stack: str, name: str) -> None:
    found = rules(stack, name)
    priorities = [rule["priority"] for rule in found.values()]
    assert len(priorities) == len(set(priorities))
    managed = [rule["priority"] for key, rule in found.items() if key in AWS_WAF_RULES]
    assert set(AWS_WAF_RULES) <= set(found)
    assert all(rule["priority"] < min(managed) for key, rule in found.items() if key not in {*AWS_WAF_RULES, "large-bodies"})


@OF_A_PLAN
def test_a_rule_of_ours_only_blocks(stack: str, name: str) -> None:
    for key, rule in rules(stack, name).items():
        assert set(rule["action"] if key not in AWS_WAF_RULES else {"block": {}}) == {"block"}


@OF_A_PLAN
def test_rules_of_aws_keep_their_actions_but_for_the_length_of_bodies_at_doors_that_take_longer_ones(stack: str, name: str) -> None:
    large = any(size_in_bytes(door.max_body) > INSPECTED for door in system(name).doors.values())
    for key, rule in rules(stack, name).items():
        if key in AWS_WAF_RULES:
            group = rule["statement"]["managedRuleGroupStatement"]
            assert rule["overrideAction"] == {"none": {}}
            assert "scopeDownStatement" not in group
            changed = [override["name"] for override in group.get("ruleActionOverrides", [])]
            assert changed == (["SizeRestrictions_BODY"] if large and key == "AWSManagedRulesCommonRuleSet" else [])


def test_a_long_body_is_refused_everywhere_but_at_the_doors_that_take_one() -> None:
    rule = rules("aws-dev", "imaging")["large-bodies"]
    label, elsewhere = rule["statement"]["andStatement"]["statements"]
    assert label["labelMatchStatement"]["key"] == LARGE_BODY_LABEL
    t = system("imaging")
    large = [path for door in t.doors.values() if size_in_bytes(door.max_body) > INSPECTED for path in door.paths]
    excepted = leaves(elsewhere["notStatement"])
    assert all(any(re.search(leaf["regexString"], path.replace("*", "x")) for leaf in excepted) for path in large)
    assert not any(re.search(leaf["regexString"], "/elsewhere") for leaf in excepted)


def test_expressions_match_the_paths_of_all_patterns_and_none_is_too_long() -> None:
    patterns = [f"/part-{number}/{'x' * 40}/{{*}}/*" for number in range(40)]
    found = expressions(patterns)
    assert len(found) > 1
    assert all(len(expression) <= LONGEST_REGEX for expression in found)
    assert all(any(re.search(e, p.replace("{*}", "one").replace("*", "two")) for e in found) for p in patterns)
    assert expressions(["/a"]) == [f"^(?:{regex('/a')})$"]


def test_expressions_match_many_hosts_with_and_without_the_port_and_none_is_too_long() -> None:
    hosts = [f"part-{number}.{'x' * 40}.example" for number in range(20)]
    found = of_hosts(hosts)
    assert len(found) > 1
    assert all(len(expression) <= LONGEST_REGEX for expression in found)
    assert all(any(re.search(e, f"{host}{port}") for e in found) for host in hosts for port in ("", ":443"))
    assert not any(re.search(e, foreign) for e in found for foreign in (f"x{hosts[0]}", f"{hosts[-1]}:80", "example"))


@OF_A_PLAN
def test_no_expression_is_longer_and_no_statement_deeper_than_aws_takes(stack: str, name: str) -> None:
    for rule in rules(stack, name).values():
        assert all(len(leaf["regexString"]) <= LONGEST_REGEX for leaf in leaves(rule["statement"]))
        assert depth(rule["statement"]) <= 3


@pytest.mark.parametrize(
    "path",
    ["/a%2Fb", "/a%5cb", "/a\\b", "/a/%2e%2e/b", "/a/../b", "/a/./b", "//a", "/a%00", "/a%7F", "/a%252fb", "/a%c0%afb", "/aé", "/a#b"],
)
def test_a_path_that_layers_read_differently_is_refused(path: str) -> None:
    assert refuses(rules("aws-dev", "abc")["ambiguous-paths"], path)


@pytest.mark.parametrize(
    "path", ["/a/b", "/a/x%20y", "/a/~b/1.2", "/a/b%3Fc", "/a/grüße".encode("ascii", "xmlcharrefreplace").decode().replace("#", "")]
)
def test_a_plain_path_is_not(path: str) -> None:
    assert not refuses(rules("aws-dev", "abc")["ambiguous-paths"], path)


def test_an_address_in_a_query_is_not_mistaken_for_an_ambiguous_path() -> None:
    rule = rules("aws-dev", "abc")["ambiguous-paths"]
    assert not refuses(rule, "next=https://shop.example//a/../b", "queryString")
    assert refuses(rule, "next=é", "queryString")


@pytest.mark.parametrize(
    "header", [*names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS, *KONG, *REWRITING, *OVERRIDING, "x-perimeter-request-id"]
)
def test_a_header_by_which_a_client_would_pass_for_a_layer_is_refused(header: str) -> None:
    assert refuses(rules("aws-dev", "abc")["forged-headers"], header, "headers")


@pytest.mark.parametrize(
    "header", ["authorization", names.API_KEY_HEADER, "x-request-id", "x-forwarded-for", "traceparent", "content-type"]
)
def test_a_header_that_honest_clients_send_is_not(header: str) -> None:
    assert not refuses(rules("aws-dev", "abc")["forged-headers"], header, "headers")


@OF_A_PLAN
def test_hosts_and_methods_that_no_door_has_are_refused(stack: str, name: str) -> None:
    t, found = system(name), rules(stack, name)
    (host,) = leaves(found["other-hosts"]["statement"]["notStatement"])
    (method,) = leaves(found["other-methods"]["statement"]["notStatement"])
    for ours in t.public_hosts():
        assert re.search(host["regexString"], ours)
        assert re.search(host["regexString"], f"{ours}:443")
        for foreign in (f"x{ours}", f"{ours}.example", ours.replace(".", "x", 1), f"{ours}:80", "10.0.0.1"):
            assert not re.search(host["regexString"], foreign)
    taken = {verb for door in t.doors.values() for verb in door.methods} | {"OPTIONS" for door in t.doors.values() if door.cors}
    for verb in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "GETX"):
        assert bool(re.search(method["regexString"], verb)) is (verb in taken)


@OF_A_PLAN
def test_an_address_may_ask_as_often_as_its_clients_tiers_together_allow_and_no_oftener(stack: str, name: str) -> None:
    limit = rules(stack, name)["address-limit"]["statement"]["rateBasedStatement"]
    assert (limit["aggregateKeyType"], limit["evaluationWindowSec"]) == ("IP", 60)
    assert limit["limit"] >= 10


@OF_A_PLAN
def test_the_firewall_stands_before_the_load_balancer_and_logs_without_credentials(stack: str, name: str) -> None:
    (association,) = registered(stack, name, "wafv2/webAclAssociation:WebAclAssociation")
    assert {key: {urn.rpartition("::")[2] for urn in urns} for key, urns in association["propertyDependencies"].items() if urns} == {
        "resourceArn": {"edge"},
        "webAclArn": {"waf"},
    }
    (logging,) = of(stack, name, "wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration")
    (target,) = logging["logDestinationConfigs"]
    assert target.rpartition(":")[2].startswith("aws-waf-logs-")
    hidden = {field["singleHeader"]["name"] for field in logging["redactedFields"] if "singleHeader" in field}
    assert hidden == set(SECRETS)
    (acl,) = of(stack, name, "wafv2/webAcl:WebAcl")
    (kept,) = acl["dataProtectionConfig"]["dataProtections"]
    assert set(kept["field"]["fieldKeys"]) == set(SECRETS)
