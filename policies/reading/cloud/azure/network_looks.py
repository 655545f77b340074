"""What networks, public addresses and AKS tell the rules."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.addresses import INTERNET, OUTSIDE, PRIVATE, Addresses, addresses
from policies.reading.cloud.azure import balancers, names, public
from policies.reading.cloud.azure.apis import SERVICE
from policies.reading.cloud.azure.application_gateway import KIND as APPLICATION_GATEWAY
from policies.reading.cloud.azure.cluster import CLUSTER, pools
from policies.reading.cloud.azure.edge_looks import categories_kept
from policies.reading.cloud.azure.filters import LOAD_BALANCER, PROBES, VIRTUAL_NETWORK, SecurityGroup
from policies.reading.cloud.azure.ids import along, target
from policies.reading.cloud.azure.subnets import SUBNET, VNET, subnet_of, subnets
from policies.reading.cloud.crossings import gathered
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.cloud.model import EDGE, GATEWAY, Place, senders
from policies.reading.cloud.operators import is_named
from policies.reading.resource import Resource
from policies.reading.stack_file import AZURE, listed
from policies.reading.values import UnknownValueError, mapping, sequence
from policies.reading.waf import fronts
from policies.rule import Hop

if TYPE_CHECKING:
    from policies.reading.stack import Stack

WIDEST: Final = 24
"""A range of operators' addresses that is wider than so many bits names nobody."""
ENGINES: Final = frozenset({"cilium", "calico", "azure"})
AUDIT: Final = frozenset({"kube-audit", "kube-audit-admin"})
USERS: Final = "guard"
"""The log of who signs in (Learn, `aks/monitor-aks-reference`, resource logs)."""
ROUTERS: Final = ("httpApplicationRouting", "ingressApplicationGateway")
"""Add-ons that publish Services by themselves."""

MANAGEMENT: Final[Mapping[str, Mapping[int, str]]] = {
    EDGE: {65200: "GatewayManager", 65535: "GatewayManager"},
    GATEWAY: {3443: "ApiManagement"},
}
"""Ports at which Azure's own control plane is a sender to a layer, by service tag (Learn, `configuration-infrastructure`, `virtual-network-reference`)."""
ALWAYS: Final = frozenset({80, 443, 3443, 8080, 8443})
TRANSPORTS: Final = ("TCP", "UDP", "ICMP", "ESP", "AH")
"""What a rule of a security group may be about (Learn, `network-security-groups-overview`); the last three have no ports."""
INSIDE: Final = frozenset({VIRTUAL_NETWORK, LOAD_BALANCER})
"""Service tags of addresses inside: the network with all that is joined to it, and Azure's probes."""


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """Who may connect to a place."""

    addresses: Addresses
    managers: Mapping[int, str] = field(default_factory=dict[int, str])
    """Service tags that may, each at one port."""

    def at(self, port: int) -> Addresses:
        """Return who may at a port."""
        return self.addresses | Addresses(names=frozenset({self.managers[port]} if port in self.managers else ()))


def api_is_closed(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N01."""
    access = mapping(resource.at("apiServerAccessProfile", default={}))
    if access.get("enablePrivateCluster") is True:
        if (
            access.get("enablePrivateClusterPublicFQDN", True) is not False
        ):  # Azure gives it one unless told (Learn, `aks/private-clusters`)
            yield Flaw(message="its private API has a public name besides", fix="write `enablePrivateClusterPublicFQDN: false`")
        return
    ranges = [str(each) for each in sequence(access.get("authorizedIPRanges"))]
    if not ranges:
        yield Flaw(message="its API answers the whole internet", fix="make the cluster private, or name operators in `authorizedIPRanges`")
    for each in ranges:
        if any(network.prefixlen < WIDEST for network in addresses(each).networks):
            yield Flaw(message=f"its API answers {each}, which names nobody", fix="name the operators' own addresses")
        elif not is_named(each, listed(stack, AZURE, "operators")):
            yield Flaw(message=f"its API answers {each}, which the stack file does not name", fix="name the operators in the stack file")


def nodes_are_private(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N03."""
    for owner, spec in pools(stack, resource):
        name = spec.get("name") or owner.name
        if spec.get("enableNodePublicIP") or spec.get("nodePublicIPPrefixID"):  # raises where that is not known
            yield Flaw(message=f"the nodes of pool {name} have public addresses", fix="write `enableNodePublicIP: false`", resource=owner)


def nodes_are_fenced(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N04."""
    del resource
    nodes = stack.cloud.nodes
    if nodes is None:
        raise UnknownValueError("the cluster's nodes", "in subnets that cannot be read")
    if not nodes.filters:
        yield Flaw(message="no security group filters what comes to its nodes", fix="associate a NetworkSecurityGroup with their subnet")
    fine = nodes.addresses | _always(stack)
    for station in stack.cloud.of(GATEWAY):
        fine |= station.place.addresses
    allowed = Allowed(addresses=fine)
    yield from strangers(nodes, ports_asked(stack, nodes), allowed)
    for service in stack.services:
        for address in names.addresses_of(service):
            for port in service.ports:
                yield from strangers(nodes, {port.port}, allowed, at=addresses(address))
    for service, address in stack.cloud.published.items():
        own = {port.port for port in service.ports}
        yield from strangers(nodes, ports_asked(stack, nodes), allowed, at=address, heard=own)


def subnets_are_fenced(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N04, for the other subnets of a network."""
    layers = {each.place.addresses: (layer, each) for layer in (EDGE, GATEWAY) for each in stack.cloud.of(layer)}
    for subnet in subnets(stack):
        if subnet.resource is not resource and resource.kind == VNET:
            continue
        if subnet.group is None:
            yield Flaw(message=f"no security group filters what comes to {subnet}", fix="associate a NetworkSecurityGroup")
            continue
        place = Place(name=str(subnet), resource=resource, addresses=subnet.addresses, filters=subnet.filters)
        layer, station = layers.get(subnet.addresses, ("", None))
        heard = set(station.ports()) if station and layer == EDGE else set[int]()
        allowed = Allowed(addresses=_always(stack), managers=MANAGEMENT.get(layer, {}))
        yield from strangers(place, ports_asked(stack, place), allowed, among=outside, heard=heard)


def _always(stack: "Stack") -> Addresses:
    """Return who may always connect to nodes: Azure's probes, and the Kubernetes API, where that is in the network."""
    found = Addresses(names=frozenset({LOAD_BALANCER})) | addresses(PROBES)
    known = {(each.network.lower(), each.name.lower()): each for each in subnets(stack)}
    for cluster in stack.of(CLUSTER):
        if home := cluster.at("apiServerAccessProfile", "subnetId", default=None):
            found |= subnet_of(known, cluster, home).addresses
    return found


def policies_are_enforced(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N06."""
    del stack
    engine = resource.at("networkProfile", "networkPolicy", default=None)
    if engine not in ENGINES:
        yield Flaw(
            message=f"nothing enforces NetworkPolicies (networkPolicy: {engine or 'not given'})", fix="write `networkPolicy: cilium`"
        )


def users_are_known(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N08."""
    del stack
    if resource.at("enableRBAC", default=True) is not True:
        yield Flaw(message="RBAC is off: whoever has an account may do anything", fix="write `enableRBAC: true`")
    if resource.at("disableLocalAccounts", default=False) is not True:
        yield Flaw(
            message="local accounts are on: their certificates belong to nobody and cannot be withdrawn",
            fix="write `disableLocalAccounts: true`",
        )
    if mapping(resource.at("aadProfile", default={})).get("managed") is not True:
        yield Flaw(message="Entra ID does not know its users", fix="write `aadProfile: {managed: true}`")


def control_plane_is_logged(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N09."""
    kept = categories_kept(resource, stack, AUDIT | {USERS})
    if not kept & AUDIT:
        yield Flaw(message="who asks its API for what is written down nowhere", fix="add a DiagnosticSetting with kube-audit-admin")
    if USERS not in kept:
        yield Flaw(message="who proves to its API who he is is written down nowhere", fix=f"add a DiagnosticSetting with {USERS}")


def publishes_nothing_itself(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N11."""
    del stack
    for addon in ROUTERS:
        if mapping(mapping(resource.at("addonProfiles", default={})).get(addon)).get("enabled"):  # raises where that is not known
            yield Flaw(message=f"its add-on {addon} publishes Services by itself", fix=f"switch {addon} off")
    if resource.at("ingressProfile", "webAppRouting", "enabled", default=False) is True:
        yield Flaw(message="its add-on webAppRouting publishes Services by itself", fix="switch webAppRouting off")


def belongs_to_the_edge(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N10."""
    holders, services = public.holders(stack, resource), balancers.asking(stack, resource)
    if not holders and not services:
        yield Flaw(message="nothing in the program uses it: whose address it is cannot be told", fix="remove it", undecided=True)
    for holder in holders:
        if holder.kind != APPLICATION_GATEWAY and holder.kind not in public.OUTBOUND:
            yield Flaw(
                message=f"is a public address of {holder}, which is no WAF", fix="take it away; what leaves goes through the NAT gateway"
            )
    waf = {front.exposure.resource for front in fronts(stack)}
    for service in services:
        if service.resource not in waf:
            yield Flaw(message=f"is the public address of {service}, behind which is no WAF", fix="take it away", resource=service.resource)
    if len(services) + len(holders) > 1:
        users = ", ".join(map(str, [*services, *holders]))
        yield Flaw(message=f"is the address of more than one: {users}", fix="leave it to the edge alone")


def is_reached_at_ours(gateway: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N10, for the edge: whoever has the address may give it to something else, and answers the edge's clients."""
    for given in along(gateway.props, ("frontendIPConfigurations", "publicIPAddress", "id")):
        if target(stack, gateway, "frontendIPConfigurations", given, public.ADDRESS) is None:
            yield Flaw(message=f"is reached at {given}, which the program does not make", fix="name a PublicIPAddress of the program")


def has_an_address_of_ours(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N10, for Services: Azure gives a public load balancer some address, unless told which."""
    service = stack.service(resource.namespace, resource.name)
    if service is not None and service.type == "LoadBalancer" and resource.at("spec", "loadBalancerClass", default=None):
        yield Flaw(
            message="another controller than Azure's makes its load balancer (loadBalancerClass)", fix="remove the class", undecided=True
        )
    if service is None or not balancers.is_public(service):
        return
    if balancers.address_of(stack, service) is None:
        yield Flaw(
            message="the public address of its load balancer is none of the program: nobody says which, and no filter names it",
            fix=f"name a PublicIPAddress of the program in {balancers.BY_NAME} and {balancers.GROUP}",
        )
    for annotation in sorted(resource.annotations):
        if annotation.startswith(balancers.PREFIX) and annotation not in balancers.KNOWN:
            what = f"its annotation {annotation} tells Azure something of which it is not known what that opens"
            yield Flaw(message=what, fix="remove it, or add it to balancers.py after review", undecided=True)


def leads_to_the_edge(record: Resource, stack: "Stack") -> Iterator[Flaw]:
    """N10, for public names of hosts."""
    wanted = mapping(record.at("targetResource", default={})).get("id")
    address = target(stack, record, "targetResource", wanted, public.ADDRESS)
    users = {holder.kind for holder in public.holders(stack, address)} if address else set[str]()
    if address is None or not (balancers.asking(stack, address) or APPLICATION_GATEWAY in users):
        yield Flaw(
            message="leads clients of a host to what is no address of the edge", fix="name the edge's PublicIPAddress in targetResource"
        )


def gateway_is_inside(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A01."""
    del stack
    mode = resource.at("virtualNetworkType", default="None")
    if mode != "Internal":
        yield Flaw(message=f"its virtualNetworkType is {mode}: clients reach it past the WAF", fix="write `virtualNetworkType: Internal`")


def gateway_hears_the_edge(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """A02."""
    station = next((each for each in stack.cloud.stations if each.resource is resource), None)
    if station is None:
        raise UnknownValueError(str(resource), "a gateway of which it is not known where it stands")
    if not station.place.filters:
        yield Flaw(
            message="no security group filters who may connect to its subnet",
            fix="associate a NetworkSecurityGroup that names the edge's subnet",
        )
    edge = Addresses()
    for each in stack.cloud.of(EDGE):
        edge |= each.place.addresses
    allowed = edge | station.place.addresses | Addresses(names=frozenset({LOAD_BALANCER})) | addresses(PROBES)
    fine = Allowed(addresses=allowed, managers=MANAGEMENT[GATEWAY])
    yield from strangers(station.place, ports_asked(stack, station.place) | ALWAYS, fine)


def outside(peers: Addresses) -> Addresses:
    """Return the part of some peers that is outside, or of which that is not known: a service tag's addresses are public."""
    return (peers & OUTSIDE) | Addresses(names=peers.names - INSIDE - {INTERNET})


def inside(peers: Addresses) -> Addresses:
    """Return the part of some peers that has private addresses, networks joined to this one included."""
    return (peers & PRIVATE) | Addresses(names=peers.names & INSIDE)


def anywhere(peers: Addresses) -> Addresses:
    """Return all of some peers."""
    return peers


def strangers(  # noqa: PLR0913 # each narrows what is asked
    place: Place,
    ports: set[int],
    allowed: Allowed,
    *,
    among: Callable[[Addresses], Addresses] = anywhere,
    at: Addresses | None = None,
    heard: Collection[int] = (),
) -> Iterator[Flaw]:
    """Tell who else reaches some ports of a place; each rule once, with all ports.

    Args:
        place: the place.
        ports: the ports, asked for over each transport.
        allowed: who may.
        among: chooses a part of all peers.
        at: the address asked for, where it is not the place's own.
        heard: ports at which the place serves everybody, over TCP.
    """
    found = (
        (group, by, beyond, (transport, port))
        for port, transport in product(sorted(ports), TRANSPORTS)
        if transport != "TCP" or port not in heard
        for peers, by, group in senders(place, port, at=at, transport=transport)
        if (beyond := among(peers) - allowed.at(port))
    )
    for each in gathered(found):
        yield Flaw(
            message=f"{each.peers} can connect to {place} on {each.door} (by {each.by})",
            fix="name the layer before it alone",
            resource=each.filter,
            path=(
                Hop(place=str(each.peers), allowed_by=f"{each.filter}: {each.by}", urn=each.filter.urn),
                Hop(place=f"{place} {each.door}", allowed_by=""),
            ),
        )


def ports_asked(stack: "Stack", place: Place) -> set[int]:
    """Return ports worth asking for: those of Services, and where the ranges of filters begin and end."""
    found = {port.port for service in stack.services for port in service.ports}
    for each in place.filters:
        for group in getattr(each, "filters", (each,)):
            if isinstance(group, SecurityGroup):
                found |= group.ports
    return {port for port in found if port > 0}


READERS: Final = (
    Reader(rule="N01", kinds=(CLUSTER,), look=api_is_closed),
    Reader(rule="N03", kinds=(CLUSTER,), look=nodes_are_private),
    Reader(rule="N04", kinds=(CLUSTER,), look=nodes_are_fenced),
    Reader(rule="N04", kinds=(VNET, SUBNET), look=subnets_are_fenced),
    Reader(rule="N06", kinds=(CLUSTER,), look=policies_are_enforced),
    Reader(rule="N08", kinds=(CLUSTER,), look=users_are_known),
    Reader(rule="N09", kinds=(CLUSTER,), look=control_plane_is_logged),
    Reader(rule="N10", kinds=(public.ADDRESS,), look=belongs_to_the_edge),
    Reader(rule="N10", kinds=(APPLICATION_GATEWAY,), look=is_reached_at_ours),
    Reader(rule="N10", kinds=("Service",), look=has_an_address_of_ours),
    Reader(rule="N10", kinds=(public.RECORD,), look=leads_to_the_edge),
    Reader(rule="N11", kinds=(CLUSTER,), look=publishes_nothing_itself),
    Reader(rule="A01", kinds=(SERVICE,), look=gateway_is_inside),
    Reader(rule="A02", kinds=(SERVICE,), look=gateway_hears_the_edge),
)
