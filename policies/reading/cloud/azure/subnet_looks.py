"""Subnets of Azure: who inside the network connects to what stands in them, and which way leads out."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.addresses import Addresses, addresses
from policies.reading.cloud.azure.cluster import CLUSTER
from policies.reading.cloud.azure.filters import LOAD_BALANCER
from policies.reading.cloud.azure.ids import NETWORK, below, name_of, target
from policies.reading.cloud.azure.names import RECORD
from policies.reading.cloud.azure.network_looks import Allowed, inside, ports_asked, strangers
from policies.reading.cloud.azure.rights_looks import ENDPOINT
from policies.reading.cloud.azure.subnets import SUBNET, VNET, Subnet, reference_of, subnet_of, subnets
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.cloud.model import EDGE, GATEWAY, Place
from policies.reading.cloud.references import meant
from policies.reading.resource import Resource
from policies.reading.stack_file import AZURE, listed
from policies.reading.values import UnknownValueError, is_unknown, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

PROBED: Final = 9988
"""Where Azure asks whether the Kubernetes API in a subnet lives (Learn, `api-server-vnet-integration`)."""
FENCING: Final = frozenset({"Enabled", "NetworkSecurityGroupEnabled"})
"""Values of `privateEndpointNetworkPolicies` with which security groups hold for private endpoints."""
WAYS_OUT: Final = {"routeTable": f"{NETWORK}RouteTable", "natGateway": f"{NETWORK}NatGateway"}
"""Fields of a subnet that say where packets go which leave it."""


def callers_are_few(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N04, for connections from inside: whom nodes take and whom the gateway takes, `nodes_are_fenced` and A02 ask.

    `AzureLoadBalancer` is probes alone, no traffic (Learn, `service-tags-overview`), and welcome where something is probed.
    """
    elsewhere = stack.cloud.nodes.addresses if stack.cloud.nodes else Addresses()
    for station in stack.cloud.of(GATEWAY):
        elsewhere |= station.place.addresses
    known = {(each.network.lower(), each.name.lower()): each for each in subnets(stack)}
    for subnet in known.values():
        if subnet.resource is not resource or subnet.group is None or elsewhere.holds(subnet.addresses):
            continue
        place = Place(name=str(subnet), resource=resource, addresses=subnet.addresses, filters=subnet.filters)
        yield from strangers(place, ports_asked(stack, place), _callers(subnet, known, stack), among=inside)


def _callers(subnet: Subnet, known: Mapping[tuple[str, str], Subnet], stack: "Stack") -> Allowed:
    """Return who connects to a subnet, by what stands in it."""
    fine, probed = subnet.addresses, dict[int, str]()
    gateways, edges = (_all(stack, layer) for layer in (GATEWAY, EDGE))
    nodes = stack.cloud.nodes.addresses if stack.cloud.nodes else Addresses()
    if edges.holds(subnet.addresses):
        return Allowed(addresses=fine | Addresses(names=frozenset({LOAD_BALANCER})))
    if any(subnet_of(known, each, home) is subnet for each, home in _apis(stack)):
        fine |= nodes | _operators(stack)
        probed[PROBED] = LOAD_BALANCER
    elif any(subnet_of(known, each, each.props.get("subnet")) is subnet for each in stack.of(ENDPOINT)):
        fine |= edges | gateways | nodes
    else:
        fine |= gateways
    return Allowed(addresses=fine, managers=probed)


def _all(stack: "Stack", layer: str) -> Addresses:
    found = Addresses()
    for station in stack.cloud.of(layer):
        found |= station.place.addresses
    return found


def _apis(stack: "Stack") -> Iterator[tuple[Resource, str]]:
    for cluster in stack.of(CLUSTER):
        if home := cluster.at("apiServerAccessProfile", "subnetId", default=None):
            yield cluster, home


def _operators(stack: "Stack") -> Addresses:
    """Return the private ranges that the stack file names."""
    return addresses(*listed(stack, AZURE, "privateOperators"))


def leaves_by_own_ways(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N04: whoever owns a subnet's route table or NAT gateway says where its packets go, and reads them there."""
    inline = [mapping(each) for each in sequence(resource.props.get("subnets"))] if resource.kind == VNET else [resource.props]
    for spec in inline:
        for field, kind in WAYS_OUT.items():
            given = reference_of(spec.get(field))
            if given is not None and target(stack, resource, "subnets" if resource.kind == VNET else field, given, kind) is None:
                yield Flaw(
                    message=f"its subnet {spec.get('name') or spec.get('subnetName')} sends packets by {given}, "
                    f"which the program does not make ({field})",
                    fix=f"remove {field}, or make it in the program",
                )


def asks_inside_for_names(cluster: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N04: pods ask the cluster's own name service; AKS takes no address for it outside of the range of Services."""
    del stack
    given, services = (cluster.at("networkProfile", field, default="") for field in ("dnsServiceIP", "serviceCidr"))
    if given and not addresses(services).holds(addresses(given)):
        yield Flaw(
            message=f"its pods ask {given} for names, which is outside of the range of Services ({services})",
            fix="name an address of serviceCidr in dnsServiceIP",
        )


def names_stay_inside(link: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N04: another network that is linked to a private zone knows names of this one; one that is not asks the internet for them."""
    network = reference_of(link.props.get("virtualNetwork"))
    if target(stack, link, "virtualNetwork", network, VNET) is None:
        yield Flaw(message=f"tells its names to {network}, which is no network of the program", fix="name the program's own network")


def is_linked(zone: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N04: without a link the network asks the internet for the zone's names, and believes who answers."""
    own = (
        target(stack, link, "virtualNetwork", reference_of(link.props.get("virtualNetwork")), VNET)
        for link in below(stack, zone, LINK, "privateZoneName")
    )
    if not any(each is not None for each in own):
        yield Flaw(
            message=f"is linked to no network of the program, which asks the internet for names of {name_of(zone)}",
            fix="link it to the network",
        )


def endpoints_are_fenced(endpoint: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N04: security groups hold for private endpoints only where their subnet says so (Learn, `disable-private-endpoint-network-policy`)."""
    known = {(each.network.lower(), each.name.lower()): each for each in subnets(stack)}
    home = subnet_of(known, endpoint, endpoint.props.get("subnet"))
    if home.endpoint_policies not in FENCING:
        yield Flaw(
            message=f"lies in {home}, whose security group does not hold for private endpoints ({home.endpoint_policies or 'not given'})",
            fix="write `privateEndpointNetworkPolicies: Enabled` for the subnet",
        )


def leads_inside(record: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N04: a private name leads to an address of the network, or to the one of a resource of the program."""
    inside = [addresses(*sequence(mapping(each.at("addressSpace")).get("addressPrefixes"))) for each in stack.of(VNET)]
    owners = stack.sources(record, "aRecords")
    for each in sequence(record.props.get("aRecords")):
        given = mapping(each).get("ipv4Address")
        if is_unknown(given):
            if len(owners) != 1:
                raise UnknownValueError(f"{record}: aRecords", "an address that is not known, of no resource or of several")
        elif not meant(stack, record, "aRecords", given, among=owners) and not any(
            network.holds(addresses(str(given))) for network in inside
        ):
            yield Flaw(message=f"leads to {given}, which is no address of the network", fix="name an address inside, or remove the record")


LINK: Final = "azure-native:privatedns:VirtualNetworkLink"
ZONE: Final = "azure-native:privatedns:PrivateZone"

READERS: Final = (
    Reader(rule="N04", kinds=(VNET, SUBNET), look=callers_are_few),
    Reader(rule="N04", kinds=(VNET, SUBNET), look=leaves_by_own_ways),
    Reader(rule="N04", kinds=(CLUSTER,), look=asks_inside_for_names),
    Reader(rule="N04", kinds=(LINK,), look=names_stay_inside),
    Reader(rule="N04", kinds=(ZONE,), look=is_linked),
    Reader(rule="N04", kinds=(ENDPOINT,), look=endpoints_are_fenced),
    Reader(rule="N04", kinds=(RECORD,), look=leads_inside),
)
