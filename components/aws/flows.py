"""Who may speak to whom in the network: one table, from which every rule of every security group follows. What is not here is refused."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from topology.model.base import Name
from topology.model.system import Topology

ANYWHERE: Final = "0.0.0.0/0"


class Group(StrEnum):
    """Security groups, one for each layer."""

    EDGE = "edge"
    """The load balancer."""
    NODES = "nodes"
    """Nodes, and pods, which have their addresses on the nodes' interfaces."""
    API = "api"
    """The Kubernetes API's interfaces in the network."""
    ENDPOINTS = "endpoints"
    """The endpoints of AWS services in the network."""


class Transport(StrEnum):
    """Of a flow."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Some interfaces may open connections to others: a security group, or a range of addresses.

    A flow between two groups becomes a rule at both, out of the one and into the other.
    """

    name: str
    source: Group | str
    target: Group | str
    port: int
    last_port: int | None = None
    """Last of a range of ports; None: the one port."""
    transport: Transport = Transport.TCP
    why: str


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule of a security group, with one peer: another group or a range of addresses."""

    name: str
    group: Group
    inbound: bool
    peer: Group | str
    flow: Flow


WEBHOOKS: Final = {
    10250: "the kubelets, and the webhook of cert-manager",
    15017: "the webhooks of istiod",
    9443: "the webhooks of the load balancer controller",
    10251: "the metrics server",
}
"""Ports of nodes and pods that the Kubernetes API calls."""


def clients() -> Flow:
    """Return the only flow from everywhere: port 80 is closed, so that nothing is ever sent in clear and then redirected."""
    return Flow(name="clients", source=ANYWHERE, target=Group.EDGE, port=443, why="clients reach the WAF, and nothing else")


def edge_to_gateway(port: int) -> Flow:
    """Return the flow from the load balancer to the pods of the gateway, on the one port where they serve doors."""
    return Flow(name="edge-to-gateway", source=Group.EDGE, target=Group.NODES, port=port, why="only the WAF reaches the API gateway")


def edge_to_nginx(port: int) -> Flow:
    """Return the flow from the load balancer to the pods of nginx, where it stands before the gateway."""
    return Flow(name="edge-to-nginx", source=Group.EDGE, target=Group.NODES, port=port, why="only the WAF reaches nginx")


def cluster(outside_ports: Iterable[int]) -> Iterator[Flow]:
    """Yield what the cluster needs (EKS User Guide, `sec-group-reqs`).

    Args:
        outside_ports: of what nodes and pods reach outside: issuers' key sets, and the hosts of the egress gateway.
    """
    nodes, api = Group.NODES, Group.API
    yield Flow(name="pods", source=nodes, target=nodes, port=1024, last_port=65535, why="nodes and pods; NetworkPolicies decide")
    yield Flow(name="names", source=nodes, target=nodes, port=53, why="the name service of the cluster")
    yield Flow(name="names-udp", source=nodes, target=nodes, port=53, transport=Transport.UDP, why="the name service of the cluster")
    yield Flow(name="api", source=nodes, target=api, port=443, why="nodes and controllers reach the Kubernetes API")
    for port, why in WEBHOOKS.items():
        yield Flow(name=f"api-asks-{port}", source=api, target=nodes, port=port, why=why)
    yield Flow(name="aws", source=nodes, target=Group.ENDPOINTS, port=443, why="AWS services, without leaving the network")
    for port in sorted({443, *outside_ports}):
        yield Flow(name=f"outside-{port}", source=nodes, target=ANYWHERE, port=port, why="images, key sets, hosts of the egress gateway")


def private_hosts(t: Topology, ranges: Mapping[Name, Iterable[str]]) -> Iterator[Flow]:
    """Yield the flows of nodes to outside hosts that have private addresses: `ranges` by the name of their egress.

    Hosts of one range on one port share a flow: EC2 refuses a second rule of the same content (`InvalidPermission.Duplicate`,
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
    """
    for port, target in dict.fromkeys((t.egress[name].port, target) for name, targets in ranges.items() for target in targets):
        name = f"host-{port}-{target.replace('/', '-')}"
        yield Flow(name=name, source=Group.NODES, target=target, port=port, why="outside hosts with private addresses")


def private_operators(ranges: Iterable[str]) -> Iterator[Flow]:
    """Yield the flows of operators, by their private ranges, to the Kubernetes API."""
    for number, source in enumerate(ranges, start=1):
        yield Flow(name=f"operators-{number}", source=source, target=Group.API, port=443, why="operators reach the Kubernetes API")


def rules(every: Iterable[Flow]) -> Iterator[Rule]:
    """Yield the rules that follow from flows."""
    for flow in every:
        if isinstance(flow.target, Group):
            yield Rule(name=f"in-{flow.target}-{flow.name}", group=flow.target, inbound=True, peer=flow.source, flow=flow)
        if isinstance(flow.source, Group):
            yield Rule(name=f"out-{flow.source}-{flow.name}", group=flow.source, inbound=False, peer=flow.target, flow=flow)
