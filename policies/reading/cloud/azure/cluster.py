"""AKS: where its nodes are, and who reaches its API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.addresses import Addresses, addresses
from policies.reading.cloud.azure.ids import name_of, target
from policies.reading.cloud.azure.subnets import Subnet, subnet_of
from policies.reading.cloud.model import Filter, Opening, Place, Way
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping

if TYPE_CHECKING:
    from policies.reading.stack import Stack

CLUSTER: Final = "azure-native:containerservice:ManagedCluster"
POOL: Final = "azure-native:containerservice:AgentPool"


def pools(stack: "Stack", cluster: Resource) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    """Yield the node pools of a cluster: its own, and those that are resources.

    Raises:
        UnknownValueError: if they are not known.
    """
    for spec in cluster.at("agentPoolProfiles", default=[]):
        yield cluster, mapping(spec)
    for resource in stack.of(POOL):
        if target(stack, resource, "resourceName", resource.props.get("resourceName"), CLUSTER) is cluster:
            yield resource, resource.props


@dataclass(frozen=True, kw_only=True, eq=False)
class _AnyOf:
    """Filters around several subnets: a connection comes to the nodes where one of them lets it."""

    resource: Resource
    filters: tuple[Filter, ...]

    def openings(self, way: Way, own: Addresses, port: int, transport: str = "TCP") -> Iterator[Opening]:
        """Yield whom any of them lets through."""
        for each in self.filters:
            yield from each.openings(way, own, port, transport)


def nodes(stack: "Stack", known: Mapping[tuple[str, str], Subnet]) -> Place | None:
    """Return where the nodes and pods of the cluster are; None for a stack without one.

    Raises:
        UnknownValueError: if there are two clusters, or a pool is in no subnet of the program.
    """
    clusters = list(stack.of(CLUSTER))
    if not clusters:
        return None
    if len(clusters) > 1:
        raise UnknownValueError(f"{clusters[0]} and {clusters[1]}", "two clusters in one stack, of which it is not known which runs what")
    cluster = clusters[0]
    homes: dict[Subnet, None] = {}
    for resource, spec in pools(stack, cluster):
        if not spec.get("vnetSubnetID"):
            raise UnknownValueError(f"{resource}: vnetSubnetID", "not given: Azure makes a network of its own, of which nothing is known")
        homes[subnet_of(known, resource, spec.get("vnetSubnetID"))] = None
    found = Addresses()
    for home in homes:
        found |= home.addresses
    for field in ("podCidr", "serviceCidr"):
        if given := cluster.at("networkProfile", field):
            found |= addresses(str(given))
    groups = tuple(dict.fromkeys(each for home in homes for each in home.filters))
    open_ = any(not home.filters for home in homes)
    around: tuple[Filter, ...] = () if open_ else groups if len(groups) == 1 else (_AnyOf(resource=cluster, filters=groups),)
    return Place(name=f"nodes of ManagedCluster {name_of(cluster) or cluster.name}", resource=cluster, addresses=found, filters=around)
