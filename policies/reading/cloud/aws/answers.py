"""Keys, secrets, buckets, logs and endpoints of AWS: whom they answer."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws import kinds
from policies.reading.cloud.aws.documents import EVERYBODY, Sentence, account_of, allowing, but, is_in
from policies.reading.cloud.aws.roles import own_roles
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.references import names
from policies.reading.resource import Resource

if TYPE_CHECKING:
    from policies.reading.stack import Stack

ANSWERING: Final[Mapping[str, str]] = {
    kinds.KEY: "policy",
    kinds.SECRET: "policy",
    kinds.SECRET_POLICY: "policy",
    kinds.BUCKET_POLICY: "policy",
    kinds.LOG_POLICY: "policyDocument",
}
"""Where they say whom."""

OF_LOGS: Final = "kms:encryptioncontext:aws:logs:arn"
"""What CloudWatch Logs tells KMS of the log group that it writes; anybody else may say there what they like.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
"""
CLOUDWATCH: Final = re.compile(r"logs\.([a-z0-9-]+\.)?amazonaws\.com")

WRITING: Final = frozenset({"s3:PutObject"})
"""What a service does that writes logs."""

CLOSED: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


LAYERS: Final = re.compile(r"arn:aws:s3:::prod-[a-z0-9-]+-starport-layer-bucket/\*")
"""AWS's own buckets with the layers of images (https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html)."""


def whom(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that something answers this account, and services on its behalf, but not what runs here: its rights are in its role alone."""
    account, own = account_of(stack), own_roles(stack)
    for each in allowing(resource, ANSWERING[resource.kind]):
        yield from but(each, "answers everybody but some")
        writes = set(each.actions) <= WRITING and _is_place_of(account, each.resources)
        for kind, name in each.principals:
            more = (OF_LOGS,) if kind == "Service" and CLOUDWATCH.fullmatch(name) else ()
            yield from _asker(kind, name, each, account, bound=each.is_of(account, *more) or (writes and kind == "Service"))
            if kind == "AWS" and name in own:
                yield Flaw(
                    message=f"answers {name}, which pods, nodes or AWS's services take on ({', '.join(each.actions)})",
                    fix="remove it; what they may do, their own policies say",
                )


def _asker(kind: str, name: str, each: Sentence, account: str, *, bound: bool) -> Iterator[Flaw]:
    what = f"({', '.join(each.actions)})"
    if kind == "Service":
        if not bound:
            yield Flaw(message=f"answers {name} for any account {what}", fix=f"demand aws:SourceAccount {account}")
    elif kind != "AWS":
        yield Flaw(message=f"answers {kind} {name}, which no rule reads", fix="name roles of this account", undecided=True)
    elif name == EVERYBODY:
        whom_ = "everybody in the account, what runs here too," if bound else "everybody in AWS"
        yield Flaw(message=f"answers {whom_} {what}", fix="name the roles that it answers")
    elif not is_in(name, account):
        yield Flaw(message=f"answers {name}, in another account {what}", fix="name roles of this account")


def passes_on(endpoint: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that an endpoint passes on requests of this account; without a policy it passes on those of any.

    https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    account = account_of(stack)
    fix = f"give it a policy that demands aws:PrincipalAccount {account}"
    if not endpoint.at("policy", default=""):
        yield Flaw(message="passes on requests of any account: it has no policy", fix=fix)
    for each in allowing(endpoint, "policy"):
        yield from but(each, "passes on everything but something")
        if not each.is_of(account) and not all(map(LAYERS.fullmatch, each.resources or ("",))):
            yield Flaw(message=f"passes on requests of any account ({', '.join(each.actions)})", fix=fix)


def _is_place_of(account: str, things: Iterable[str]) -> bool:
    """Say whether places in a bucket are those into which a service writes for one account alone.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    found = list(things)
    return bool(found) and all(f"/AWSLogs/{account}/" in thing for thing in found)


def is_shut(bucket: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a bucket has such a block, whatever the account's own default of the day is."""
    if not any(names(each, "bucket", bucket, bucket.props.get("bucket")) for each in stack.of(kinds.BUCKET_BLOCK)):
        yield Flaw(message="may be opened to everybody: nothing blocks that", fix="add aws:s3:BucketPublicAccessBlock, with all four on")


def is_closed(block: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that nothing opens a bucket to everybody; what is not said is off.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    del stack
    missing = [key for key in CLOSED if block.at(key, default=False) is not True]
    if missing:
        yield Flaw(message=f"lets its bucket be opened to everybody ({', '.join(missing)})", fix="set all four to true")
