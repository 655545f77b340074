"""What the layers of an AWS environment stand on, as the cluster's component hands it to the edge."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2

from components.aws.addresses import Addresses, Tier
from components.aws.flows import Group
from components.aws.names import Names
from components.aws.settings import AwsSettings
from components.aws.sizes import SIZES, Sizing
from components.contracts import Below


@dataclass(frozen=True, kw_only=True)
class AwsNetwork:
    """The network of an environment, with its subnets and security groups."""

    addresses: Addresses
    vpc: ec2.Vpc
    subnets: Mapping[Tier, tuple[ec2.Subnet, ...]]
    groups: Mapping[Group, ec2.SecurityGroup]
    ways_out: tuple[pulumi.Resource, ...]
    """Routes to the outside: what fetches anything from there comes after them."""
    way_in: pulumi.Resource
    """Route of the public subnets to the internet gateway: what has a public address comes after it."""
    ready: tuple[pulumi.Resource, ...]
    """The subnets' ties to route tables, and the rules of security groups: what runs in the network comes after them, and ends before them."""

    def ids(self, tier: Tier) -> list[pulumi.Output[str]]:
        """Return the ids of a tier's subnets."""
        return [subnet.id for subnet in self.subnets[tier]]


@dataclass(frozen=True, kw_only=True)
class AwsLand:
    """Network, cluster and keys of an environment."""

    settings: AwsSettings
    names: Names
    network: AwsNetwork
    log_key: pulumi.Input[str]
    """ARN of the key that encrypts log groups."""
    cluster: pulumi.Output[str]
    """Name of the cluster, for what is made after it."""

    @property
    def sizing(self) -> Sizing:
        """What the environment's size means."""
        return SIZES[self.settings.size]


def land_of(below: Below) -> AwsLand:
    """Return the land that an AWS product stands on.

    Raises:
        TypeError: if it was bound to a cluster elsewhere, which a stack file cannot say.
    """
    if not isinstance(below.cluster.land, AwsLand):
        raise TypeError(f"an AWS product needs the cluster of an AWS environment, not {below.cluster.land!r}")
    return below.cluster.land
