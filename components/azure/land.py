"""What the layers of an Azure environment stand on, as the cluster's component hands it to gateway and edge."""

from dataclasses import dataclass, field

import pulumi

from components.azure.addresses import Addresses, Subnet
from components.azure.edge_address import EdgeAddress
from components.azure.ids import Place
from components.azure.settings import AzureSettings
from components.azure.sizes import SIZES, Sizing
from components.contracts import Authority, Below
from components.known import known


@dataclass(frozen=True, kw_only=True)
class AzureLand:
    """Network, vault and workspace of an environment. Ids are known before anything exists, and still wait for what they name."""

    settings: AzureSettings
    place: Place
    addresses: Addresses
    network: pulumi.Resource
    """The virtual network with all its subnets."""
    vault: pulumi.Resource
    vault_ready: tuple[pulumi.Resource, ...]
    """The vault's private endpoint and its name: who reads a secret over the network comes after them."""
    vault_changes: list[pulumi.Resource] = field(default_factory=list[pulumi.Resource])
    """What is made in the vault, in this order."""
    workspace: pulumi.Resource
    subnets: tuple[Subnet, ...]
    """Those that the network has."""
    authority: Authority | None
    """Signs the certificates of hops outside the cluster; None where the stack file has no gateway there."""
    address: EdgeAddress | None
    """The edge's public address; None where the edge has one of its own."""

    @property
    def boundary(self) -> Authority:
        """The authority of hops outside the cluster.

        Raises:
            TypeError: if there are no such hops, which a product that asks for it would be one end of.
        """
        if self.authority is None:
            raise TypeError("an authority of hops outside the cluster, where edge and gateway are pods of it")
        return self.authority

    @property
    def sizing(self) -> Sizing:
        """What the environment's size means."""
        return SIZES[self.settings.size]

    @property
    def network_id(self) -> pulumi.Output[str]:
        """Id of the virtual network."""
        return known(self.place.id("Microsoft.Network/virtualNetworks", self.place.of("vnet")), self.network)

    @property
    def workspace_id(self) -> pulumi.Output[str]:
        """Id of the Log Analytics workspace."""
        return known(self.place.id("Microsoft.OperationalInsights/workspaces", self.place.of("log")), self.workspace)

    @property
    def vault_name(self) -> str:
        """Name of the key vault."""
        return self.place.unique("kv")

    def in_vault(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """Return the options of something in the vault: after all that is there already, and gone with the vault.

        A vault takes one change at a time, and its private endpoint is one ("ConflictError", "serialize the operations":
        pulumi-azure-native, issue 1013; terraform-provider-azurerm, pull request 32261). azure-native makes secrets and keys through
        Resource Manager, but deletes them at the vault itself, which answers inside the network alone.
        """
        after = [*self.vault_ready, *self.vault_changes[-1:]]
        return pulumi.ResourceOptions(parent=parent, depends_on=after, deleted_with=self.vault)

    def subnet_id(self, subnet: Subnet) -> pulumi.Output[str]:
        """Return the id of a subnet."""
        return known(subnet_id(self.place, subnet), self.network)

    def secret_id(self, name: str) -> str:
        """Return the resource id of a secret of the vault."""
        return self.place.id("Microsoft.KeyVault/vaults/secrets", self.vault_name, name)

    def secret_url(self, name: str) -> str:
        """Return where a secret is read. It names no version, so that readers notice a new one by themselves."""
        return f"https://{self.vault_name}.vault.azure.net/secrets/{name}"


def subnet_id(place: Place, subnet: Subnet) -> str:
    """Return the id of a subnet as plain text."""
    return place.id("Microsoft.Network/virtualNetworks/subnets", place.of("vnet"), subnet)


def land_of(below: Below) -> AzureLand:
    """Return the land that an Azure product stands on.

    Raises:
        TypeError: if it was bound to a cluster elsewhere, which a stack file cannot say.
    """
    if not isinstance(below.cluster.land, AzureLand):
        raise TypeError(f"an Azure product needs the cluster of an Azure environment, not {below.cluster.land!r}")
    return below.cluster.land
