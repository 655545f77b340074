"""Rights in AWS: roles, and the documents that say who may do what to what."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pulumi
from pulumi_aws import iam

from components.aws.names import Names
from components.known import known

VERSION: Final = "2012-10-17"
PODS: Final = "pods.eks.amazonaws.com"
"""Who takes on a role for a pod (EKS User Guide, `pod-id-role`)."""
INSTANCES: Final = "ec2.amazonaws.com"
"""Who takes on a role for an instance; it does not say for which account, because an instance only gets roles of its own."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One sentence of a document."""

    sid: str
    actions: Sequence[str]
    resources: Sequence[str] = ()
    """Empty in a trust policy, which is about the role that it belongs to."""
    principals: Mapping[str, str | Sequence[str]] | str | None = None
    """None in a policy of a role, which is about that role."""
    conditions: Mapping[str, Mapping[str, str | Sequence[str]]] = field(default_factory=dict[str, Mapping[str, str | Sequence[str]]])
    allow: bool = True

    @property
    def said(self) -> dict[str, Any]:
        """The statement as AWS reads it."""
        return {
            "Sid": self.sid,
            "Effect": "Allow" if self.allow else "Deny",
            **({"Principal": self.principals} if self.principals else {}),
            "Action": list(self.actions),
            **({"Resource": list(self.resources)} if self.resources else {}),
            **({"Condition": self.conditions} if self.conditions else {}),
        }


def document(*statements: Statement) -> str:
    """Return a policy document as JSON."""
    return json.dumps({"Version": VERSION, "Statement": [statement.said for statement in statements]})


def trust(service: str, names: Names) -> str:
    """Return who may take on a role: a service of AWS, on behalf of this account alone.

    A service that does not say for which account it acts cannot take such a role on. EKS says it (EKS User Guide,
    `cross-service-confused-deputy-prevention`), flow logs do (VPC User Guide, `flow-logs-iam-role`).
    """
    own: dict[str, dict[str, str]] = {} if service == INSTANCES else {"StringEquals": {"aws:SourceAccount": names.account}}
    return document(Statement(sid="Service", actions=("sts:AssumeRole",), principals={"Service": service}, conditions=own))


def trust_pods(namespace: str, account: str, names: Names) -> str:
    """Return who may take on a role: the pods of one service account of the environment's cluster."""
    asked = {
        "aws:SourceAccount": names.account,
        "aws:RequestTag/eks-cluster-name": names.name,
        "aws:RequestTag/kubernetes-namespace": namespace,
        "aws:RequestTag/kubernetes-service-account": account,
    }
    actions = ("sts:AssumeRole", "sts:TagSession")
    return document(Statement(sid="Pods", actions=actions, principals={"Service": PODS}, conditions={"StringEquals": asked}))


def managed_policy(name: str) -> str:
    """Return the ARN of a policy that AWS keeps."""
    return f"arn:aws:iam::aws:policy/{name}"


def role(  # noqa: PLR0913 # what a role says
    kind: str,
    names: Names,
    *,
    trusted: str,
    parent: pulumi.Resource,
    managed: Sequence[str] = (),
    statements: Sequence[Statement] = (),
) -> tuple[pulumi.Output[str], list[pulumi.Resource]]:
    """Register a role; return its ARN, and its rights, which whoever uses it must wait for.

    Args:
        kind: in its name.
        names: of the environment.
        trusted: trust policy.
        parent: the component that owns it.
        managed: policies that AWS keeps, by their names.
        statements: rights of our own.
    """
    options = pulumi.ResourceOptions(parent=parent)
    made = iam.Role(f"role-{kind}", iam.RoleArgs(name=names.of(kind), assume_role_policy=trusted, tags=names.tags(kind)), opts=options)
    name = known(names.of(kind), made)
    rights: list[pulumi.Resource] = [
        iam.RolePolicyAttachment(
            f"{kind}-{policy}", iam.RolePolicyAttachmentArgs(role=name, policy_arn=managed_policy(policy)), opts=options
        )
        for policy in managed
    ]
    if statements:
        own = iam.RolePolicyArgs(name=kind, role=name, policy=document(*statements))
        rights.append(iam.RolePolicy(f"{kind}-rights", own, opts=options))
    return known(names.role(kind), made), rights
