"""Places, stations and public addresses of a stack in AWS."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from policies.reading.cloud.addresses import Addresses
from policies.reading.cloud.aws.balancers import cases_of, is_application, is_public, listeners_of, services_of, targets_of
from policies.reading.cloud.aws.eks import nodes_of, public_addresses
from policies.reading.cloud.aws.groups import groups_in, groups_named, members
from policies.reading.cloud.aws.kinds import CLASSIC_LOAD_BALANCER, LOAD_BALANCER, NODE_GROUP
from policies.reading.cloud.aws.station import LoadBalancerStation
from policies.reading.cloud.aws.vpc import subnets_named, within
from policies.reading.cloud.model import Cloud, Entrance, Place
from policies.reading.resource import Resource
from policies.reading.services import Service
from policies.reading.values import UnknownValueError

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def read(stack: "Stack") -> Cloud:
    """Return what a stack has in AWS. What cannot be read is noted."""
    balancers = tuple(stack.of(LOAD_BALANCER, CLASSIC_LOAD_BALANCER))
    stations = [found for each in balancers if (found := stack.reading(each, lambda each=each: _station(stack, each)))]
    by_urn = {station.resource.urn: station for station in stations}
    node_groups = list(stack.of(NODE_GROUP))
    nodes = stack.reading(node_groups[0], lambda: nodes_of(stack, groups_in(stack))) if node_groups else None
    entrances: list[Entrance] = []
    for each in balancers:
        entrances += stack.reading(each, lambda each=each: list(_entrances(each, by_urn.get(each.urn)))) or ()
    for each in node_groups:
        entrances += stack.reading(each, lambda each=each: list(_of_nodes(stack, each, nodes))) or ()
    callers: defaultdict[Service, list[Place]] = defaultdict(list)
    for station in stations:
        for service in stack.reading(station.resource, lambda station=station: list(_called(stack, station.resource))) or ():
            callers[service].append(station.place)
    return Cloud(
        name="AWS",
        entrances=tuple(entrances),
        places=(*(station.place for station in stations), *((nodes,) if nodes else ())),
        stations=tuple(stations),
        nodes=nodes,
        callers={service: tuple(dict.fromkeys(places)) for service, places in callers.items()},
    )


def _station(stack: "Stack", balancer: Resource) -> LoadBalancerStation | None:
    """Return an application load balancer; nothing for one that reads no requests."""
    if not is_application(balancer):
        return None
    groups = groups_named(stack, balancer, "securityGroups")
    if not groups:
        raise UnknownValueError(f"{balancer}: securityGroups", "not given: the network's default group holds, whatever that says")
    subnets = (*subnets_named(stack, balancer, "subnets"), *subnets_named(stack, balancer, "subnetMappings", "subnetId"))
    place = Place(
        name=f"load balancer {balancer.name}",
        resource=balancer,
        addresses=within(subnets) | members(groups),
        filters=(groups_in(stack).around(groups),),
    )
    return LoadBalancerStation(place=place, stack=stack)


def _entrances(balancer: Resource, station: LoadBalancerStation | None) -> Iterator[Entrance]:
    if is_public(balancer):
        place = station.place if station else Place(name=f"load balancer {balancer.name}", resource=balancer, addresses=Addresses())
        why = f"load balancer {balancer.name} is internet-facing"
        yield Entrance(resource=balancer, why=why, place=place, station=station, fix="set internal: true; only the edge is public")


def _of_nodes(stack: "Stack", node_group: Resource, nodes: Place | None) -> Iterator[Entrance]:
    for flaw in public_addresses(node_group, stack):
        yield Entrance(resource=flaw.resource or node_group, why=f"{node_group}: {flaw.message}", place=nodes, fix=flaw.fix)


def _called(stack: "Stack", balancer: Resource) -> Iterator[Service]:
    for listener in listeners_of(stack, balancer):
        for case in cases_of(stack, listener):
            for group in targets_of(stack, case):
                yield from (target.service for target in services_of(stack, group))
