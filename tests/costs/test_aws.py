"""What AWS charges for, in resources as its plans have them."""

from decimal import Decimal
from typing import Any

from costs.aws import BY_HAND
from costs.estimate import Line, estimate
from tests.costs.test_estimate import resource

TEMPLATE = resource(
    "aws:ec2/launchTemplate:LaunchTemplate", "nodes", blockDeviceMappings=[{"ebs": {"volumeType": "gp3", "volumeSize": 50}}]
)


def group(**more: Any) -> dict[str, Any]:
    given = {"nodeGroupName": "nodes", "instanceTypes": ["t3.xlarge"], "scalingConfig": {"minSize": 3, "maxSize": 4, "desiredSize": 3}}
    made = resource("aws:eks/nodeGroup:NodeGroup", **{**given, **more})
    return {**made, "propertyDependencies": {"launchTemplate": [TEMPLATE["urn"]]}}


def by_what(*resources: dict[str, Any]) -> dict[str, Line]:
    return {line.what: line for line in estimate(resources).lines}


def test_nodes_have_the_disk_of_their_launch_template_which_is_found_without_its_id() -> None:
    found = by_what(group(), TEMPLATE)
    assert found["nodes of nodes"].least == Decimal("0.192") * 730 * 3
    assert (found["GiB of disks of nodes"].count, found["GiB of disks of nodes"].most) == ("150 to 200", Decimal("0.0952") * 200)


def test_nodes_are_added_by_hand_where_the_plan_installs_no_autoscaler() -> None:
    release = resource("kubernetes:helm.sh/v3:Release", chart="oci://public.ecr.aws/karpenter/karpenter")
    fixed = group(scalingConfig={"minSize": 3, "maxSize": 3, "desiredSize": 3})
    assert by_what(group())["nodes of nodes"].remark == BY_HAND
    assert by_what(group(), release)["nodes of nodes"].remark == ""
    assert by_what(fixed)["nodes of nodes"].remark == ""


def test_nodes_without_a_template_have_the_disk_that_eks_chooses() -> None:
    assert by_what(group())["GiB of disks of nodes"].count == "60 to 80"


def test_an_endpoint_is_charged_in_each_zone_and_one_of_type_gateway_is_free() -> None:
    endpoint = "aws:ec2/vpcEndpoint:VpcEndpoint"
    inside = resource(endpoint, "a", vpcEndpointType="Interface", serviceName="com.amazonaws.eu-central-1.sts", subnetIds=["", "", ""])
    free = resource(endpoint, "b", vpcEndpointType="Gateway", serviceName="com.amazonaws.eu-central-1.s3")
    assert {what: line.count for what, line in by_what(inside, free).items()} == {"interface endpoints, each in one zone": "3"}


def test_a_public_load_balancer_has_an_address_in_each_zone() -> None:
    kind = "aws:lb/loadBalancer:LoadBalancer"
    found = by_what(resource(kind, internal=False, loadBalancerType="application", subnets=["", "", ""]))
    assert found["its public addresses"].least == Decimal("0.005") * 730 * 3
    assert "its public addresses" not in by_what(resource(kind, internal=True, subnets=[""]))


def test_a_web_acl_is_charged_by_its_rules() -> None:
    found = by_what(resource("aws:wafv2/webAcl:WebAcl", rules=[{}, {}, {}]))
    assert (found["web ACL"].least, found["its rules"].least) == (5, 3)


def test_an_instance_type_without_a_price_is_a_gap() -> None:
    (gap,) = estimate([group(instanceTypes=["x9.metal"]), TEMPLATE]).gaps
    assert gap.reason == "nodes of nodes: no price of vm/x9.metal in aws's table"
