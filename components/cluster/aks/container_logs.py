"""What containers say, sent to the workspace: among it the access logs of every proxy, by which calls are audited."""

from typing import Final

import pulumi
import pulumi_azure_native.containerservice as aks
import pulumi_azure_native.monitor as azure_monitor

from components.azure.land import AzureLand
from components.known import known

STREAMS: Final = ("Microsoft-ContainerLogV2", "Microsoft-KubeEvents", "Microsoft-KubePodInventory")
"""Logs, events, and which pod is whose (github.com/microsoft/Docker-Provider, `scripts/onboarding/aks/onboarding-using-msi-auth`)."""
ASSOCIATION: Final = "ContainerInsightsExtension"
"""The name by which the agent finds its rule (as above)."""
DESTINATION: Final = "workspace"
EVERY: Final = "5m"
"""Between two looks at which pods there are; logs are sent at once."""


def agent(land: AzureLand) -> aks.ManagedClusterAddonProfileArgs:
    """Return the add-on whose agent reads what containers say; it signs in with an identity of its own, not with a key of the workspace."""
    return aks.ManagedClusterAddonProfileArgs(
        enabled=True, config={"logAnalyticsWorkspaceResourceID": land.workspace_id, "useAADAuth": "true"}
    )


def collect(land: AzureLand, cluster: pulumi.Input[str], *, parent: pulumi.Resource) -> None:
    """Register what the agent of a cluster collects and where that goes."""
    where = land.place
    name = where.of("dcr-containers")
    rule = azure_monitor.DataCollectionRule(
        "container-logs",
        azure_monitor.DataCollectionRuleArgs(
            data_collection_rule_name=name,
            resource_group_name=where.group,
            location=where.location,
            kind=azure_monitor.KnownDataCollectionRuleResourceKind.LINUX,
            data_sources=azure_monitor.DataCollectionRuleDataSourcesArgs(
                extensions=[
                    azure_monitor.ExtensionDataSourceArgs(
                        name=ASSOCIATION,
                        extension_name="ContainerInsights",
                        streams=list(STREAMS),
                        extension_settings={
                            "dataCollectionSettings": {
                                "interval": EVERY,
                                "namespaceFilteringMode": "Off",
                                "enableContainerLogV2": True,
                            }
                        },
                    )
                ]
            ),
            destinations=azure_monitor.DataCollectionRuleDestinationsArgs(
                log_analytics=[azure_monitor.LogAnalyticsDestinationArgs(name=DESTINATION, workspace_resource_id=land.workspace_id)]
            ),
            data_flows=[azure_monitor.DataFlowArgs(streams=list(STREAMS), destinations=[DESTINATION])],
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    azure_monitor.DataCollectionRuleAssociation(
        "container-logs-of-aks",
        azure_monitor.DataCollectionRuleAssociationArgs(
            association_name=ASSOCIATION,
            resource_uri=cluster,
            data_collection_rule_id=known(where.id("Microsoft.Insights/dataCollectionRules", name), rule),
        ),
        opts=pulumi.ResourceOptions(parent=parent),
    )
