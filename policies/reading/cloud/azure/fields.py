"""Fields of Azure's resources that are accepted: those that some rule reads, and those that cannot open a path.

Read from the API versions of azure-native 3 (https://www.pulumi.com/registry/packages/azure-native/). A kind that has no table here is
not known to any rule.
"""

from collections.abc import Mapping
from typing import Final

from policies.reading.allowed_values import ANY, Table, all_of, under
from policies.reading.cloud.azure.fields_cluster import CLUSTER
from policies.reading.cloud.azure.fields_gateway import GATEWAY
from policies.reading.cloud.azure.fields_template import TEMPLATES
from policies.reading.cloud.azure.ids import PROVIDER

OFF: Final = "false|disabled"
ON: Final = "true|enabled"

_COMMON: Final = {
    **all_of("resourceGroupName location tags.* zones.*"),
    **all_of("azureApiVersion __createBeforeDelete"),  # Check's own (`applyDefaults` in provider.go of pulumi/pulumi-azure-native)
}

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
    "PublicIPAddress": {
        **all_of("publicIpAddressName dnsSettings.* publicIPAllocationMethod sku.* publicIPAddressVersion idleTimeoutInMinutes"),
        "ddosSettings.protectionMode": "VirtualNetworkInherited|Enabled",
    },
    "RouteTable": {
        **all_of("routeTableName disableBgpRoutePropagation routes.*.name routes.*.addressPrefix"),
        "routes.*.nextHopType": "None|Internet|VnetLocal",
    },
    "Subnet": {**_SUBNET, **all_of("virtualNetworkName subnetName")},
    "VirtualNetwork": {
        **all_of("virtualNetworkName enableDdosProtection enableVmProtection subnets."),
        "addressSpace.addressPrefixes.*": r"(10|172\.(1[6-9]|2\d|3[01])|192\.168|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.[\d.]+/([89]|[12]\d|3[012])",
        **under("subnets.*", _SUBNET),
    },
}

OTHERS: Final[Mapping[str, Table]] = {
    "applicationinsights:Component": {
        **all_of("resourceName applicationType flowType ingestionMode kind publicNetworkAccessForIngestion"),
        **all_of("publicNetworkAccessForQuery requestSource workspaceResourceId retentionInDays"),
        "disableLocalAuth": ON,
    },
    "authorization:RoleAssignment": {
        **all_of("principalId roleAssignmentName roleDefinitionId scope"),
        "principalType": "ServicePrincipal",
    },
    "compute:DiskEncryptionSet": all_of("activeKey.keyUrl activeKey.sourceVault.id diskEncryptionSetName encryptionType identity.type")
    | {"rotationToLatestKeyVersionEnabled": ON},
    "dns:RecordSet": {
        **all_of("zoneName relativeRecordSetName ttl"),
        "recordType": "A",
        "targetResource.id": r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/publicIPAddresses/[^/]+",
    },
    "keyvault:Key": all_of("keyName vaultName properties.keySize properties.kty properties.keyOps.* properties.rotationPolicy.*"),
    "keyvault:Secret": all_of("secretName vaultName properties.attributes.* properties.contentType properties.value"),
    "keyvault:Vault": {
        **all_of("vaultName properties.sku.* properties.softDeleteRetentionInDays properties.tenantId"),
        **all_of("properties.enableRbacAuthorization properties.networkAcls.defaultAction properties.publicNetworkAccess"),
        **all_of("properties.enablePurgeProtection properties.enableSoftDelete", ON),
        **all_of("properties.enabledForDeployment properties.enabledForDiskEncryption properties.enabledForTemplateDeployment", OFF),
        "properties.networkAcls.bypass": "AzureServices|None",
    },
    "managedidentity:FederatedIdentityCredential": {
        **all_of("federatedIdentityCredentialResourceName issuer resourceName subject"),
        "audiences.*": "api://AzureADTokenExchange",
    },
    "managedidentity:UserAssignedIdentity": all_of("resourceName"),
    "monitor:DataCollectionRule": all_of("dataCollectionRuleName dataFlows.* dataSources.* destinations.logAnalytics.*")
    | {"kind": "Linux"},
    "monitor:DataCollectionRuleAssociation": all_of("associationName dataCollectionRuleId resourceUri"),
    "monitor:DiagnosticSetting": all_of("name logAnalyticsDestinationType logs.* metrics.* resourceUri workspaceId"),
    "operationalinsights:Workspace": {
        **all_of("workspaceName retentionInDays features.disableLocalAuth"),
        "sku.name": "PerGB2018|CapacityReservation",  # `Free` takes half a gigabyte a day, and keeps it for a week
        "workspaceCapping.dailyQuotaGb": r"-1(\.0)?",  # nothing is written down once a quota is used up
    },
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
        **all_of("accountName kind sku.name accessTier allowBlobPublicAccess allowSharedKeyAccess"),
        "allowCrossTenantReplication": OFF,
        **all_of("networkRuleSet.defaultAction publicNetworkAccess"),
        "enableHttpsTrafficOnly": ON,
        "minimumTlsVersion": "TLS1_[23]",
        "networkRuleSet.bypass": r"(.*, *)?AzureServices(,.*)?",  # by which Network Watcher writes flow logs
    },
}

_PROVIDER: Final = {
    **all_of("__internal.* __internal. subscriptionId tenantId version"),
    "environment": "public",
}

ACCEPTED: Final[Mapping[str, Table]] = {
    **{f"azure-native:network:{kind}": {**_COMMON, **table} for kind, table in NETWORK.items()},
    **{f"azure-native:{kind}": {**_COMMON, **table} for kind, table in OTHERS.items()},
    **{f"azure-native:{kind}": {**_COMMON, **table} for kind, table in (*CLUSTER.items(), *GATEWAY.items(), *TEMPLATES.items())},
    PROVIDER: _PROVIDER,
}
"""By kind: accepted paths, with the values that they may have."""

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "azure-native:containerservice:ManagedCluster": (
        *(
            "apiServerAccessProfile.disableRunCommand",
            "networkProfile.outboundType",
            "networkProfile.podCidr",
            "networkProfile.serviceCidr",
        ),
    ),
    "azure-native:apimanagement:ApiManagementService": ("apiVersionConstraint.minApiVersion",),
    "azure-native:applicationinsights:Component": ("disableLocalAuth", "workspaceResourceId"),
    "azure-native:compute:DiskEncryptionSet": ("rotationToLatestKeyVersionEnabled",),
    "azure-native:keyvault:Vault": ("properties.enablePurgeProtection",),
    "azure-native:network:VirtualNetwork": ("addressSpace",),
    "azure-native:storage:StorageAccount": ("minimumTlsVersion",),
    PROVIDER: ("subscriptionId",),
}
"""Fields without which Azure opens something: what it takes in their place is public, older, or somebody else's."""
