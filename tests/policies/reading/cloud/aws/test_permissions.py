"""What documents let a service do: an allow that covers all of it, on conditions that are known to hold, and no deny that may touch it."""

import json
from typing import Any

import pytest

from policies.reading.cloud.aws.permissions import OVER_TLS, Request, lets
from tests.policies.building import resources_of

OURS, THEIRS = "123456789012", "999999999999"
FACTS = {**OVER_TLS, "aws:sourceaccount": OURS, "aws:sourcearn": f"arn:aws:logs:eu-central-1:{OURS}:*"}
WRITER = "delivery.logs.amazonaws.com"
FOLDER = "arn:aws:s3:::logs/AWSLogs/*"


def let(*statements: dict[str, Any]) -> bool:
    """Say whether statements let a service write everything in a folder."""
    said = json.dumps({"Statement": list(statements)})
    policies = resources_of([{"type": "aws:s3/bucketPolicy:BucketPolicy", "name": "p", "inputs": {"policy": said}}])
    return lets(policies, "policy", Request(action="s3:PutObject", thing=FOLDER, service=WRITER, facts=FACTS))


def allowing(**more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": WRITER}, "Action": "s3:PutObject", "Resource": FOLDER, **more}


def denying(**more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", **more}


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({}, True),
        ({"Resource": "arn:aws:s3:::logs/*"}, True),
        ({"Resource": "arn:aws:s3:::logs/AWSLogs/s*"}, False),
        ({"Resource": "arn:aws:s3:::logs/AWSLogs/sample"}, False),
        ({"Resource": "arn:aws:s3:::logs/AWSLogs/?"}, False),
        ({"Principal": {"Service": "logs.amazonaws.com"}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": OURS}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": [THEIRS, OURS]}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": THEIRS}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "*"}}}, False),
        ({"Condition": {"StringLike": {"aws:SourceAccount": "123*"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:logs:eu-central-1:{OURS}:*"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:logs:*:{OURS}:*"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:*"}}}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:logs:eu-central-1:{OURS}:delivery-source:one"}}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": OURS, "aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceAccount": OURS}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": THEIRS}}}, False),
    ],
)
def test_an_allow_counts_where_it_covers_all_and_its_conditions_are_known_to_hold(more: dict[str, Any], counts: bool) -> None:
    assert let(allowing(**more)) is counts


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({}, True),
        ({"Resource": "arn:aws:s3:::other/*"}, False),
        ({"Resource": "arn:aws:s3:::logs/AWSLogs/elasticloadbalancing/*"}, True),
        ({"Resource": "arn:aws:s3:::logs/AWSLogs/one.gz"}, True),
        ({"Resource": "arn:aws:s3:::${aws:PrincipalTag/bucket}/*"}, True),
        ({"Resource": "arn:aws:s3:::logs"}, False),
        ({"Principal": {"AWS": f"arn:aws:iam::{OURS}:role/x"}}, False),
        ({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": THEIRS}}}, False),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": OURS}}}, True),
        ({"Condition": {"StringEquals": {"s3:x-amz-acl": "private"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "${aws:ResourceAccount}"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:logs:eu-central-1:{OURS}:delivery-source:*"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:logs:us-east-1:{OURS}:delivery-source:*"}}}, False),
    ],
)
def test_a_deny_counts_where_it_may_touch_a_part_and_no_condition_is_known_to_fail(more: dict[str, Any], counts: bool) -> None:
    assert let(allowing(), denying(**more)) is not counts
