"""What security groups open that nobody needs: addresses of the Internet anywhere but before the edge."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from policies.reading.cloud.addresses import OUTSIDE, Addresses
from policies.reading.cloud.aws.balancers import is_public, listeners_of, services_of
from policies.reading.cloud.aws.eks import groups_of_nodes
from policies.reading.cloud.aws.groups import groups_in, groups_named, members
from policies.reading.cloud.aws.kinds import CLUSTER, LOAD_BALANCER, NODE_GROUP, TARGET_GROUP, VPC_ENDPOINT
from policies.reading.cloud.aws.vpc import network_of
from policies.reading.cloud.flaws import Flaw
from policies.reading.cloud.model import EDGE
from policies.reading.cloud.operators import is_named
from policies.reading.cloud.outside import HTTPS, ports_of_issuers
from policies.reading.private_hosts import private_on, public_ports
from policies.reading.resource import Resource
from policies.reading.stack_file import AWS, listed

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def lets_internet_in(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check one rule, or the rules inside one group: only the groups of the edge may take addresses of the Internet, on its ports."""
    ports = _edge_ports(stack)
    for group, permission in groups_in(stack).written_in(resource):
        if permission.way != "in" or not permission.peers & OUTSIDE:
            continue
        allowed = ports.get(group, frozenset())
        if permission.first == permission.last and permission.first in allowed and permission.protocol == "TCP":
            continue
        whom = "the edge, on ports on which nothing listens" if allowed else f"the members of {stack.by_urn[group]}, which are not the edge"
        yield Flaw(
            message=f"lets the Internet ({permission}) connect to {whom}",
            fix="name the group of the layer before it (referencedSecurityGroupId), and its port",
        )


def api_takes_operators_alone(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that the Kubernetes API in the network takes nodes, and the private ranges that the stack file names, and nobody else."""
    api = {group.urn: group for group in _groups_of_api(stack)}
    inside = members([*api.values(), *_groups_of_nodes(stack)])
    for group, permission in groups_in(stack).written_in(resource):
        if group not in api or permission.way != "in" or permission.peers & OUTSIDE or inside.holds(permission.peers):
            continue
        if not permission.peers.ranges or not is_named(permission.peer, listed(stack, AWS, "privateOperators")):
            yield Flaw(
                message=f"lets {permission} connect to the Kubernetes API, which the stack file does not name",
                fix="remove it; `privateOperators` of the stack file says who reaches the Kubernetes API in the network",
            )


def nodes_take_layers_alone(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that nodes take each other, the Kubernetes API and the edge, and nobody else who is connected to the network."""
    nodes = {group.urn for group in _groups_of_nodes(stack)}
    layers = members([*_groups_of_api(stack), *_groups_of_nodes(stack)])
    for place in (*(station.place for station in stack.cloud.of(EDGE)), *((stack.cloud.nodes,) if stack.cloud.nodes else ())):
        layers |= place.addresses
    for group, permission in groups_in(stack).written_in(resource):
        if group in nodes and permission.way == "in" and not permission.peers & OUTSIDE and not layers.holds(permission.peers):
            yield Flaw(
                message=f"lets {permission} connect to nodes, which are none of the layers before them",
                fix="remove it; nodes take each other, the Kubernetes API and the edge",
            )


def _groups_of_nodes(stack: "Stack") -> list[Resource]:
    return [group for node_group in stack.of(NODE_GROUP) for group in groups_of_nodes(stack, node_group)]


def _groups_of_api(stack: "Stack") -> list[Resource]:
    """Return the groups of the Kubernetes API's interfaces: those that a cluster names, and the one that EKS makes for it."""
    return [group for cluster in stack.of(CLUSTER) for group in (cluster, *groups_named(stack, cluster, "vpcConfig", "securityGroupIds"))]


def edge_reaches_gateway_alone(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that nodes take the edge on the ports where its targets serve, and on no others."""
    nodes = {group.urn for group in _groups_of_nodes(stack)}
    edge = Addresses()
    for station in stack.cloud.of(EDGE):
        edge |= station.place.addresses
    served = _served(stack)
    for group, permission in groups_in(stack).written_in(resource):
        only = permission.first == permission.last and permission.first in served
        public = permission.peers & OUTSIDE  # said by `lets_internet_in`
        if group in nodes and permission.way == "in" and permission.peers & edge and not only and not public:
            yield Flaw(
                message=f"lets the edge ({permission}) connect to ports of nodes on which none of its targets serves",
                fix=f"open port {', '.join(map(str, served))} alone" if served else "remove it",
            )


def nodes_leave_by_few_ports(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that nodes, and pods with them, connect to the Internet on the ports alone that images and the topology ask for."""
    nodes = {group.urn for group in _groups_of_nodes(stack)}
    ports = {HTTPS} | ports_of_issuers(stack) | public_ports(stack)  # 443: of images and of AWS
    for group, permission in groups_in(stack).written_in(resource):
        if group not in nodes or permission.way != "out" or not permission.peers & OUTSIDE:
            continue
        if permission.protocol != "TCP" or permission.first != permission.last or permission.first not in ports:
            yield Flaw(
                message=f"lets nodes connect to the Internet ({permission}), which no host of the topology asks for",
                fix=f"open port {', '.join(map(str, sorted(ports)))} alone",
            )


def nodes_leave_to_private_hosts_alone(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that nodes connect to private addresses beyond their network there alone where the stack file says that a host is."""
    nodes = {group.urn for group in _groups_of_nodes(stack)}
    for group, permission in groups_in(stack).written_in(resource):
        if group not in nodes or permission.way != "out" or permission.peers & OUTSIDE:
            continue
        one = permission.protocol == "TCP" and permission.first == permission.last
        hosts = private_on(stack, permission.first) if one else Addresses()
        if beyond := Addresses(permission.peers.ranges) - network_of(stack) - hosts:
            yield Flaw(
                message=f"lets nodes connect to {beyond} ({permission}), where no host of the topology is",
                fix="remove it; `privateHosts` of the stack file says where outside hosts with private addresses are",
            )


def _served(stack: "Stack") -> list[int]:
    """Return the ports at which pods are called from outside the cluster."""
    found = {
        number
        for group in stack.of(TARGET_GROUP)
        for target in services_of(stack, group)
        if (port := target.service.port(target.port)) is not None
        for pod in target.service.pods
        if (number := pod.port_number(port.target)) is not None
    }
    return sorted(found)


def is_in_one_place(group: Resource, stack: "Stack") -> Iterator[Flaw]:
    """Check that a group has its rules inside or beside it, not both."""
    if group in groups_in(stack).mixed:
        yield Flaw(
            message="has rules inside and beside it: each deployment takes away what the other made, so what holds is not known",
            fix="write every rule as a resource of its own, and leave ingress and egress out",
            undecided=True,
        )


def _edge_ports(stack: "Stack") -> dict[str, frozenset[int]]:
    """Return the groups of public load balancers alone, by URN, with the ports of their listeners."""
    shared = {group.urn for group in (*_groups_of_nodes(stack), *_groups_of_api(stack))}
    shared |= {group.urn for endpoint in stack.of(VPC_ENDPOINT) for group in groups_named(stack, endpoint, "securityGroupIds")}
    found: dict[str, frozenset[int]] = {}
    for balancer in stack.of(LOAD_BALANCER):
        ports = frozenset(int(listener.at("port", default=0)) for listener in listeners_of(stack, balancer))
        for group in groups_named(stack, balancer, "securityGroups"):
            public = is_public(balancer) and group.urn not in shared
            found[group.urn] = (found.get(group.urn, ports) & ports) if public else frozenset()
    return found
