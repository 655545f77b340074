"""The environment's key vault, which answers inside the network alone."""

import pulumi
import pulumi_azure_native.keyvault as vaults
import pulumi_azure_native.network as net

from components.azure.addresses import Subnet
from components.azure.ids import Place
from components.azure.land import subnet_id
from components.azure.settings import AzureSettings
from components.azure.zones import VAULT, private_zone
from components.component import Component
from components.known import known


class Vault(Component, layer="cluster"):
    """Key vault, private endpoint and name."""

    vault: vaults.Vault
    vault_id: pulumi.Output[str]
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, settings: AzureSettings, where: Place, network: pulumi.Resource, *, parent: pulumi.Resource) -> None:
        """Register the vault and the way to it."""
        name = where.unique("kv")
        super().__init__("vault", {"name": name}, parent=parent)
        self.vault = vaults.Vault(
            "vault",
            vaults.VaultArgs(
                vault_name=name,
                resource_group_name=where.group,
                location=where.location,
                properties=vaults.VaultPropertiesArgs(
                    tenant_id=settings.tenant_id,
                    sku=vaults.SkuArgs(family=vaults.SkuFamily.A, name=vaults.SkuName.PREMIUM),
                    enable_rbac_authorization=True,
                    enable_soft_delete=True,
                    soft_delete_retention_in_days=90,
                    enable_purge_protection=True,
                    public_network_access="Disabled",
                    network_acls=vaults.NetworkRuleSetArgs(
                        default_action=vaults.NetworkRuleAction.DENY,
                        # API Management's control plane reads its certificates from outside the network, by its identity.
                        bypass=vaults.NetworkRuleBypassOptions.AZURE_SERVICES,
                    ),
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.vault_id = known(where.id("Microsoft.KeyVault/vaults", name), self.vault)
        endpoint = net.PrivateEndpoint(
            "vault-endpoint",
            net.PrivateEndpointArgs(
                private_endpoint_name=where.of("pe-vault"),
                resource_group_name=where.group,
                location=where.location,
                subnet=net.SubnetArgs(id=known(subnet_id(where, Subnet.ENDPOINTS), network)),
                private_link_service_connections=[
                    net.PrivateLinkServiceConnectionArgs(name="vault", private_link_service_id=self.vault_id, group_ids=["vault"])
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        network_id = known(where.id("Microsoft.Network/virtualNetworks", where.of("vnet")), network)
        zone, link = private_zone("vault", VAULT, where, network_id, parent=self)
        group = net.PrivateDnsZoneGroup(
            "vault-name",
            net.PrivateDnsZoneGroupArgs(
                private_dns_zone_group_name="default",
                private_endpoint_name=known(where.of("pe-vault"), endpoint),
                resource_group_name=where.group,
                private_dns_zone_configs=[
                    net.PrivateDnsZoneConfigArgs(
                        name="vault", private_dns_zone_id=known(where.id("Microsoft.Network/privateDnsZones", VAULT), zone)
                    )
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.ready = (group, link)
        self.register_outputs({"name": name})
