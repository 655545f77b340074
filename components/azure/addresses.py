"""The plan of addresses: computed from the network's range, never typed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from topology.model.base import Name


class Subnet(StrEnum):
    """Subnets of the virtual network, each with a security group of its own."""

    EDGE = "edge"
    GATEWAY = "apim"
    NODES = "aks"
    API_SERVER = "apiserver"
    INGRESS = "ingress"
    ENDPOINTS = "endpoints"


FOR_PODS: Final = (Subnet.NODES, Subnet.API_SERVER, Subnet.ENDPOINTS)
"""What is left of them where every edge and gateway is pods. Addresses are the same: an environment may change its edge."""

SIZES: Final[Mapping[Subnet, int]] = {
    Subnet.NODES: 22,
    Subnet.EDGE: 24,
    Subnet.GATEWAY: 27,
    Subnet.INGRESS: 27,
    Subnet.ENDPOINTS: 27,
    Subnet.API_SERVER: 28,
}
"""Prefix lengths, largest subnet first, so that they lie side by side.

Application Gateway v2 asks for a /24 (Learn, `configuration-infrastructure`), the projected API server for a /28 at least (Learn,
`api-server-vnet-integration`), API Management for a /29 at least (Learn, `virtual-network-injection-resources`). Pods have addresses of
their own (overlay), so that nodes alone fill theirs: 1,019 of them.
"""

RESERVED: Final = 4
"""The first addresses of a subnet that Azure keeps for itself; the last one it keeps too."""


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Subnets, and the static addresses of the ingresses."""

    network: IPv4Network
    subnets: Mapping[Subnet, IPv4Network]
    ingresses: Mapping[Name, IPv4Address]
    """By mesh."""

    def of(self, subnet: Subnet) -> str:
        """Return the range of a subnet."""
        return str(self.subnets[subnet])


def plan(network: str, meshes: Iterable[Name]) -> Addresses:
    """Return the plan for a network and the meshes that have an ingress.

    Raises:
        ValueError: if there are more ingresses than the subnet has addresses.
    """
    whole = IPv4Network(network)
    start, subnets = int(whole.network_address), dict[Subnet, IPv4Network]()
    for subnet, length in SIZES.items():
        subnets[subnet] = IPv4Network((start, length))
        start += subnets[subnet].num_addresses
    free = list(subnets[Subnet.INGRESS])[RESERVED:-1]
    return Addresses(network=whole, subnets=subnets, ingresses=dict(zip(meshes, free, strict=False)))
