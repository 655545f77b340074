"""What AWS charges for."""

from collections.abc import Iterator, Mapping
from typing import Final, cast

from costs.items import Inputs, Item, Metered, Provider, Resource, inputs_of, number, sources_of

AUTOSCALERS: Final = ("cluster-autoscaler", "karpenter")
"""In the names of the charts that add nodes to an EKS cluster (EKS User Guide, `autoscaling`)."""
BY_HAND: Final = "no autoscaler is installed, so nodes are added by hand; the most is what their group allows"
DEFAULT_DISK: Final = 20
"""GiB (EKS API Reference, `CreateNodegroup`)."""


def _cluster(_: Resource, __: Mapping[str, Resource]) -> Iterator[Item]:
    yield Item(key="eks", what="control plane")


def _nodes(resource: Resource, known: Mapping[str, Resource]) -> Iterator[Item]:
    given = inputs_of(resource)
    scale, name = given["scalingConfig"], given.get("nodeGroupName", "nodes")
    least, most = number(scale["minSize"]), number(scale["maxSize"])
    templates = [inputs_of(known[urn]) for urn in sources_of(resource, "launchTemplate") if urn in known]
    template: Inputs = templates[0] if templates else {}
    types = given.get("instanceTypes") or [template.get("instanceType")]
    remark = BY_HAND if most > least and not _scales(known) else ""
    yield Item(key=f"vm/{types[0]}", what=f"nodes of {name}", least=least, most=most, remark=remark)
    for disk in _disks(given, template):
        size = number(disk.get("volumeSize"))
        yield Item(key=f"disk/{disk.get('volumeType')}", what=f"GiB of disks of {name}", least=least * size, most=most * size)


def _scales(known: Mapping[str, Resource]) -> bool:
    """Whether the plan installs what adds nodes by itself."""
    charts = [str(inputs_of(each).get("chart")) for each in known.values() if each["type"] == "kubernetes:helm.sh/v3:Release"]
    return any(autoscaler in chart for chart in charts for autoscaler in AUTOSCALERS)


def _disks(group: Inputs, template: Inputs) -> Iterator[Inputs]:
    """Yield the disks of each node: as its launch template says, or its group, or of the size that EKS chooses."""
    devices = cast(list[Inputs], template.get("blockDeviceMappings") or [])
    if devices:
        yield from (cast(Inputs, device["ebs"]) for device in devices if "ebs" in device)
    else:
        yield {"volumeType": "gp3", "volumeSize": group.get("diskSize", DEFAULT_DISK)}


def _nat_gateway(_: Resource, __: Mapping[str, Resource]) -> Iterator[Item | Metered]:
    yield Item(key="nat-gateway", what="NAT gateways")
    yield Metered(key="nat-gateway/data", what="what nodes send outside, through a NAT gateway")


def _address(_: Resource, __: Mapping[str, Resource]) -> Iterator[Item]:
    yield Item(key="public-address", what="public addresses")


def _endpoint(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Item]:
    given = inputs_of(resource)
    if given.get("vpcEndpointType", "Gateway") == "Interface":
        yield Item(key="interface-endpoint", what="interface endpoints, each in one zone", least=_count(given, "subnetIds"))


def _balancer(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Item | Metered]:
    given = inputs_of(resource)
    yield Item(key=f"{given.get('loadBalancerType', 'application')}-load-balancer", what="load balancer")
    if given.get("internal") is not True:
        yield Item(key="public-address", what="its public addresses", least=_count(given, "subnets"))
    yield Metered(key="load-balancer-capacity-unit", what="capacity units of the load balancer: by connections, data and rules")


def _count(given: Inputs, key: str) -> int:
    value = given.get(key)
    if not isinstance(value, list):
        raise ValueError(f"{key} is not known before a deployment")
    return len(cast(list[object], value))


def _key(_: Resource, __: Mapping[str, Resource]) -> Iterator[Item]:
    yield Item(key="kms-key", what="keys")


def _secret(_: Resource, __: Mapping[str, Resource]) -> Iterator[Item]:
    yield Item(key="secret", what="kept secret")


def _web_acl(resource: Resource, _: Mapping[str, Resource]) -> Iterator[Item | Metered]:
    yield Item(key="web-acl", what="web ACL")
    yield Item(key="web-acl/rule", what="its rules", least=_count(inputs_of(resource), "rules"))
    yield Metered(what="requests that the web ACL looks at: 0.60 for a million")


def _hosted_zone(_: Resource, __: Mapping[str, Resource]) -> Iterator[Item]:
    yield Item(key="hosted-zone", what="hosted zones")


def _logs(_: Resource, __: Mapping[str, Resource]) -> Iterator[Metered]:
    yield Metered(key="cloudwatch-logs", what="logs that CloudWatch takes")


def _bucket(_: Resource, __: Mapping[str, Resource]) -> Iterator[Metered]:
    yield Metered(key="s3", what="access logs that the bucket keeps")


def _region(resource: Resource) -> str | None:
    region = inputs_of(resource).get("region")
    return region if isinstance(region, str) else None


def _of(package: str, *names: str) -> frozenset[str]:
    return frozenset(f"aws:{package}/{name[0].lower()}{name[1:]}:{name}" for name in names)


AWS: Final = Provider(
    readers={
        "aws:eks/cluster:Cluster": _cluster,
        "aws:eks/nodeGroup:NodeGroup": _nodes,
        "aws:ec2/natGateway:NatGateway": _nat_gateway,
        "aws:ec2/eip:Eip": _address,
        "aws:ec2/vpcEndpoint:VpcEndpoint": _endpoint,
        "aws:lb/loadBalancer:LoadBalancer": _balancer,
        "aws:kms/key:Key": _key,
        "aws:secretsmanager/secret:Secret": _secret,
        "aws:wafv2/webAcl:WebAcl": _web_acl,
        "aws:route53/zone:Zone": _hosted_zone,
        "aws:cloudwatch/logGroup:LogGroup": _logs,
        "aws:s3/bucket:Bucket": _bucket,
    },
    free=_of(
        "ec2", "Vpc", "Subnet", "RouteTable", "Route", "RouteTableAssociation", "DefaultRouteTable", "DefaultSecurityGroup", "FlowLog",
        "InternetGateway", "LaunchTemplate", "SecurityGroup",
    )
    | _of("vpc", "SecurityGroupIngressRule", "SecurityGroupEgressRule")
    | _of("eks", "AccessEntry", "AccessPolicyAssociation", "Addon", "PodIdentityAssociation")
    | _of("iam", "Policy", "Role", "RolePolicy", "RolePolicyAttachment")
    | _of("kms", "Alias")
    | _of("lb", "Listener", "ListenerRule", "TargetGroup")
    | _of("wafv2", "WebAclAssociation", "WebAclLoggingConfiguration")
    | _of("cloudwatch", "LogResourcePolicy")
    | _of("acm", "Certificate", "CertificateValidation")
    | _of("route53", "Record")
    | _of("secretsmanager", "SecretVersion")
    | _of(
        "s3", "BucketPolicy", "BucketPublicAccessBlock", "BucketOwnershipControls", "BucketServerSideEncryptionConfiguration",
        "BucketLifecycleConfiguration", "BucketVersioning",
    ),
    region=_region,
)  # fmt: skip
