"""Documents that say who may do what: read from real plans."""

import json
from typing import Any

import pytest

from components.aws.rights import Statement, document
from tests.components.aws.documents import DOCUMENTS
from tests.components.aws.systems import PLANS, named, resources

MANAGED = {
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKS_CNI_Policy",
}
"""Policies kept by AWS that some role has."""

OF_A_PLAN = pytest.mark.parametrize(("stack", "name"), PLANS)


def statements(stack: str, name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    return [
        (resource, statement)
        for resource in resources(stack, name)
        if resource["type"] in DOCUMENTS
        for statement in json.loads(resource["inputs"][DOCUMENTS[resource["type"]]])["Statement"]
    ]


@OF_A_PLAN
def test_a_document_open_to_all_principals_is_bound_to_the_account_or_to_one_thing(stack: str, name: str) -> None:
    for resource, statement in statements(stack, name):
        if statement["Effect"] == "Allow" and statement.get("Principal") == "*":
            own = statement.get("Condition", {}).get("StringEquals", {}).get("aws:PrincipalAccount") == "000000000000"
            layers = statement["Resource"] == ["arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/*"]
            assert own or layers, named(resource)


@OF_A_PLAN
def test_a_role_is_taken_on_by_one_service_for_this_account_alone(stack: str, name: str) -> None:
    for resource, statement in statements(stack, name):
        if resource["type"] == "aws:iam/role:Role":
            (service,) = statement["Principal"].values()
            bound = statement.get("Condition", {}).get("StringEquals", {})
            assert service.endswith(".amazonaws.com")
            assert bound.get("aws:SourceAccount") == "000000000000" or service == "ec2.amazonaws.com"
            if service == "pods.eks.amazonaws.com":
                assert {"aws:RequestTag/kubernetes-namespace", "aws:RequestTag/kubernetes-service-account"} <= set(bound)


@OF_A_PLAN
def test_policies_kept_by_aws_are_the_narrowest_that_do(stack: str, name: str) -> None:
    attached = [r["inputs"] for r in resources(stack, name) if r["type"] == "aws:iam/rolePolicyAttachment:RolePolicyAttachment"]
    assert {inputs["policyArn"].rpartition("/")[2] for inputs in attached} == MANAGED


@OF_A_PLAN
def test_the_controller_registers_targets_in_the_environments_own_target_groups_alone(stack: str, name: str) -> None:
    (register,) = [said for _, said in statements(stack, name) if said["Sid"] == "Register"]
    environment = resources(stack, name)[0]["urn"] and next(
        r["inputs"]["name"] for r in resources(stack, name) if r["type"] == "aws:eks/cluster:Cluster"
    )
    assert register["Resource"] == [f"arn:aws:elasticloadbalancing:eu-central-1:000000000000:targetgroup/{environment}-*/*"]
    groups = [r["inputs"]["name"] for r in resources(stack, name) if r["type"] == "aws:lb/targetGroup:TargetGroup"]
    assert all(group.startswith(f"{environment}-") and len(group) <= 32 for group in groups)


def test_a_statement_says_only_what_it_has() -> None:
    said = json.loads(document(Statement(sid="One", actions=("a:B",), resources=("r",))))
    assert said["Statement"] == [{"Sid": "One", "Effect": "Allow", "Action": ["a:B"], "Resource": ["r"]}]
