"""Statements of policy documents: whom they name, and whose requests their conditions leave."""

import json
from typing import Any

import pytest

from policies.reading.cloud.aws.documents import Sentence, account_in, is_in, sentences
from policies.reading.values import UnknownValueError
from tests.policies.building import resources_of

OURS, THEIRS = "123456789012", "999999999999"


def read(*statements: dict[str, Any]) -> list[Sentence]:
    said = json.dumps({"Statement": statements[0] if len(statements) == 1 else list(statements)})
    (policy,) = resources_of([{"type": "aws:iam/policy:Policy", "name": "p", "inputs": {"policy": said}}])
    return list(sentences(policy, "policy"))


def under(**conditions: Any) -> Sentence:
    (found,) = read({"Effect": "Allow", "Condition": conditions})
    return found


def test_a_single_statement_is_read_as_a_list_of_one_and_single_values_too() -> None:
    (one,) = read({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Principal": "*"})
    assert (one.allows, one.actions, one.resources, one.principals) == (True, ("s3:GetObject",), ("*",), (("AWS", "*"),))
    assert [each.allows for each in read({"Effect": "Deny"}, {"Effect": "Allow"})] == [False, True]


@pytest.mark.parametrize(
    ("conditions", "bound"),
    [
        ({"StringEquals": {"aws:SourceAccount": OURS}}, True),
        ({"StringEquals": {"AWS:sourceaccount": [OURS]}}, True),
        ({"ArnLike": {"aws:SourceArn": f"arn:aws:eks:eu-central-1:{OURS}:cluster/*"}}, True),
        ({"StringEquals": {"aws:SourceAccount": [OURS, THEIRS]}}, False),
        ({"StringEquals": {"aws:SourceAccount": []}}, False),
        ({"StringLike": {"aws:SourceAccount": "1*"}}, False),
        ({"StringEqualsIfExists": {"aws:SourceAccount": OURS}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": OURS}}, False),
        ({"ForAnyValue:StringEquals": {"aws:SourceAccount": OURS}}, False),
        ({"StringEquals": {"aws:RequestedRegion": OURS}}, False),
        ({}, False),
    ],
)
def test_a_condition_leaves_an_account_alone_where_a_request_without_it_fails(conditions: dict[str, Any], bound: bool) -> None:
    assert under(**conditions).is_of(OURS) is bound


def test_a_demanded_value_is_one_that_every_request_must_have() -> None:
    assert under(StringEquals={"aws:RequestTag/x": "a"}).demands("aws:requesttag/X") == ("a",)
    assert under(StringEqualsIfExists={"aws:RequestTag/x": "a"}).demands("aws:RequestTag/x") == ()


def test_a_principal_is_of_the_account_that_its_arn_names() -> None:
    assert account_in(f"arn:aws:iam::{OURS}:role/x") == OURS
    assert is_in(f"arn:aws:iam::{OURS}:root", OURS)
    assert not is_in(f"arn:aws:iam::{THEIRS}:role/{OURS}", OURS)


TWICE = {"StringEquals": {"aws:SourceAccount": THEIRS, "AWS:SourceAccount": OURS}}


@pytest.mark.parametrize("condition", [TWICE, {**TWICE, "stringequals": {}}, {"StringEquals": {}, "stringequals": {}}])
def test_a_condition_in_two_spellings_is_not_read(condition: dict[str, Any]) -> None:
    with pytest.raises(UnknownValueError, match="one key in two spellings"):
        under(**condition)


@pytest.mark.parametrize("statement", [{"Effect": "Allow", "Scope": "all"}, {"Action": "*"}, {"Effect": "Maybe"}])
def test_a_statement_that_is_not_understood_is_not_skipped(statement: dict[str, Any]) -> None:
    with pytest.raises(UnknownValueError, match="a statement that is not read"):
        read(statement)
