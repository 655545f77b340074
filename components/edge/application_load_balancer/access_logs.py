"""Where the load balancer writes one line for each request."""

import pulumi
from pulumi_aws import s3

from components.aws.land import AwsLand
from components.aws.rights import Statement, document
from components.component import Component
from components.known import known

WRITER = "logdelivery.elasticloadbalancing.amazonaws.com"
"""(ELB User Guide, `enable-access-logging`)."""
PREFIX = "edge"


class AccessLogs(Component, layer="edge"):
    """A bucket that only the load balancer writes to, and nobody reads in clear or from outside."""

    bucket: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(self, land: AwsLand, *, parent: pulumi.Resource) -> None:
        """Register the bucket, closed before anything is in it."""
        name = land.names.unique("edge-logs")
        super().__init__("access-logs", {"bucket": name}, parent=parent)
        own = pulumi.ResourceOptions(parent=self)
        made = s3.Bucket(
            "access-logs",
            s3.BucketArgs(bucket=name, force_destroy=not land.sizing.deletion_protection, tags=land.names.tags("edge-logs")),
            opts=own,
        )
        self.bucket = known(name, made)
        closed = s3.BucketPublicAccessBlockArgs(
            bucket=self.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        shut = s3.BucketPublicAccessBlock("access-logs", closed, opts=own)
        owner = s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced")
        s3.BucketOwnershipControls("access-logs", s3.BucketOwnershipControlsArgs(bucket=self.bucket, rule=owner), opts=own)
        # The only encryption that a load balancer can write with.
        cipher = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(sse_algorithm="AES256")
        rule = s3.BucketServerSideEncryptionConfigurationRuleArgs(apply_server_side_encryption_by_default=cipher)
        s3.BucketServerSideEncryptionConfiguration(
            "access-logs",
            # Arguments, not `...Args`: the SDK has two classes of that name, and gives the other.
            bucket=self.bucket,
            rules=[rule],
            opts=own,
        )
        self._forget(land.sizing.log_days, own)
        self.ready = s3.BucketPolicy(
            "access-logs",
            s3.BucketPolicyArgs(bucket=self.bucket, policy=_policy(name, land.names.account)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[shut]),
        )
        self.register_outputs({"bucket": name})

    def _forget(self, days: int, own: pulumi.ResourceOptions) -> None:
        gone = s3.BucketLifecycleConfigurationRuleArgs(
            id="forget",
            status="Enabled",
            filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        )
        s3.BucketLifecycleConfiguration("access-logs", s3.BucketLifecycleConfigurationArgs(bucket=self.bucket, rules=[gone]), opts=own)


def _policy(bucket: str, account: str) -> str:
    whole = f"arn:aws:s3:::{bucket}"
    write = Statement(
        sid="LoadBalancer",
        actions=("s3:PutObject",),
        resources=(f"{whole}/{PREFIX}/AWSLogs/{account}/*",),
        principals={"Service": WRITER},
    )
    clear = Statement(
        sid="NothingInClear",
        allow=False,
        actions=("s3:*",),
        resources=(whole, f"{whole}/*"),
        principals="*",
        conditions={"Bool": {"aws:SecureTransport": "false"}},
    )
    return document(write, clear)
