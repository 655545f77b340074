"""The edge's public address, where its pods stand behind a load balancer of the cluster."""

from dataclasses import replace
from typing import Final

import pulumi
import pulumi_azure_native.network as net
import pulumi_azure_native.resources as groups

from components.azure.ids import Place
from components.azure.settings import AzureSettings
from components.azure.sizes import SIZES
from components.component import Component
from components.known import known

PART: Final = "edge"
LABEL: Final = "pods"
"""Begins its DNS name: another than an Application Gateway's, which may come beside it, or in its place before it goes."""
ADDRESS: Final = "pip-edge"


class EdgeAddress(Component, layer="edge"):
    """A static address in a resource group of its own.

    AKS looks for the address among all of a group, and so needs its role at the group (Learn, `aks/static-ip`). In this one is nothing else
    that it could change. The address outlives the cluster: hosts keep theirs.
    """

    name: str
    fqdn: str
    address_id: pulumi.Output[str]
    group: Place
    """Where it is."""
    address: pulumi.Output[str]
    """What Azure chose, which nobody knows before."""

    def __init__(self, settings: AzureSettings, where: Place, *, parent: pulumi.Resource) -> None:
        """Register group and address."""
        bare = replace(where, part=PART)
        super().__init__("edge-address", {"resourceGroup": bare.group_name}, parent=parent)
        label = where.unique(LABEL)
        self.name, self.fqdn = where.of(ADDRESS), f"{label}.{where.location}.cloudapp.azure.com"
        group = groups.ResourceGroup(
            "edge-group",
            groups.ResourceGroupArgs(resource_group_name=bare.group_name, location=bare.location),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.group = replace(bare, owner=group)
        modes = net.DdosSettingsProtectionMode
        made = net.PublicIPAddress(
            "edge-address",
            net.PublicIPAddressInitArgs(
                public_ip_address_name=self.name,
                resource_group_name=self.group.group,
                location=where.location,
                sku=net.PublicIPAddressSkuArgs(name=net.PublicIPAddressSkuName.STANDARD),
                public_ip_allocation_method=net.IPAllocationMethod.STATIC,
                zones=list(SIZES[settings.size].zones),
                dns_settings=net.PublicIPAddressDnsSettingsArgs(domain_name_label=label),
                ddos_settings=net.DdosSettingsArgs(
                    protection_mode=modes.ENABLED if settings.ddos_protection else modes.VIRTUAL_NETWORK_INHERITED
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.address_id = known(bare.id("Microsoft.Network/publicIPAddresses", self.name), made)
        self.address = made.ip_address.apply(_chosen)
        self.register_outputs({"name": self.name, "fqdn": self.fqdn})


def _chosen(address: str | None) -> str:
    if not address:
        raise ValueError("Azure says no address of a public address that is static")
    return address
