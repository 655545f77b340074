"""Who spoke to whom in the network, kept in a storage account that nobody reads over the network and no key opens."""

from typing import Final

import pulumi
import pulumi_azure_native.managedidentity as identities
import pulumi_azure_native.network as net
import pulumi_azure_native.storage as storages

from components.azure.land import AzureLand
from components.azure.roles import Role, grant
from components.component import Component
from components.known import known

WATCHERS: Final = "NetworkWatcherRG"
"""The resource group in which Azure itself keeps one network watcher for each region (Learn, `network-watcher-create`)."""
FORMAT: Final = 2
"""Version of the log's format: with bytes and packets."""


class FlowLogs(Component, layer="cluster"):
    """Flow log of the whole network, and where it is kept.

    Azure's watcher writes with an identity of ours (Learn, `vnet-flow-logs-managed-identity`); the account has no keys and is closed to
    every network, which trusted services of Azure pass (Learn, `storage-network-security-trusted-azure-services`).
    """

    def __init__(self, land: AzureLand, *, parent: pulumi.Resource) -> None:
        """Register account, identity and log."""
        where = land.place
        account = where.unique("stlogs").replace("-", "")
        super().__init__("flow-logs", {"account": account, "days": land.sizing.log_days}, parent=parent)
        made = storages.StorageAccount(
            "flow-log-account",
            storages.StorageAccountArgs(
                account_name=account,
                resource_group_name=where.group,
                location=where.location,
                kind=storages.Kind.STORAGE_V2,
                sku=storages.SkuArgs(name=land.sizing.log_copies),
                allow_blob_public_access=False,
                allow_shared_key_access=False,
                allow_cross_tenant_replication=False,
                enable_https_traffic_only=True,
                minimum_tls_version=storages.MinimumTlsVersion.TLS1_2,
                public_network_access=storages.PublicNetworkAccess.DISABLED,
                network_rule_set=storages.NetworkRuleSetArgs(
                    default_action=storages.DefaultAction.DENY, bypass=storages.Bypass.AZURE_SERVICES
                ),
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        account_id = where.id("Microsoft.Storage/storageAccounts", account)
        writer = identities.UserAssignedIdentity(
            "flow-log-identity",
            resource_name_=where.of("id-flow-logs"),
            resource_group_name=where.group,
            location=where.location,
            opts=pulumi.ResourceOptions(parent=self),
        )
        right = grant(
            where,
            Role.STORAGE_BLOB_DATA_CONTRIBUTOR,
            name="flow-logs-are-kept",
            scope=known(account_id, made),
            scope_id=account_id,
            to=writer.principal_id,
            parent=self,
        )
        writer_id = known(where.id("Microsoft.ManagedIdentity/userAssignedIdentities", where.of("id-flow-logs")), writer)
        net.FlowLog(
            "flow-log",
            net.FlowLogArgs(
                flow_log_name=where.of("flow"),
                network_watcher_name=f"NetworkWatcher_{where.location}",
                resource_group_name=WATCHERS,
                location=where.location,
                target_resource_id=land.network_id,
                storage_id=known(account_id, made),
                enabled=True,
                identity=net.ManagedServiceIdentityArgs(type=net.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[writer_id]),
                format=net.FlowLogFormatParametersArgs(type=net.FlowLogFormatType.JSON, version=FORMAT),
                retention_policy=net.RetentionPolicyParametersArgs(enabled=True, days=land.sizing.log_days),
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[right]),
        )
        self.register_outputs({"account": account})
