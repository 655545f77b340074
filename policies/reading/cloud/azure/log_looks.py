"""Where logs of Azure's resources go, and how long they are kept: with the program's own workspace and account, for a month at least."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure.cluster import CLUSTER
from policies.reading.cloud.azure.edge_looks import DIAGNOSTICS
from policies.reading.cloud.azure.ids import APIM, NETWORK, along, target
from policies.reading.cloud.azure.rights_looks import ACCOUNT
from policies.reading.cloud.azure.subnets import VNET
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.cloud.logs import LEAST_DAYS, WRITTEN_DOWN
from policies.reading.resource import Resource
from policies.reading.values import mapping

if TYPE_CHECKING:
    from policies.reading.stack import Stack

WORKSPACE: Final = "azure-native:operationalinsights:Workspace"
FLOW_LOG: Final = f"{NETWORK}FlowLog"
COLLECTION: Final = "azure-native:monitor:DataCollectionRule"
INSIGHTS: Final = "azure-native:applicationinsights:Component"
LOGGER: Final = f"{APIM}Logger"

DESTINATIONS: Final[Mapping[str, tuple[tuple[tuple[str, ...], str], ...]]] = {
    DIAGNOSTICS: ((("workspaceId",), WORKSPACE),),
    FLOW_LOG: ((("storageId",), ACCOUNT),),
    COLLECTION: ((("destinations", "logAnalytics", "workspaceResourceId"), WORKSPACE),),
    INSIGHTS: ((("workspaceResourceId",), WORKSPACE),),
    LOGGER: ((("resourceId",), INSIGHTS),),
    f"{APIM}Diagnostic": ((("loggerId",), LOGGER),),
    CLUSTER: (
        (("addonProfiles", "omsagent", "config", "logAnalyticsWorkspaceResourceID"), WORKSPACE),
        (("securityProfile", "defender", "logAnalyticsWorkspaceResourceId"), WORKSPACE),
    ),
}
"""Fields that say where logs go, by kind, with what they go to."""


def stay_here(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N09: whoever owns the place may read what is written there, or throw it away."""
    for path, kind in DESTINATIONS[resource.kind]:
        for given in along(resource.props, path):
            if target(stack, resource, path[0], given, kind) is None:
                yield Flaw(
                    message=f"sends logs to {given}, which the program does not make ({'.'.join(path)})",
                    fix=f"name the program's own {kind.rpartition(':')[2]}",
                )


def are_kept(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N09: an attack is found weeks after it began."""
    del stack
    if resource.kind == WORKSPACE:
        days = resource.at("retentionInDays", default=LEAST_DAYS)
    else:
        kept = mapping(resource.at("retentionPolicy", default={}))
        days = kept.get("days", 0) if kept.get("enabled") is True else 0
    if 0 < int(days) < LEAST_DAYS:
        yield Flaw(message=f"keeps logs for {days} days", fix=f"keep them for {LEAST_DAYS} days at least")


def connections_are_logged(network: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N09."""
    logs = (each for each in stack.of(FLOW_LOG) if each.at("enabled", default=False) is True)
    if not any(target(stack, each, "targetResourceId", each.props.get("targetResourceId"), VNET) is network for each in logs):
        yield Flaw(message=WRITTEN_DOWN, fix="add a FlowLog of it")


READERS: Final = (
    Reader(rule="N09", kinds=tuple(DESTINATIONS), look=stay_here),
    Reader(rule="N09", kinds=(WORKSPACE, FLOW_LOG), look=are_kept),
    Reader(rule="N09", kinds=(VNET,), look=connections_are_logged),
)
