"""Fields of AKS that are accepted."""

from collections.abc import Mapping
from typing import Final

from policies.reading.allowed_values import ANY, Table, all_of, under

_POOL: Final = {
    **all_of("availabilityZones.* count enableAutoScaling enableEncryptionAtHost maxCount minCount maxPods mode nodeTaints.* nodeLabels.*"),
    **all_of("osDiskType osDiskSizeGB osSKU type upgradeSettings.* vmSize vnetSubnetID enableNodePublicIP enableFIPS orchestratorVersion"),
    "osType": "Linux",
}

CLUSTER: Final[Mapping[str, Table]] = {
    "containerservice:AgentPool": {**_POOL, **all_of("agentPoolName resourceName")},
    "containerservice:ManagedCluster": {
        **under("agentPoolProfiles.*", {**_POOL, "name": ANY}),
        **all_of("aadProfile.adminGroupObjectIDs.* aadProfile.enableAzureRBAC aadProfile.managed aadProfile.tenantID"),
        **all_of("addonProfiles.azurepolicy.enabled addonProfiles.azurepolicy.config.* addonProfiles.httpApplicationRouting.enabled"),
        **all_of("addonProfiles.omsagent.enabled addonProfiles.omsagent.config.*"),
        **all_of("apiServerAccessProfile.authorizedIPRanges.* apiServerAccessProfile.enablePrivateCluster"),
        **all_of("apiServerAccessProfile.enablePrivateClusterPublicFQDN apiServerAccessProfile.enableVnetIntegration"),
        "apiServerAccessProfile.subnetId": ANY,
        "apiServerAccessProfile.privateDNSZone": "system",
        "apiServerAccessProfile.disableRunCommand": "true",
        **all_of("autoScalerProfile.* autoUpgradeProfile.* diskEncryptionSetID dnsPrefix identity.type identity.userAssignedIdentities.*"),
        **all_of("disableLocalAccounts enableRBAC ingressProfile.webAppRouting.enabled kubernetesVersion supportPlan"),
        **all_of("networkProfile.dnsServiceIP networkProfile.loadBalancerSku networkProfile.networkDataplane networkProfile.networkPlugin"),
        **all_of("networkProfile.networkPluginMode networkProfile.networkPolicy networkProfile.podCidr networkProfile.serviceCidr"),
        "networkProfile.outboundType": "userAssignedNATGateway|managedNATGateway|none|block",
        **all_of("nodeResourceGroup oidcIssuerProfile.enabled resourceName securityProfile.defender.* securityProfile.imageCleaner.*"),
        **all_of("securityProfile.workloadIdentity.enabled securityProfile.azureKeyVaultKms.* sku.name sku.tier"),
    },
}
"""By kind, without the provider's package."""
