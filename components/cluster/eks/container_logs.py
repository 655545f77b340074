"""What containers say, sent to CloudWatch: among it the access logs of every proxy, by which calls are audited."""

import json
from typing import Final

import pulumi
from pulumi_aws import eks

from components.aws.logs import log_group
from components.aws.names import Names
from components.aws.rights import Statement, role, trust_pods
from components.cluster.eks import addons

COLLECTOR: Final = "fluent-bit"
"""The add-on, and its service account (EKS User Guide, `community-addons`).

It reads files and sends them. `amazon-cloudwatch-observability` has it too, beside an operator that may change the workloads of every namespace
and a webhook that pods pass (github.com/aws-observability/helm-charts, `operator-clusterrole.yaml`, `operator-webhook.yaml`).
"""
WRITES: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
"""All that it asks of CloudWatch where the group is there (github.com/fluent/fluent-bit v4.2.2, `plugins/out_cloudwatch_logs/cloudwatch_api.c`)."""

INPUTS: Final = """\
[INPUT]
    Name tail
    Tag kube.*
    Path /var/log/containers/*.log
    multiline.parser docker, cri
    DB /var/log/flb_containers.db
    Read_from_Head On
    Mem_Buf_Limit 50MB
    Skip_Long_Lines On
"""
"""Every container of a node, from its first line on; after a restart it goes on where it was. At its limit it waits, and loses nothing before
the kubelet throws a file away (docs.fluentbit.io, `pipeline/inputs/tail`, `administration/backpressure`)."""
FILTERS: Final = ""
"""None: the one that the add-on brings would leave out whatever pod says `fluentbit.io/exclude`, and asks the Kubernetes API. Which container said
something is in the name of its stream (github.com/fluent/helm-charts, `charts/fluent-bit/values.yaml`)."""
OUTPUTS: Final = """\
[OUTPUT]
    Name cloudwatch_logs
    Match *
    region {region}
    log_group_name {group}
    log_stream_prefix from-
    log_key log
    auto_create_group Off
    Retry_Limit no_limits
"""
"""To one group, line by line as they were written, until they are there (docs.fluentbit.io, `pipeline/outputs/cloudwatch`)."""
RESOURCES: Final = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}


def group_of(names: Names) -> str:
    """Return the name of the log group, which is where Container Insights looks for it."""
    return f"/aws/containerinsights/{names.name}/application"


def collector(names: Names) -> addons.Addon:
    """Return the add-on. It is put where its NetworkPolicy is before it: in a namespace of its own, it would reach nobody at first."""
    said = {"inputs": INPUTS, "filters": FILTERS, "outputs": OUTPUTS.format(region=names.region, group=group_of(names))}
    configuration = json.dumps({"config": said, "resources": RESOURCES})
    return addons.Addon(name=COLLECTOR, configuration=configuration, namespace=addons.NAMESPACE)


def place(names: Names, cluster: pulumi.Input[str], *, key: pulumi.Input[str], days: int, parent: pulumi.Resource) -> list[pulumi.Resource]:
    """Register the log group and the one right of the collector: to write there. It comes after them.

    Its pods get the role by an association of its own: the add-on's is refused (github.com/aws/containers-roadmap, issue 2827).
    """
    group = log_group("container-logs", group_of(names), names, key=key, days=days, parent=parent)
    write = Statement(sid="Write", actions=WRITES, resources=(f"{names.log_group(group_of(names))}:*",))
    trusted = trust_pods(addons.NAMESPACE, COLLECTOR, names)
    writer, rights = role("container-logs", names, trusted=trusted, statements=(write,), parent=parent)
    association = eks.PodIdentityAssociation(
        "container-logs",
        eks.PodIdentityAssociationArgs(
            cluster_name=cluster,
            namespace=addons.NAMESPACE,
            service_account=COLLECTOR,
            role_arn=writer,
            tags=names.tags("container-logs"),
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return [group, association, *rights]
