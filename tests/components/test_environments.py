"""Every environment of every cloud, planned for every system: what its provider would refuse, or grant to too many, is not in the plan."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network
from itertools import combinations
from typing import Any, Final, cast

import pytest

from tests.components.aws import systems as aws
from tests.components.aws.documents import DOCUMENTS
from tests.components.azure import systems as azure
from tests.components.azure.reference import faults
from tests.components.provider_limits import LIMITS
from tests.policies.mutations.held import hold_clean, read
from tests.systems import SYSTEMS, topology
from topology.model.system import Topology

Resources = tuple[dict[str, Any], ...]

PLANS: Final = (*azure.PLANS, *aws.PLANS)
ENVIRONMENTS: Final = ("azure-dev", "azure-prod", "aws-dev", "aws-prod")
READ: Final[Mapping[str, Callable[[str, str], Resources]]] = {"azure": azure.resources, "aws": aws.resources}
MEANT: Final[Mapping[str, Callable[[str], Topology]]] = {"azure": topology, "aws": aws.system}

OF_A_PLAN: Final = pytest.mark.parametrize(("stack", "name"), PLANS)

EXPLAINED: Final = {
    ("aws:kms/key:Key", "Account", "*"): "in a key's policy `*` is this key; the account's own policies say who of it may",
    ("aws:kms/key:Key", "Logs", "*"): "this key",
    ("aws:ec2/vpcEndpoint:VpcEndpoint", "OwnAccount", "*"): "bounds by account what roles say in detail",
    ("aws:iam/rolePolicy:RolePolicy", "Look", ""): "AWS lets nobody narrow these to a resource (Service Authorization Reference)",
}
"""Every statement about any resource, whether it names actions with `*`, and why it may."""

PRIORITIES: Final = {
    "azure-native:network:NetworkSecurityGroup": ("securityRules", ("direction", "priority")),
    "azure-native:network:NetworkSecurityGroup names": ("securityRules", ("name",)),
    "azure-native:network:WebApplicationFirewallPolicy": ("customRules", ("priority",)),
    "azure-native:network:ApplicationGateway": ("requestRoutingRules", ("priority",)),
    "aws:wafv2/webAcl:WebAcl": ("rules", ("priority",)),
}
"""Lists of which no two items may have the same value at some keys."""

RANGES: Final = {
    "azure-native:network:VirtualNetwork": ("addressSpace.addressPrefixes", "subnets.addressPrefix"),
    "aws:ec2/vpc:Vpc": ("cidrBlock", ""),
    "aws:ec2/subnet:Subnet": ("", "cidrBlock"),
}
"""Where a type says the network's range, and where those of its subnets."""
BESIDE: Final = {
    "azure-native:containerservice:ManagedCluster": ("networkProfile.podCidr", "networkProfile.serviceCidr"),
    "aws:eks/cluster:Cluster": ("kubernetesNetworkConfig.serviceIpv4Cidr",),
}
"""Where a type says ranges that only the cluster knows."""


def resources(stack: str, name: str) -> Resources:
    return READ[stack.partition("-")[0]](stack, name)


def of(stack: str, name: str, kind: str) -> Iterator[dict[str, Any]]:
    return (resource["inputs"] for resource in resources(stack, name) if resource["type"] == kind)


def at(value: Any, path: str) -> Iterator[Any]:
    """Yield what stands at a path, through every list on the way."""
    if isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from at(item, path)
    elif path and value is not None:
        step, _, rest = path.partition(".")
        yield from at(value.get(step), rest)
    elif value is not None:
        yield value


def test_every_system_is_planned_in_all_four_environments() -> None:
    assert {stack: {name for planned, name in PLANS if planned == stack} for stack in ENVIRONMENTS} == {
        stack: set(SYSTEMS) for stack in ENVIRONMENTS
    }


@OF_A_PLAN
def test_every_plan_is_clean_and_allows_exactly_what_the_topology_says(stack: str, name: str) -> None:
    intent = MEANT[stack.partition("-")[0]](name)
    hold_clean(resources(stack, name), intent)
    made = read(resources(stack, name), intent)
    assert made.observed == made.expected


@OF_A_PLAN
def test_every_policy_of_api_management_is_as_the_policy_reference_says(stack: str, name: str) -> None:
    policies = [
        resource["inputs"]
        for resource in resources(stack, name)
        if resource["type"].startswith("azure-native:apimanagement:") and resource["type"].endswith("Policy")
    ]
    assert {policy["format"] for policy in policies} <= {"xml", "rawxml"}
    assert [fault for policy in policies for fault in faults(policy["value"])] == []
    assert policies or not list(of(stack, name, "azure-native:apimanagement:ApiManagementService"))


@OF_A_PLAN
def test_every_policy_document_is_json_and_lets_nobody_do_anything_to_everything_unless_that_is_explained(stack: str, name: str) -> None:
    for kind, field in DOCUMENTS.items():
        for inputs in of(stack, name, kind):
            document = json.loads(inputs[field])
            assert document["Version"] == "2012-10-17"
            for said in document["Statement"]:
                wide = "*" if any("*" in action for action in said["Action"]) else ""
                anything = "*" in said.get("Resource", []) and said["Effect"] == "Allow"
                assert not anything or (kind, said["Sid"], wide) in EXPLAINED, (kind, said)
                assert "*" not in said["Action"] or (kind, said["Sid"], "*") in EXPLAINED, (kind, said)


@OF_A_PLAN
def test_no_range_of_addresses_overlaps_another_and_subnets_lie_in_the_network(stack: str, name: str) -> None:
    whole, subnets, beside = list[IPv4Network](), list[IPv4Network](), list[IPv4Network]()
    for kind, (network, subnet) in RANGES.items():
        for inputs in of(stack, name, kind):
            whole += map(IPv4Network, at(inputs, network) if network else ())
            subnets += map(IPv4Network, at(inputs, subnet) if subnet else ())
    for kind, paths in BESIDE.items():
        beside += (IPv4Network(found) for inputs in of(stack, name, kind) for path in paths for found in at(inputs, path))
    (network,) = whole
    assert len(subnets) > 1
    assert beside
    assert all(subnet.subnet_of(network) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in combinations([*subnets, *beside], 2))
    assert not any(network.overlaps(one) for one in beside)


@OF_A_PLAN
def test_every_name_and_description_has_a_form_that_its_provider_takes(stack: str, name: str) -> None:
    refused = [
        (kind, path, text, limit)
        for (kind, path), limit in LIMITS.items()
        for inputs in of(stack, name, kind)
        for text in at(inputs, path)
        if not limit.takes(text)
    ]
    assert refused == []


def test_every_limit_of_a_provider_is_asked_of_something() -> None:
    planned = [*resources("azure-prod", "payments"), *resources("aws-prod", "payments")]
    asked = {(r["type"], path) for r in planned for kind, path in LIMITS if kind == r["type"] and [*at(r["inputs"], path)]}
    assert asked == set(LIMITS)


@pytest.mark.parametrize(
    ("kind", "path", "text"),
    [
        ("aws:ec2/securityGroup:SecurityGroup", "description", "the gateway's pods"),
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "description", "a" * 256),
        ("azure-native:network:NetworkSecurityGroup", "securityRules.description", "a" * 141),
        ("azure-native:network:WebApplicationFirewallPolicy", "customRules.name", "limit-clients"),
        ("azure-native:apimanagement:NamedValue", "displayName", ""),
        ("aws:lb/targetGroup:TargetGroup", "name", "gateway-"),
    ],
)
def test_a_text_that_a_provider_refuses_is_found(kind: str, path: str, text: str) -> None:
    assert not LIMITS[kind, path].takes(text)


@OF_A_PLAN
def test_no_two_rules_of_a_list_have_one_priority(stack: str, name: str) -> None:
    for kind, (rules, keys) in PRIORITIES.items():
        for inputs in of(stack, name, kind.partition(" ")[0]):
            counted = Counter(tuple(rule[key] for key in keys) for rule in inputs[rules])
            assert set(counted.values()) <= {1}, (kind, counted)


@OF_A_PLAN
def test_no_two_rules_of_a_listener_have_one_priority(stack: str, name: str) -> None:
    rules = [resource for resource in resources(stack, name) if resource["type"] == "aws:lb/listenerRule:ListenerRule"]
    counted = Counter((*rule["propertyDependencies"].get("listenerArn", ()), rule["inputs"]["priority"]) for rule in rules)
    assert set(counted.values()) <= {1}
