"""Fields of Azure's resources that are accepted: those that some rule reads, and those that cannot open a path.

Read from the API versions of azure-native 3 (https://www.pulumi.com/registry/packages/azure-native/). A kind that has no table here is
not known to any rule.
"""

from collections.abc import Mapping
from typing import Final

from policies.reading.allowed_values import ANY, Table, all_of, under
from policies.reading.cloud.azure.fields_cluster import CLUSTER
from policies.reading.cloud.azure.fields_gateway import GATEWAY

OFF: Final = "false|disabled"
ON: Final = "true|enabled"
RESOURCE: Final = r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/.+"
"""An id of one resource: not of a group, and not of a subscription."""

_COMMON: Final = all_of("resourceGroupName location tags.* zones.*")

ROLES: Final[Mapping[str, str]] = {
    "4d97b98b-1d4f-4787-a291-c67834d212e7": "Network Contributor",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "e147488a-f6f5-4113-8e2d-b22465e65bf6": "Key Vault Crypto Service Encryption User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
}
"""Roles that an identity of the system may have, on single resources (https://learn.microsoft.com/azure/role-based-access-control/built-in-roles)."""

_SIDE: Final = "AddressPrefix AddressPrefixes.* PortRange PortRanges.* ApplicationSecurityGroups.*"
_RULE: Final = {
    **all_of("access description direction name priority protocol"),
    **all_of(" ".join(f"{side}{field}" for side in ("source", "destination") for field in _SIDE.split())),
}
_SUBNET: Final = {
    **all_of("name addressPrefix addressPrefixes.* networkSecurityGroup.id natGateway.id routeTable.id"),
    **all_of("delegations.*.name privateEndpointNetworkPolicies privateLinkServiceNetworkPolicies"),
    "delegations.*.serviceName": "Microsoft.ContainerService/managedClusters",
    "defaultOutboundAccess": OFF,
}

NETWORK: Final[Mapping[str, Table]] = {
    "FlowLog": {
        **all_of("flowLogName format.* identity.* networkWatcherName retentionPolicy.* storageId targetResourceId"),
        "enabled": ON,
    },
    "NatGateway": all_of("natGatewayName idleTimeoutInMinutes publicIpAddresses.*.id sku.name"),
    "NetworkSecurityGroup": {
        **all_of("networkSecurityGroupName securityRules."),
        **under("securityRules.*", _RULE),
        "flushConnection": ANY,
    },
    "SecurityRule": {**_RULE, **all_of("networkSecurityGroupName securityRuleName")},
    "PrivateDnsZoneGroup": all_of(
        "privateDnsZoneConfigs.*.name privateDnsZoneConfigs.*.privateDnsZoneId privateDnsZoneGroupName privateEndpointName"
    ),
    "PrivateEndpoint": {
        **all_of("privateEndpointName privateLinkServiceConnections.*.groupIds.* privateLinkServiceConnections.*.name"),
        **all_of("privateLinkServiceConnections.*.privateLinkServiceId subnet.*"),
    },
    "PublicIPAddress": all_of(
        "publicIpAddressName dnsSettings.* publicIPAllocationMethod sku.* publicIPAddressVersion idleTimeoutInMinutes"
    ),
    "RouteTable": {
        **all_of("routeTableName disableBgpRoutePropagation routes.*.name routes.*.addressPrefix"),
        "routes.*.nextHopType": "None|Internet|VnetLocal",
    },
    "Subnet": {**_SUBNET, **all_of("virtualNetworkName subnetName")},
    "VirtualNetwork": {
        **all_of("virtualNetworkName addressSpace.addressPrefixes.* enableDdosProtection enableVmProtection subnets."),
        **under("subnets.*", _SUBNET),
    },
}

OTHERS: Final[Mapping[str, Table]] = {
    "applicationinsights:Component": all_of(
        "resourceName applicationType disableLocalAuth flowType ingestionMode kind publicNetworkAccessForIngestion"
        " publicNetworkAccessForQuery requestSource workspaceResourceId retentionInDays"
    ),
    "authorization:RoleAssignment": {
        **all_of("principalId roleAssignmentName"),
        "principalType": "ServicePrincipal",
        "roleDefinitionId": rf"/subscriptions/[^/]+/providers/Microsoft\.Authorization/roleDefinitions/({'|'.join(ROLES)})",
        "scope": RESOURCE,
    },
    "compute:DiskEncryptionSet": all_of(
        "activeKey.keyUrl activeKey.sourceVault.id diskEncryptionSetName encryptionType identity.type rotationToLatestKeyVersionEnabled"
    ),
    "keyvault:Key": all_of("keyName vaultName properties.keySize properties.kty properties.keyOps.* properties.rotationPolicy.*"),
    "keyvault:Secret": all_of("secretName vaultName properties.attributes.* properties.contentType properties.value"),
    "keyvault:Vault": {
        **all_of("vaultName properties.sku.* properties.softDeleteRetentionInDays properties.tenantId"),
        "properties.enableRbacAuthorization": ON,
        **all_of("properties.enablePurgeProtection properties.enableSoftDelete", ON),
        **all_of("properties.enabledForDeployment properties.enabledForDiskEncryption properties.enabledForTemplateDeployment", OFF),
        "properties.networkAcls.bypass": "AzureServices|None",
        "properties.networkAcls.defaultAction": "Deny",
        "properties.publicNetworkAccess": "Disabled",
    },
    "managedidentity:UserAssignedIdentity": all_of("resourceName"),
    "monitor:DataCollectionRule": all_of("dataCollectionRuleName dataFlows.* dataSources.* destinations.logAnalytics.* kind"),
    "monitor:DataCollectionRuleAssociation": all_of("associationName dataCollectionRuleId resourceUri"),
    "monitor:DiagnosticSetting": all_of("name logAnalyticsDestinationType logs.* metrics.* resourceUri workspaceId"),
    "operationalinsights:Workspace": all_of(
        "workspaceName retentionInDays sku.name workspaceCapping.dailyQuotaGb features.disableLocalAuth"
    ),
    "privatedns:PrivateRecordSet": {
        **all_of("aRecords.*.ipv4Address privateZoneName relativeRecordSetName ttl"),
        "recordType": "A",
    },
    "privatedns:PrivateZone": all_of("privateZoneName"),
    "privatedns:VirtualNetworkLink": {
        **all_of("privateZoneName virtualNetwork.id virtualNetworkLinkName"),
        "registrationEnabled": OFF,
    },
    "resources:ResourceGroup": all_of("resourceGroupName"),
    "storage:StorageAccount": {
        **all_of("accountName allowCrossTenantReplication kind sku.name accessTier"),
        **all_of("allowBlobPublicAccess allowSharedKeyAccess", OFF),
        "enableHttpsTrafficOnly": ON,
        "minimumTlsVersion": "TLS1_[23]",
        "networkRuleSet.bypass": ".*",
        "networkRuleSet.defaultAction": "Deny",
        "publicNetworkAccess": "Disabled",
    },
}

_PROVIDER: Final = {
    **all_of("__internal.* __internal. subscriptionId tenantId version"),
    "environment": "public",
}

ACCEPTED: Final[Mapping[str, Table]] = {
    **{f"azure-native:network:{kind}": {**_COMMON, **table} for kind, table in NETWORK.items()},
    **{f"azure-native:{kind}": {**_COMMON, **table} for kind, table in OTHERS.items()},
    **{f"azure-native:{kind}": {**_COMMON, **table} for kind, table in (*CLUSTER.items(), *GATEWAY.items())},
    "pulumi:providers:azure-native": _PROVIDER,
}
"""By kind: accepted paths, with the values that they may have."""

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "azure-native:authorization:RoleAssignment": ("scope", "roleDefinitionId"),
    "azure-native:containerservice:ManagedCluster": (
        *(
            "apiServerAccessProfile.disableRunCommand",
            "networkProfile.outboundType",
            "networkProfile.podCidr",
            "networkProfile.serviceCidr",
        ),
    ),
    "azure-native:network:VirtualNetwork": ("addressSpace",),
    "azure-native:keyvault:Vault": ("properties.publicNetworkAccess", "properties.enableRbacAuthorization"),
    "azure-native:storage:StorageAccount": ("publicNetworkAccess", "allowBlobPublicAccess", "allowSharedKeyAccess", "minimumTlsVersion"),
}
"""Fields without which Azure opens something: what it takes in their place is public, older, or somebody else's."""
