"""The plan of addresses: computed from the network's range, never typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Final


class Tier(StrEnum):
    """What stands in a subnet, and how it reaches the outside."""

    PRIVATE = "private"
    """Nodes and pods; out through a NAT gateway."""
    INTRA = "intra"
    """The cluster's control plane and the endpoints of AWS services; no way out."""
    PUBLIC = "public"
    """The load balancer and the NAT gateways; nothing else."""


LENGTHS: Final[Mapping[Tier, int]] = {Tier.PRIVATE: 19, Tier.INTRA: 24, Tier.PUBLIC: 26}
"""Prefix lengths, largest subnet first, so that they lie side by side.

Every pod has an address of the VPC (8,187 in each private subnet). A load balancer asks for a /27 with 8 free addresses (ELB User Guide,
`application-load-balancers`), a cluster for 6 addresses in each of its subnets and 16 recommended (EKS User Guide, `network-reqs`).
"""
RESOLVER: Final = 2
"""The VPC's name service has the third address of the network (VPC User Guide, `AmazonDNS-concepts`)."""
IDENTITY_AGENT: Final = "169.254.170.23/32"
IDENTITY_PORT: Final = 80
"""Where pods get the credentials of their roles, on their own node (EKS User Guide, `pod-id-how-it-works`)."""


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """One subnet: its tier in one availability zone."""

    tier: Tier
    zone: str
    addresses: IPv4Network

    @property
    def name(self) -> str:
        """`private-a`: the tier, and the letter of the zone."""
        return f"{self.tier}-{self.zone[-1]}"


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """All subnets of a network."""

    network: IPv4Network
    subnets: tuple[Subnet, ...]

    def of(self, tier: Tier) -> tuple[Subnet, ...]:
        """Return the subnets of a tier, one for each zone."""
        return tuple(subnet for subnet in self.subnets if subnet.tier is tier)

    def ranges(self, tier: Tier) -> tuple[str, ...]:
        """Return the ranges of a tier's subnets."""
        return tuple(str(subnet.addresses) for subnet in self.of(tier))

    @property
    def resolver(self) -> IPv4Address:
        """Address of the network's own name service."""
        return self.network[RESOLVER]


def plan(network: str, zones: Sequence[str]) -> Addresses:
    """Return the plan for a network and its availability zones."""
    whole = IPv4Network(network)
    start, subnets = int(whole.network_address), list[Subnet]()
    for tier, length in LENGTHS.items():
        for zone in zones:
            subnet = IPv4Network((start, length))
            subnets.append(Subnet(tier=tier, zone=zone, addresses=subnet))
            start += subnet.num_addresses
    return Addresses(network=whole, subnets=tuple(subnets))
