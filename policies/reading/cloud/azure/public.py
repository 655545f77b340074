"""Public addresses of Azure: what has each of them, and what that opens."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure.apis import SERVICE
from policies.reading.cloud.azure.application_gateway import KIND as APPLICATION_GATEWAY
from policies.reading.cloud.azure.balancers import ADDRESS
from policies.reading.cloud.azure.filters import GROUP, RULE
from policies.reading.cloud.azure.ids import NAMES, NETWORK, is_beside, name_of, part
from policies.reading.cloud.model import Entrance, Station
from policies.reading.cloud.references import is_known_as, refers
from policies.reading.resource import Resource
from policies.reading.values import is_known

if TYPE_CHECKING:
    from policies.reading.stack import Stack

OUTBOUND: Final = frozenset({f"{NETWORK}NatGateway"})
"""Kinds whose public addresses nobody can connect to: packets come back, none come in."""

RECORD: Final = "azure-native:dns:RecordSet"
SPEAKING: Final = frozenset({GROUP, RULE, RECORD, "azure-native:monitor:DiagnosticSetting"})
"""Kinds that speak of a public address and do not have it."""

READ: Final = frozenset({APPLICATION_GATEWAY, SERVICE})
"""Kinds that are read as stations on the way in."""


def holders(stack: "Stack", address: Resource) -> list[Resource]:
    """Return the resources of Azure that use a public address: by its id, or, where that is not known, by depending on it."""
    found: list[Resource] = []
    for resource in stack.resources:
        if resource is address or not resource.custom or not resource.kind.startswith("azure-native:") or resource.kind in SPEAKING:
            continue
        if refers(resource, address, lambda one, value: _is_named(one, value, stack)):
            found.append(resource)
    return found


def _is_named(address: Resource, value: str, stack: "Stack") -> bool:
    """Say whether a text is the id of an address, or one of a part of it."""
    if is_known_as(address, value):
        return True
    wanted = address.props.get(NAMES[ADDRESS][1])
    if not is_known(wanted, str) or part(value, "publicIPAddresses").lower() != str(wanted).lower():
        return False
    # Two groups, and two subscriptions, may each have an address of one name.
    return not is_known(address.props.get("resourceGroupName"), str) or is_beside(address, value, stack)


def entrances(stack: "Stack", stations: dict[Resource, Station]) -> Iterator[Entrance]:
    """Yield every public address by which packets come in.

    Raises:
        UnknownValueError: if the name of an address is not known.
    """
    for address in stack.of(ADDRESS):
        named = f"{address.kind.rpartition(':')[2]} {name_of(address) or address.name}"
        for holder in holders(stack, address):
            station = stations.get(holder)
            if holder.kind in OUTBOUND or (station is None and holder.kind in READ):
                continue  # one that cannot be read is noted
            yield Entrance(
                resource=address,
                why=f"{named} is an address of {station or holder}",
                place=station.place if station else None,
                station=station,
                fix="take the address away; only the Application Gateway has one",
            )
    for service in stack.of(SERVICE):
        mode = str(service.at("virtualNetworkType", default="None"))
        if mode != "Internal":
            station = stations.get(service)
            yield Entrance(
                resource=service,
                why=f"{station or service} has a public address (virtualNetworkType {mode})",
                place=station.place if station else None,
                station=station,
                fix="write `virtualNetworkType: Internal`",
            )
