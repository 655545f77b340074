"""Everything of Azure in a stack, joined: subnets, places, stations, public addresses, certificates."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from policies.reading.certificates import Certificate
from policies.reading.cloud.azure import balancers, certificates, cluster, names, public
from policies.reading.cloud.azure.apis import SERVICE
from policies.reading.cloud.azure.application_gateway import Gateway, gateways
from policies.reading.cloud.azure.edge import Edge
from policies.reading.cloud.azure.gateway import ApiManagement
from policies.reading.cloud.azure.ids import name_of
from policies.reading.cloud.azure.subnets import Subnet, subnet_of, subnets
from policies.reading.cloud.model import EDGE, GATEWAY, Cloud, Place, Station
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

SUFFIX: Final = "azure-api.net"
"""The domain in which API Management has its own name."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Azure:
    """What the resources of Azure say, read once."""

    stack: "Stack"

    @cached_property
    def subnets(self) -> Mapping[tuple[str, str], Subnet]:
        """Return the subnets by network and name, in small letters."""
        return {(each.network.lower(), each.name.lower()): each for each in subnets(self.stack)}

    @cached_property
    def stations(self) -> dict[Resource, Station]:
        """Return the Application Gateways and API Management services; one that cannot be placed is noted."""
        found: dict[Resource, Station] = {}
        for each in gateways(self.stack):
            station = self.stack.reading(each.resource, lambda each=each: self._edge(each))
            if station:
                found[each.resource] = station
        for service in self.stack.of(SERVICE):
            station = self.stack.reading(service, lambda service=service: self._api_management(service))
            if station:
                found[service] = station
        return found

    def _edge(self, gateway: Gateway) -> Station:
        homes = [mapping(each).get("subnet") for each in gateway.resource.at("gatewayIPConfigurations", default=[])]
        if len(homes) != 1:
            raise UnknownValueError(f"{gateway.resource}: gatewayIPConfigurations", "not one subnet")
        return Edge(place=self._place(gateway.resource, homes[0]), role=EDGE, azure=self, gateway=gateway)

    def _api_management(self, service: Resource) -> Station:
        home = mapping(service.at("virtualNetworkConfiguration", default={})).get("subnetResourceId")
        return ApiManagement(place=self._place(service, home), role=GATEWAY, azure=self, stack=self.stack)

    def _place(self, resource: Resource, reference: object) -> Place:
        home = subnet_of(self.subnets, resource, reference)
        name = f"{resource.kind.rpartition(':')[2]} {name_of(resource) or resource.name}"
        return Place(name=name, resource=resource, addresses=home.addresses, filters=home.filters)

    @cached_property
    def cloud(self) -> Cloud:
        """Return what the general model has of it."""
        stack = self.stack
        nodes = None
        for each in stack.of(cluster.CLUSTER):
            nodes = stack.reading(each, lambda: cluster.nodes(stack, self.subnets))
        entrances = tuple(
            entrance
            for first in [*stack.of(public.ADDRESS), *stack.of(SERVICE)][:1]
            for entrance in stack.reading(first, lambda: list(public.entrances(stack, self.stations))) or ()
        )
        first = next(stack.of(public.ADDRESS), None)
        published = stack.reading(first, lambda: list(balancers.published(stack))) if first else None
        return Cloud(
            name="azure",
            entrances=entrances,
            places=tuple(station.place for station in self.stations.values()),
            stations=tuple(self.stations.values()),
            nodes=nodes,
            certificates=tuple(certificates.made(stack)),
            authorities=certificates.authorities(stack),
            published={service: balancers.named(address) for service, address in published or ()},
        )

    def at(self, host: str) -> Station | names.Balanced | None:
        """Return what a name or address leads to, asked inside the network; None for something outside of the program.

        Raises:
            UnknownValueError: if that cannot be told.
        """
        if host[-1:].isdigit():
            return names.balanced(self.stack, host)
        answer = names.answer(self.stack, host)
        if answer is not None:
            if answer.owner is not None:
                return self.stations.get(answer.owner)
            found = [names.balanced(self.stack, address) for address in answer.addresses]
            if len(found) > 1:
                raise UnknownValueError(host, "a name of several addresses, which is not followed")
            return found[0] if found else None
        return next((each for each in self.stations.values() if host in _own_names(each.resource)), None)

    def shown(self, service: Resource, name: str) -> Certificate | None:
        """Return the certificate that a service keeps under an id."""
        return certificates.shown(self.stack, service, name)


def _own_names(resource: Resource) -> set[str]:
    """Return the names under which Azure itself publishes a station."""
    if resource.kind != SERVICE:
        return set()
    custom = {str(mapping(each).get("hostName")) for each in sequence(resource.at("hostnameConfigurations", default=[]))}
    return {f"{name_of(resource)}.{SUFFIX}", *custom}
