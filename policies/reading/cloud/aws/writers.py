"""Whether those who write logs may: where a right is gone, nothing is written any more, and nobody is told."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.answers import OF_LOGS
from policies.reading.cloud.aws.documents import account_of, region_of
from policies.reading.cloud.aws.encryption_keys import BY_DEFAULT, keys_of
from policies.reading.cloud.aws.kinds import (
    BUCKET_ENCRYPTION,
    BUCKET_POLICY,
    KEY,
    LOG_GROUP,
    LOG_POLICY,
    ROLE,
    ROLE_POLICY,
)
from policies.reading.cloud.aws.log_places import OF_S3, arn_of, place_of
from policies.reading.cloud.aws.permissions import OVER_TLS, Request, lets
from policies.reading.cloud.aws.roles import WRITING
from policies.reading.cloud.aws.roles import arn_of as arn_of_role
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.references import named, names, values_at
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, is_unknown, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

OF_BALANCERS: Final = "logdelivery.elasticloadbalancing.amazonaws.com"
"""Writes what load balancers log, and says nothing of for whom (ELB User Guide, `enable-access-logging`)."""
DELIVERY: Final = "delivery.logs.amazonaws.com"
"""Writes what firewalls log, and says for which account (WAF Developer Guide, `logging-cw-logs`, `logging-s3`)."""
FLOWS: Final = "vpc-flow-logs.amazonaws.com"
"""Writes flow logs, by a role, and says for which account and flow log (VPC User Guide, `flow-logs-iam-role`)."""
ENCRYPTING: Final = ("kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey")
"""What CloudWatch does with the key of a log group, of which it says which it is (CloudWatch Logs User Guide, `encrypt-log-data-kms`)."""
CIPHER: Final = "AES256"
"""The only encryption with which a load balancer can write (ELB User Guide, `enable-access-logging`)."""
WITH_KEY: Final = "aws:kms"
"""Encryption with which firewalls can write besides, where the key's policy lets them; never with the key that AWS keeps for S3 (WAF Developer
Guide, `logging-s3`)."""


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
    bucket = place_of(stack, balancer, "accessLogs", logs.get("bucket"))
    if bucket is None:
        yield _flaw(f"whether it may write its access log to {logs.get('bucket')}, no policy of the program says")
        return
    folder = f"{logs['prefix']}/" if logs.get("prefix") else ""
    written = Request(action="s3:PutObject", thing=_objects(bucket, folder, stack), service=OF_BALANCERS, facts=OVER_TLS)
    yield from _takes(bucket, (written,), stack)


def _objects(bucket: Resource, folder: str, stack: "Stack") -> str:
    return f"{OF_S3}{bucket.at('bucket')}/{folder}AWSLogs/{account_of(stack)}/*"


def _takes(bucket: Resource, asked: Iterable[Request], stack: "Stack", using: Request | None = None) -> Iterator[Flaw]:
    """Check that a bucket lets a service write, and that its encryption does; `using` is what the service asks a key for, if it can have one.

    Raises:
        UnknownValueError: if the key is none of the program.
    """
    name = bucket.props.get("bucket")
    policies = [each for each in stack.of(BUCKET_POLICY) if names(each, "bucket", bucket, name)]
    for each in asked:
        if not lets(policies, "policy", each):
            yield _flaw(f"{each.service} may not do {each.action} to {each.thing}")
    for each in stack.of(BUCKET_ENCRYPTION):
        if not names(each, "bucket", bucket, name):
            continue
        ciphers = set(values_at(each.props.get("rules"), *BY_DEFAULT, "sseAlgorithm"))
        keys = keys_of(each, stack) if using and ciphers == {WITH_KEY} else ()
        if ciphers - {CIPHER} and not keys:
            yield Flaw(
                message=f"is encrypted in a way in which nobody is known to write logs ({', '.join(map(str, sorted(ciphers)))})",
                fix=f"set sseAlgorithm: {CIPHER}" + (f", or {WITH_KEY} with a key of the program" if using else ""),
                resource=each,
            )
        for key in keys:
            if using and not lets([key], "policy", using):
                yield _flaw(f"{using.service} may not do {using.action} with {key}")


def of_firewall(logging: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the log group or bucket of a firewall takes what it writes.

    Raises:
        UnknownValueError: if it is not known which that is.
    """
    facts = _for_account(stack, f"arn:aws:logs:{region_of(stack)}:{account_of(stack)}:*")
    for given in sequence(logging.at("logDestinationConfigs", default=[])):
        if is_unknown(given):
            raise UnknownValueError(f"{logging}: logDestinationConfigs", "a place known after the deployment: write its ARN")
        place = place_of(stack, logging, "logDestinationConfigs", given)
        if place is None:
            continue  # said elsewhere
        if place.kind == LOG_GROUP:
            for action in sorted(WRITING):
                written = Request(action=action, thing=_streams(place, stack), service=DELIVERY, facts=facts)
                if not lets(stack.of(LOG_POLICY), "policyDocument", written):
                    yield _flaw(f"{DELIVERY} may not do {action} to {given}")
            continue
        _, _, folder = str(given).removeprefix(OF_S3).partition("/")
        objects = _objects(place, f"{folder}/" if folder else "", stack)
        whole = {**facts, "s3:x-amz-acl": "bucket-owner-full-control"}
        asked = (("s3:GetBucketAcl", f"{OF_S3}{place.at('bucket')}", facts), ("s3:PutObject", objects, whole))
        using = Request(action="kms:GenerateDataKey", service=DELIVERY, facts=facts)
        yield from _takes(place, [Request(action=a, thing=t, service=DELIVERY, facts=f) for a, t, f in asked], stack, using)


def of_flows(flow_log: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the role of a flow log may write to its log group, and that its service takes the role on.

    Raises:
        UnknownValueError: if it is not known which log group that is.
    """
    group = place_of(stack, flow_log, "logDestination", flow_log.at("logDestination", default=""))
    if group is None or group.kind != LOG_GROUP:
        yield _flaw("it does not go to a log group of the program, and whether its service may write elsewhere is not read")
        return
    facts = _for_account(stack, f"arn:aws:ec2:{region_of(stack)}:{account_of(stack)}:vpc-flow-log/fl-*")
    taking = (Request(action="sts:AssumeRole", service=FLOWS, facts=facts),)
    if not any(may_write(stack, role, taking, group) for role in roles_of(stack, flow_log, "iamRoleArn")):
        yield _flaw(f"its role may not write to {group}, or {FLOWS} may not take it on")


def may_write(stack: "Stack", role: Resource, taking: Iterable[Request], group: Resource) -> bool:
    """Say whether a role lets itself be taken on, and then lets write to a log group."""
    written = [Request(action=action, thing=_streams(group, stack), facts=OVER_TLS) for action in WRITING]
    return all(lets([role], "assumeRolePolicy", each) for each in taking) and all(
        lets(rights_of(stack, role), "policy", each) for each in written
    )


def _streams(group: Resource, stack: "Stack") -> str:
    return f"{arn_of(group, stack)}:log-stream:*"


def _for_account(stack: "Stack", source: str) -> dict[str, str]:
    """Return what a service says of whom it acts for: the account, and what in it."""
    return {**OVER_TLS, "aws:sourceaccount": account_of(stack), "aws:sourcearn": source}


def roles_of(stack: "Stack", resource: Resource, field: str) -> list[Resource]:
    """Return the roles of the program that a field names by an ARN."""
    return [each for each in stack.of(ROLE) if names(resource, field, each, arn_of_role(each, stack))]


def rights_of(stack: "Stack", role: Resource) -> list[Resource]:
    """Return the policies of a role's own."""
    return [each for each in stack.of(ROLE_POLICY) if names(each, "role", role, role.props.get("name"))]


def of_key(group: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the key of a log group lets CloudWatch use it.

    Raises:
        UnknownValueError: if it is not a key of the program.
    """
    for key in named(stack, group, "kmsKeyId", kinds=(KEY,)):
        service = f"logs.{region_of(stack)}.amazonaws.com"
        facts = {**OVER_TLS, OF_LOGS: arn_of(group, stack)}
        missing = [each for each in ENCRYPTING if not lets([key], "policy", Request(action=each, service=service, facts=facts))]
        if missing:
            yield _flaw(f"CloudWatch may not {', '.join(missing)} with {key}")


def _flaw(message: str) -> Flaw:
    return Flaw(message=f"writes nothing down: {message}", fix="let who writes the log do so, and deny it nothing")
