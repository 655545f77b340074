"""Subnets, and where their route tables lead."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.addresses import Addresses, addresses
from policies.reading.cloud.aws.kinds import (
    DEFAULT_ROUTE_TABLE,
    INTERNET_GATEWAY,
    MAIN_ROUTE_TABLE_ASSOCIATION,
    ROUTE,
    ROUTE_TABLE,
    ROUTE_TABLE_ASSOCIATION,
    SUBNET,
    VPC,
)
from policies.reading.cloud.references import named, one
from policies.reading.resource import Resource

if TYPE_CHECKING:
    from policies.reading.stack import Stack

TABLES: Final = (ROUTE_TABLE, DEFAULT_ROUTE_TABLE)


def subnets_named(stack: "Stack", resource: Resource, *path: str) -> tuple[Resource, ...]:
    """Return the subnets that a property names.

    Raises:
        UnknownValueError: where some are no subnets of the program.
    """
    return named(stack, resource, *path, kinds=(SUBNET,))


def within(subnets: Iterable[Resource]) -> Addresses:
    """Return the addresses of subnets.

    Raises:
        UnknownValueError: if a range is not known.
    """
    found = Addresses()
    for subnet in subnets:
        blocks = [subnet.at(key, default="") for key in ("cidrBlock", "ipv6CidrBlock")]
        found |= addresses(*(block for block in blocks if block))
    return found


def network_of(stack: "Stack") -> Addresses:
    """Return the addresses of the program's networks.

    Raises:
        UnknownValueError: if a range is not known.
    """
    return addresses(*(vpc.at("cidrBlock") for vpc in stack.of(VPC) if vpc.at("cidrBlock", default="")))


def way_in(stack: "Stack", subnet: Resource) -> Resource | None:
    """Return what leads from a subnet to an internet gateway, or None: without it no public address there works.

    Raises:
        UnknownValueError: if a route or its table is not known.
    """
    for table in _tables_of(stack, subnet):
        if named(stack, table, "routes", "gatewayId", kinds=(INTERNET_GATEWAY,)):
            return table
        for route in stack.of(ROUTE):
            if one(stack, route, "routeTableId", kinds=TABLES) is table and one(stack, route, "gatewayId", kinds=(INTERNET_GATEWAY,)):
                return route
    return None


def _tables_of(stack: "Stack", subnet: Resource) -> Iterator[Resource]:
    """Yield the route table of a subnet: its own, or where it has none, the ones that may be the network's main table."""
    own = [
        table
        for association in stack.of(ROUTE_TABLE_ASSOCIATION)
        if one(stack, association, "subnetId", kinds=(SUBNET,)) is subnet
        and (table := one(stack, association, "routeTableId", kinds=TABLES)) is not None
    ]
    if own:
        yield from own
        return
    yield from stack.of(DEFAULT_ROUTE_TABLE)
    for association in stack.of(MAIN_ROUTE_TABLE_ASSOCIATION):
        if table := one(stack, association, "routeTableId", kinds=TABLES):
            yield table
