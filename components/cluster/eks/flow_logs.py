"""What was let through and what was refused in the network."""

import pulumi
from pulumi_aws import ec2

from components.aws.logs import log_group
from components.aws.names import Names
from components.aws.rights import Statement, role, trust
from components.known import known

SERVICE = "vpc-flow-logs.amazonaws.com"
WRITES = ("logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
"""Into the one group (VPC User Guide, `flow-logs-iam-role`); the group itself the program makes."""
LOOKS = ("logs:DescribeLogGroups",)
"""By which the service finds the group; CloudWatch Logs lets nobody narrow it to one (ditto)."""


def flow_logs(names: Names, vpc: ec2.Vpc, *, key: pulumi.Input[str], days: int, parent: pulumi.Resource) -> None:
    """Register the logs of every connection in a VPC."""
    log_name = f"/vpc/{names.name}/flow"
    group = log_group("flow-logs", log_name, names, key=key, days=days, parent=parent)
    write = Statement(sid="Write", actions=WRITES, resources=(f"{names.log_group(log_name)}:*",))
    look = Statement(sid="Look", actions=LOOKS, resources=("*",))
    writer, rights = role("flow-logs", names, trusted=trust(SERVICE, names), statements=(write, look), parent=parent)
    ec2.FlowLog(
        "flow-logs",
        ec2.FlowLogArgs(
            vpc_id=vpc.id,
            traffic_type="ALL",
            max_aggregation_interval=60,
            log_destination_type="cloud-watch-logs",
            log_destination=known(names.log_group(log_name), group),
            iam_role_arn=writer,
            tags=names.tags("flow-logs"),
        ),
        opts=pulumi.ResourceOptions(parent=parent, depends_on=rights),
    )
