"""Log groups: encrypted with a key of the environment's own, kept for as long as its size says."""

import pulumi
from pulumi_aws import cloudwatch

from components.aws.names import Names


def log_group(  # noqa: PLR0913 # the parts of a log group
    name: str, log_name: str, names: Names, *, key: pulumi.Input[str], days: int, parent: pulumi.Resource
) -> cloudwatch.LogGroup:
    """Register a log group; its ARN follows from its name (`Names.log_group`).

    Args:
        name: Pulumi name.
        log_name: name of the log group.
        names: of the environment.
        key: ARN of the key that encrypts it.
        days: how long logs are kept.
        parent: the component that owns it.
    """
    return cloudwatch.LogGroup(
        name,
        cloudwatch.LogGroupArgs(name=log_name, retention_in_days=days, kms_key_id=key, tags=names.tags(name)),
        opts=pulumi.ResourceOptions(parent=parent),
    )
