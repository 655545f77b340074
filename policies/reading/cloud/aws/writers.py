"""Whether those who write logs may: where a right is gone, nothing is written any more, and nobody is told."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.documents import account_of, lets
from policies.reading.cloud.aws.kinds import (
    BUCKET,
    BUCKET_ENCRYPTION,
    BUCKET_POLICY,
    KEY,
    LOG_POLICY,
    ROLE,
    ROLE_POLICY,
)
from policies.reading.cloud.aws.references import named, values_at
from policies.reading.cloud.aws.roles import arn_of
from policies.reading.cloud.flaws import Flaw
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, is_unknown, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

BALANCERS: Final = "logdelivery.elasticloadbalancing.amazonaws.com"
"""Writes what load balancers log (ELB User Guide, `enable-access-logging`)."""
DELIVERY: Final = "delivery.logs.amazonaws.com"
"""Writes what firewalls log (WAF Developer Guide, `logging-cw-logs`)."""
FLOWS: Final = "vpc-flow-logs.amazonaws.com"
"""Writes flow logs, by a role (VPC User Guide, `flow-logs-iam-role`)."""
LOGS: Final = "logs.*.amazonaws.com"
"""Encrypts log groups (CloudWatch Logs User Guide, `encrypt-log-data-kms`)."""
ENCRYPTING: Final = ("kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey")
CIPHER: Final = "AES256"
"""The only encryption with which a load balancer can write (ELB User Guide, `enable-access-logging`)."""
ANYTHING: Final = "sample"
"""Stands in a place for whatever a service writes there."""


def of_balancer(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the bucket of a load balancer's access log takes what it writes.

    Raises:
        UnknownValueError: if it is not known which bucket that is.
    """
    logs = mapping(balancer.at("accessLogs", default={}))
    if logs.get("enabled") is not True:
        return  # said elsewhere
    if is_unknown(logs.get("bucket")):
        raise UnknownValueError(f"{balancer}: accessLogs.bucket", "a name known after the deployment: give it one")
    name, prefix = str(logs.get("bucket")), f"{logs['prefix']}/" if logs.get("prefix") else ""
    place = f"arn:aws:s3:::{name}/{prefix}AWSLogs/{account_of(stack)}/{ANYTHING}"
    policies = [each for each in stack.of(BUCKET_POLICY) if _is_about(stack, each, name)]
    if not lets(policies, "policy", "s3:PutObject", place, service=BALANCERS):
        yield _flaw(f"{BALANCERS} may not write its access log to {place.removesuffix(ANYTHING)}")
    for each in stack.of(BUCKET_ENCRYPTION):
        ciphers = set(values_at(each.props.get("rules"), "applyServerSideEncryptionByDefault", "sseAlgorithm"))
        if _is_about(stack, each, name) and ciphers - {CIPHER}:
            yield Flaw(
                message=f"is encrypted in a way in which load balancers cannot write ({', '.join(map(str, sorted(ciphers)))})",
                fix=f"set sseAlgorithm: {CIPHER}",
                resource=each,
            )


def _is_about(stack: "Stack", resource: Resource, bucket: str) -> bool:
    given = resource.props.get("bucket")
    if not is_unknown(given):
        return given == bucket
    return any(each.kind == BUCKET and each.props.get("bucket") == bucket for each in stack.sources(resource, "bucket"))


def of_firewall(logging: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the log group of a firewall takes what it writes.

    Raises:
        UnknownValueError: if it is not known which log group that is.
    """
    for place in sequence(logging.at("logDestinationConfigs", default=[])):
        if is_unknown(place):
            raise UnknownValueError(f"{logging}: logDestinationConfigs", "a place known after the deployment: write its ARN")
        if ":log-group:" not in str(place):
            continue
        stream = f"{str(place).removesuffix(':*')}:{ANYTHING}"
        if not lets(stack.of(LOG_POLICY), "policyDocument", "logs:PutLogEvents", stream, service=DELIVERY):
            yield _flaw(f"{DELIVERY} may not write to {place}")


def of_flows(flow_log: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the role of a flow log may write to its log group, and that its service takes the role on.

    Raises:
        UnknownValueError: if it is not known which log group that is.
    """
    place = flow_log.at("logDestination", default="")
    stream = f"{str(place).removesuffix(':*')}:{ANYTHING}"
    if not any(_writes(stack, role, stream) for role in roles_of(stack, flow_log, "iamRoleArn")):
        yield _flaw(f"its role may not write to {place}, or {FLOWS} may not take it on")


def _writes(stack: "Stack", role: Resource, stream: str) -> bool:
    taken_on = lets([role], "assumeRolePolicy", "sts:AssumeRole", "", service=FLOWS)
    return taken_on and lets(rights_of(stack, role), "policy", "logs:PutLogEvents", stream)


def roles_of(stack: "Stack", resource: Resource, field: str) -> list[Resource]:
    """Return the roles of the program that a field names by an ARN."""
    given, depends = resource.props.get(field), stack.sources(resource, field)
    return [each for each in stack.of(ROLE) if (each in depends if is_unknown(given) else arn_of(each, stack) == given)]


def rights_of(stack: "Stack", role: Resource) -> list[Resource]:
    """Return the policies of a role's own."""
    name = role.at("name", default="")
    return [
        each
        for each in stack.of(ROLE_POLICY)
        if (role in stack.sources(each, "role") if is_unknown(each.props.get("role")) else each.props.get("role") == name)
    ]


def of_key(group: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the key of a log group lets CloudWatch use it.

    Raises:
        UnknownValueError: if it is not a key of the program.
    """
    for key in named(stack, group, "kmsKeyId", kinds=(KEY,)):
        missing = [action for action in ENCRYPTING if not lets([key], "policy", action, "", service=LOGS)]
        if missing:
            yield _flaw(f"CloudWatch may not {', '.join(missing)} with {key}")


def _flaw(message: str) -> Flaw:
    return Flaw(message=f"writes nothing down: {message}", fix="let who writes the log do so, and deny it nothing")
