"""Whether what happens in Azure is written down at all: by gateway, vault and workspace, and by the containers of the cluster.

Where that goes, and for how long, `log_looks.py` asks.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.azure.apis import SERVICE
from policies.reading.cloud.azure.cluster import CLUSTER
from policies.reading.cloud.azure.edge_looks import categories_kept
from policies.reading.cloud.azure.ids import APIM, along, target
from policies.reading.cloud.azure.log_looks import COLLECTION, WORKSPACE
from policies.reading.cloud.azure.rights_looks import VAULT
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.resource import Resource
from policies.reading.values import mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

ASSOCIATION: Final = "azure-native:monitor:DataCollectionRuleAssociation"
DIAGNOSTIC: Final = f"{APIM}Diagnostic"

LOGS: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    SERVICE: (frozenset({"GatewayLogs"}), "who asked it for what"),
    VAULT: (frozenset({"AuditEvent"}), "who read its secrets"),
    WORKSPACE: (frozenset({"Audit"}), "who read the logs"),
}
"""Categories of logs by kind (Learn, `azure-monitor/reference/supported-logs`), and what stands there alone."""
CONTAINERS: Final = "Microsoft-ContainerLogV2"
"""What containers say (Learn, `container-insights-data-collection-configure`)."""


def is_written_down(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N09."""
    wanted, what = LOGS[resource.kind]
    if missing := sorted(wanted - categories_kept(resource, stack, wanted)):
        yield Flaw(message=f"{what} is written down nowhere ({missing[0]})", fix=f"add a DiagnosticSetting with {missing[0]}")


def every_request_is(diagnostic: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N09: what API Management sends to the log of its diagnostic setting."""
    del stack
    percentage = diagnostic.at("sampling", "percentage", default=100)
    if diagnostic.at("diagnosticId", default="") == "azuremonitor" and percentage != 100:
        yield Flaw(message=f"writes down {percentage:g} % of all requests", fix="write `percentage: 100`")


def containers_are(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N09: what edge, gateway and proxies in the cluster write down, its agent collects whole."""
    agent = mapping(mapping(cluster.at("addonProfiles", default={})).get("omsagent"))
    rules = (
        target(stack, each, "dataCollectionRuleId", each.props.get("dataCollectionRuleId"), COLLECTION)
        for each in stack.of(ASSOCIATION)
        if target(stack, each, "resourceUri", each.props.get("resourceUri"), CLUSTER) is cluster
    )
    # With the workspace's key, which is off, it asks for no rule at all (Learn, `container-insights-troubleshoot`, and issue 21305 of hashicorp/terraform-provider-azurerm).
    signs_in = str(mapping(agent.get("config")).get("useAADAuth")).lower() == "true"
    if agent.get("enabled") is not True or not signs_in or not any(rule is not None and _collects(rule) for rule in rules):
        yield Flaw(
            message="what its containers say is collected nowhere, or in part",
            fix=f"enable omsagent, and associate a DataCollectionRule that sends all of {CONTAINERS} to the workspace",
        )


def _collects(rule: Resource) -> bool:
    """Say whether a rule takes everything from every namespace, and sends it on as it is."""
    sources = [mapping(each) for each in along(rule.props, ("dataSources", "extensions"))]
    flows = [mapping(each) for each in along(rule.props, ("dataFlows",))]
    known = {str(mapping(each).get("name")) for each in along(rule.props, ("destinations", "logAnalytics"))}
    return any(map(_takes_all, sources)) and any(_as_it_is(flow, known) for flow in flows)


def _takes_all(source: Mapping[str, Any]) -> bool:
    settings = mapping(mapping(source.get("extensionSettings")).get("dataCollectionSettings"))
    everywhere = str(settings.get("namespaceFilteringMode", "Off")).lower() == "off"
    # Otherwise the agent writes them into another stream, which the rule may not send.
    whole = source.get("extensionName") == "ContainerInsights" and settings.get("enableContainerLogV2") is True
    return whole and everywhere and CONTAINERS in sequence(source.get("streams"))


def _as_it_is(flow: Mapping[str, Any], known: set[str]) -> bool:
    whole = not set(flow) - {"streams", "destinations"}
    return whole and CONTAINERS in sequence(flow.get("streams")) and bool(known & set(map(str, sequence(flow.get("destinations")))))


READERS: Final = (
    Reader(rule="N09", kinds=tuple(LOGS), look=is_written_down),
    Reader(rule="N09", kinds=(DIAGNOSTIC,), look=every_request_is),
    Reader(rule="N09", kinds=(CLUSTER,), look=containers_are),
)
