"""Roles of AWS: who takes them on, and what they may do."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws import kinds
from policies.reading.cloud.aws.controller import accounts_of
from policies.reading.cloud.aws.documents import EVERYBODY, EXACTLY, WHERE, Sentence, account_of, allowing, but, is_in, part
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.references import names, values_at
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, is_unknown

if TYPE_CHECKING:
    from policies.reading.stack import Stack

INSTANCES: Final = "ec2.amazonaws.com"
"""Gives an instance roles of its own account alone, and does not say for which account."""
PODS: Final = "pods.eks.amazonaws.com"
POD: Final = (
    *("aws:RequestTag/eks-cluster-name", "aws:RequestTag/kubernetes-namespace"),
    "aws:RequestTag/kubernetes-service-account",
)
"""What EKS says of the pod that takes on a role (https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html)."""

LOOKING: Final = re.compile(r"[a-z0-9-]+:(Describe|List)\w*\*?")
UNBOUND: Final = frozenset({"ecr:GetAuthorizationToken", "sts:GetCallerIdentity"})
"""Actions besides looking that AWS lets nobody narrow to a resource (https://docs.aws.amazon.com/service-authorization/latest/reference)."""
GIVING: Final = re.compile(r"iam:(?!Get|List|Simulate).*|sts:Assume.*|organizations:.*|eks:(Create|Update|Associate).*", re.IGNORECASE)
"""Actions by which whoever may do them gets any right, or gives it."""
BOUNDARY: Final = frozenset(
    {"acm", "apigateway", "cloudformation", "cloudfront", "ec2", "eks", "elasticloadbalancing", "globalaccelerator", "iam", "lambda"}
    | {"network-firewall", "organizations", "route53", "shield", "ssm", "sts", "vpc-lattice", "waf", "waf-regional", "wafv2"}
)
"""Services in which the boundary itself is made, or in which something is run with rights of its own."""
KEEPING: Final = frozenset({"cloudtrail", "config", "guardduty", "kms", "logs", "s3", "secretsmanager"})
"""Services that keep keys, secrets, and what happened."""
WRITING: Final = frozenset({"logs:CreateLogStream", "logs:PutLogEvents"})
"""The one task of an identity of the system in those: to write down what happens. Fluent Bit asks for no more (github.com/fluent/fluent-bit
v4.2.2, `plugins/out_cloudwatch_logs/cloudwatch_api.c`)."""
BINDING: Final = frozenset(
    f"elasticloadbalancing:{verb}" for verb in ("RegisterTargets", "DeregisterTargets", "ModifyTargetGroup", "ModifyTargetGroupAttributes")
)
"""The one task of an identity of the system in them: to say which pods are targets (AWS Load Balancer Controller, `deploy/installation`)."""
PASSING: Final = "iam:PassRole"
ONE_ROLE: Final = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+")
WHOLE: Final = re.compile(r"|[^:/*?]*[:/]?[*?].*")
"""What stands in an ARN for everything of a service, or of a kind: nothing is named before the first wildcard but a kind."""

KEPT_BY_AWS: Final = "arn:aws:iam::aws:policy/"
NARROW: Final[Mapping[str, str]] = {
    "AmazonEKSClusterPolicy": "eks.amazonaws.com",
    **dict.fromkeys(("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly"), INSTANCES),
    "AmazonEKS_CNI_Policy": f"{PODS} (kube-system/aws-node)",
}
"""Policies kept by AWS for clusters, nodes and the network plugin, and who takes on the role that they are meant for: with them, anybody else
opens security groups or changes the interfaces of nodes (https://docs.aws.amazon.com/eks/latest/userguide/security-iam-awsmanpol.html)."""
WIDE: Final = re.compile(r"(.*/)?(AdministratorAccess.*|PowerUserAccess|SystemAdministrator|\w*FullAccess\w*)")

TAKING_ON: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    kinds.CLUSTER: (("roleArn",),),
    kinds.NODE_GROUP: (("nodeRoleArn",),),
    kinds.ADDON: (("podIdentityAssociations", "roleArn"), ("serviceAccountRoleArn",)),
    kinds.POD_IDENTITY: (("roleArn",),),
    kinds.FLOW_LOG: (("iamRoleArn",),),
}
"""Fields in which something takes on a role."""


def is_taken_on(role: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check who takes on a role: a service for this account, or somebody in it by name who does not run here."""
    account, own = account_of(stack), own_roles(stack)
    for each in allowing(role, "assumeRolePolicy"):
        yield from but(each, "is taken on by everybody but some")
        for kind, name in each.principals:
            yield from _taker(kind, name, each, account)
            if kind == "AWS" and name in own:
                yield Flaw(message=f"is taken on by {name}, which has rights of its own", fix="remove it; each role has one task")


def _taker(kind: str, name: str, each: Sentence, account: str) -> Iterator[Flaw]:
    if kind == "Service":
        if name == PODS and not all(len(each.demands(tag)) == 1 and "*" not in each.demands(tag)[0] for tag in POD):
            yield Flaw(message="is taken on by any pod that is given it", fix=f"demand {' and '.join(POD)} in its trust policy")
        if name != INSTANCES and not each.is_of(account):
            yield Flaw(message=f"is taken on by {name} for any account", fix=f"demand aws:SourceAccount {account} in its trust policy")
    elif kind != "AWS":
        fix = "let pods take it on by Pod Identity"
        yield Flaw(message=f"is taken on by whom {name} vouches for, which no rule reads", fix=fix, undecided=True)
    elif name == EVERYBODY:
        yield Flaw(message="is taken on by everybody in AWS", fix="name the service that takes it on")
    elif not is_in(name, account):
        yield Flaw(message=f"is taken on by {name}, in another account", fix="name the service of this account that takes it on")
    elif name in {account, f"arn:aws:iam::{account}:root"}:
        yield Flaw(message="is taken on by whoever in the account may take on roles", fix="name the one role that takes it on")


def may(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check what a role may do: named actions to named things."""
    del stack
    for each in allowing(resource, "policy"):
        yield from but(each, "lets a role do everything but some")
        wide = [thing for thing in each.resources if _is_wide(thing)]
        for action in each.actions:
            service, _, verb = action.partition(":")
            if "*" in service or "?" in service or verb == "*":
                yield Flaw(message=f"lets a role do {action}", fix=EXACTLY)
            elif _gives(action, each.resources):
                message = f"lets a role do {action} to {', '.join(each.resources)}, and so have any right"
                yield Flaw(message=message, fix=f"remove it; {PASSING} names one role")
            elif service.lower() in BOUNDARY and not _is_task(action):
                message = f"lets a role do {action} to {', '.join(each.resources)}, by which the boundary is changed behind the plan"
                yield Flaw(message=message, fix="remove it; the program alone changes the boundary")
            elif service.lower() in KEEPING and action not in WRITING and not LOOKING.fullmatch(action):
                message = f"lets a role do {action} to {', '.join(each.resources)}, where keys, secrets and logs are kept"
                yield Flaw(message=message, fix="remove it; an identity of the system writes logs and nothing else there")
            elif wide and not LOOKING.fullmatch(action) and action not in UNBOUND:
                yield Flaw(message=f"lets a role do {action} to {', '.join(wide)}", fix=EXACTLY)
            elif not _is_task(action) and action not in WRITING:
                message = f"lets a role do {action} to {', '.join(each.resources)}, and what that opens is not known"
                yield Flaw(
                    message=message, fix="remove it, or add it to the tasks in policies/reading/cloud/aws after review", undecided=True
                )


def _is_wide(thing: str) -> bool:
    """Say whether a resource is everything of a service or a kind. Of S3, what stands first is a bucket, and no kind."""
    where = part(thing, WHERE)
    return where[:1] in {"*", "?"} if thing.startswith("arn:aws:s3:") else WHOLE.fullmatch(where) is not None


def _is_task(action: str) -> bool:
    return LOOKING.fullmatch(action) is not None or action in UNBOUND | BINDING or action.lower() == PASSING.lower()


def _gives(action: str, things: Iterable[str]) -> bool:
    if action.lower() == PASSING.lower():
        return not all(ONE_ROLE.fullmatch(thing) for thing in things)
    return GIVING.fullmatch(action) is not None


def is_given(attachment: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a policy attached to a role is one of the program, or one that AWS keeps for this task."""
    if any(names(attachment, "policyArn", policy) for policy in stack.of(kinds.POLICY)):
        return  # its document is read where it stands
    arn = str(attachment.at("policyArn"))
    name = arn.removeprefix(KEPT_BY_AWS)
    if not arn.startswith(KEPT_BY_AWS) or not (name in NARROW or WIDE.fullmatch(name)):
        message = f"gives a role {arn}, and what that allows is in no plan"
        yield Flaw(message=message, fix="write the policy in the program", undecided=True)
    elif name not in NARROW:
        yield Flaw(message=f"gives a role {name}", fix="write a policy of what its task asks for")
    elif strangers := sorted(_takers(attachment, stack) - {NARROW[name]}):
        yield Flaw(
            message=f"gives {name} to a role that {', '.join(strangers)} takes on, for which it is not meant",
            fix=f"attach it to the role of {NARROW[name]} alone",
        )


def binds_as_controller(given: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the load balancer controller alone says which pods are targets: whoever else may is a target, and takes the edge's requests.

    Raises:
        UnknownValueError: if the right is given to no role of the program.
    """
    own = [given] if given.kind == kinds.ROLE_POLICY else [each for each in stack.of(kinds.POLICY) if names(given, "policyArn", each)]
    if not any(BINDING & {*sentence.actions} for each in own for sentence in allowing(each, "policy")):
        return
    meant = {f"{PODS} ({place}/{account})" for place, account in accounts_of(stack)}
    if strangers := sorted(_takers(given, stack) - meant):
        yield Flaw(
            message=f"lets {', '.join(strangers)} say who is behind the edge, which is the AWS Load Balancer Controller's task",
            fix="give it to the controller's role alone",
        )


def _takers(attachment: Resource, stack: "Stack") -> set[str]:
    """Return who takes on the role to which a policy is attached.

    Raises:
        UnknownValueError: if that is no role of the program.
    """
    found = [each for each in stack.of(kinds.ROLE) if names(attachment, "role", each, each.props.get("name"))]
    if len(found) != 1:
        raise UnknownValueError(f"{attachment}: role", "no role of the program")
    return {
        f"{name} ({'/'.join(value for tag in POD[1:] for value in each.demands(tag))})" if name == PODS else name
        for each in allowing(found[0], "assumeRolePolicy")
        for _, name in each.principals
    }


def takes_on_own(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that what takes on a role takes on one of the program: what another may do is in no plan."""
    own = own_roles(stack)
    for field, *path in TAKING_ON[resource.kind]:
        depends = {source.kind for source in stack.sources(resource, field)}
        for arn in values_at(resource.props.get(field), *path):
            if depends == {kinds.ROLE} if is_unknown(arn) else arn in own:
                continue
            message = f"takes on {'a role' if is_unknown(arn) else arn}, which the program does not make: what it may do is in no plan"
            yield Flaw(message=message, fix="make the role in the program", undecided=True)


def serves_no_service(association: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that nobody on the way of requests gets rights in the account: what a service may do, the topology says, and a gateway needs none."""
    place, account = association.at("namespace", default=""), association.at("serviceAccount", default="")
    if place in stack.app_namespaces:
        yield Flaw(
            message=f"gives pods of {place}/{account} rights in the account, which no topology says",
            fix="remove it; services reach each other and outside hosts by calls of the topology alone",
        )
    elif any((pod.namespace, pod.service_account) == (place, account) for pod in stack.pods) and (place, account) not in accounts_of(stack):
        yield Flaw(
            message=f"gives pods of {place}/{account} rights in the account, which are not the AWS Load Balancer Controller's",
            fix="remove it; the load balancer controller alone changes something in the account",
        )


def own_roles(stack: "Stack") -> set[str]:
    """Return the ARNs of the roles that the program makes."""
    return {arn_of(role, stack) for role in stack.of(kinds.ROLE)}


def arn_of(role: Resource, stack: "Stack") -> str:
    """Return the ARN that a role will have."""
    return f"arn:aws:iam::{account_of(stack)}:role{role.at('path', default='/')}{role.at('name', default='')}"
