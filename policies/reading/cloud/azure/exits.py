"""Whom subnets of Azure let connect out: every one closes itself, and opens the ways that what stands there needs."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.addresses import OUTSIDE, Addresses
from policies.reading.cloud.azure.filters import LOAD_BALANCER, SecurityGroup
from policies.reading.cloud.azure.network_looks import INSIDE, TRANSPORTS, ports_asked
from policies.reading.cloud.azure.subnets import SUBNET, VNET, Subnet, subnets
from policies.reading.cloud.crossings import gathered
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.cloud.model import EDGE, GATEWAY, Place
from policies.reading.cloud.outside import HTTPS, ports_of_issuers
from policies.reading.private_hosts import private_hosts, public_ports
from policies.reading.resource import Resource
from policies.rule import Hop

if TYPE_CHECKING:
    from policies.reading.stack import Stack

LAST: Final = 65535
Port = tuple[str, int]
"""Transport and number."""
OF_API_MANAGEMENT: Final[Mapping[Port, frozenset[str]]] = {
    ("TCP", 443): frozenset({"Storage", "AzureKeyVault", "AzureActiveDirectory", "AzureMonitor"}),
    ("TCP", 1433): frozenset({"Sql", "SQL"}),
    ("TCP", 1886): frozenset({"AzureMonitor"}),
}
"""What API Management connects to of Azure itself, by service tag (Learn, `virtual-network-reference`, required ports)."""
REVOCATION: Final = 80
"""Where certificates of Azure's own are asked for (the same page); any address of the internet."""
CLOCK: Final[Port] = ("UDP", 123)
"""Where nodes ask for the time (Learn, `outbound-rules-control-egress`)."""


def few_ways_lead_out(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N04, for connections to what is outside of the network; who inside is let in, the subnets that are asked say.

    An Application Gateway may be refused no way out (Learn, `configuration-infrastructure`); whether its subnet reaches the cluster, W09 asks.
    """
    edges = _all(stack, EDGE)
    for subnet in subnets(stack):
        if subnet.resource is resource and subnet.group is not None and not edges.holds(subnet.addresses):
            yield from _ways_out(subnet, subnet.group, stack)


def _ways_out(subnet: Subnet, group: SecurityGroup, stack: "Stack") -> Iterator[Flaw]:
    nodes = stack.cloud.nodes.addresses if stack.cloud.nodes else Addresses()
    own = nodes if nodes.holds(subnet.addresses) else subnet.addresses
    inside = group.network | nodes | Addresses(names=frozenset({LOAD_BALANCER}))
    needed = _needed(subnet, nodes, stack)
    found = (
        (group.resource, opening.by, beyond, (transport, port))
        for port, transport in product(sorted(_asked(subnet, group, stack)), TRANSPORTS)
        for opening in group.openings("out", own, port, transport)
        if (beyond := _without(opening.peers - inside, needed.get((transport, port), Addresses())))
    )
    for each in gathered(found):
        yield Flaw(
            message=f"{subnet} can connect to {each.peers} on {each.door} (by {each.by}), which nothing there needs",
            fix="name what it needs in the rule, and refuse the rest below it",
            resource=each.filter,
            path=(
                Hop(place=str(subnet), allowed_by=f"{each.filter}: {each.by}", urn=each.filter.urn),
                Hop(place=f"{each.peers} {each.door}", allowed_by=""),
            ),
        )


def _needed(subnet: Subnet, nodes: Addresses, stack: "Stack") -> Mapping[Port, Addresses]:
    """Return what stands in a subnet connects to outside of the network; nothing for ingresses, private endpoints and the Kubernetes API."""
    if nodes.holds(subnet.addresses):
        ports = {HTTPS, *ports_of_issuers(stack), *public_ports(stack)}
        found: dict[Port, Addresses] = {CLOCK: OUTSIDE, **{("TCP", port): OUTSIDE for port in ports}}
        for name, host in private_hosts(stack).items():
            if exit_ := stack.intent.egress.get(name):
                found["TCP", exit_.port] = found.get(("TCP", exit_.port), Addresses()) | host
        return found
    if _all(stack, GATEWAY).holds(subnet.addresses):
        everybody = {("TCP", port): OUTSIDE for port in (REVOCATION, *ports_of_issuers(stack))}
        return {port: Addresses(names=tags) for port, tags in OF_API_MANAGEMENT.items()} | everybody
    return {}


def _without(peers: Addresses, needed: Addresses) -> Addresses:
    """Return the peers that are not needed; a service tag is of public addresses, some of all."""
    left = peers - needed
    return Addresses(left.ranges, left.names & INSIDE) if needed.holds(OUTSIDE) else left


def _asked(subnet: Subnet, group: SecurityGroup, stack: "Stack") -> set[int]:
    """Return ports worth asking for: those beside the ends of ranges, too, so that a range is none of its ends alone."""
    place = Place(name=str(subnet), resource=subnet.resource, addresses=subnet.addresses, filters=subnet.filters)
    ends = {end + beside for end in group.ports for beside in (-1, 1)}
    return {port for port in {*ports_asked(stack, place), *ends, LAST} if 0 < port <= LAST}


def _all(stack: "Stack", layer: str) -> Addresses:
    found = Addresses()
    for station in stack.cloud.of(layer):
        found |= station.place.addresses
    return found


READERS: Final = (Reader(rule="N04", kinds=(VNET, SUBNET), look=few_ways_lead_out),)
