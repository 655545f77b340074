"""What a first `pulumi up`, and the one after a `pulumi destroy`, would stumble over."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from components.aws.settings import TAKEN, AwsSettings
from tests.components.aws.systems import PLANS, named, of, registered, resources

GIVEN: dict[str, Any] = {
    "accountId": "123456789012",
    "region": "eu-central-1",
    "name": "shop-dev",
    "administrators": ["arn:aws:iam::123456789012:role/admin"],
    "hostedZone": "Z0123456789",
}
WAYS = ("Ingress", "Egress")


@pytest.mark.parametrize("beginning", [each for each in TAKEN if each.rstrip("-").isalpha()])
def test_a_name_that_aws_refuses_is_refused_before_anything_is_made(beginning: str) -> None:
    with pytest.raises(ValidationError, match=f"name begins with {beginning}"):
        AwsSettings.model_validate({**GIVEN, "name": f"{beginning}shop"})


def test_a_name_of_ones_own_is_taken() -> None:
    assert AwsSettings.model_validate(GIVEN).name == "shop-dev"


def test_the_first_objects_wait_for_what_takes_longer_than_an_access_entry() -> None:
    (inside,) = [each for each in resources("aws-dev", "abc") if named(each) == "cluster-system" and each["type"].endswith(":kubernetes")]
    waited = {urn.rpartition("::")[2] for urn in inside["dependencies"]}
    assert waited >= {"administrator-1", "vpc-cni", "kube-proxy", "eks-pod-identity-agent"}


@pytest.mark.parametrize(("stack", "name"), PLANS)
def test_a_destroy_leaves_the_network_open_until_the_cluster_is_gone(stack: str, name: str) -> None:
    (cluster,) = registered(stack, name, "eks/cluster:Cluster")
    kinds = ("ec2/routeTableAssociation:RouteTableAssociation", *(f"vpc/securityGroup{way}Rule:SecurityGroup{way}Rule" for way in WAYS))
    open_ = {each["urn"] for kind in kinds for each in registered(stack, name, kind) if each["parent"].endswith("::network")}
    assert {urn.rpartition("::")[2] for urn in open_} >= {"private-a", "intra-1", "out-nodes-api", "in-api-api"}
    assert open_ <= set(cluster["dependencies"])


def test_flow_logs_may_find_their_group_and_write_into_it_alone() -> None:
    (rights,) = [
        each["inputs"]["policy"] for each in registered("aws-dev", "abc", "iam/rolePolicy:RolePolicy") if named(each) == "flow-logs-rights"
    ]
    said = {action: each["Resource"] for each in json.loads(rights)["Statement"] for action in each["Action"]}
    assert said["logs:DescribeLogGroups"] == ["*"]
    assert said["logs:PutLogEvents"] == ["arn:aws:logs:eu-central-1:000000000000:log-group:/vpc/abc-dev/flow:*"]


@pytest.mark.parametrize(("stack", "days"), [("aws-dev", 0), ("aws-prod", 7)])
def test_a_small_environment_can_be_made_again_at_once(stack: str, days: int) -> None:
    found = {each["recoveryWindowInDays"] for each in of(stack, "payments", "secretsmanager/secret:Secret")}
    assert found <= {days}
