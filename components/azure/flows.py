"""Who may speak to whom in the network: one table, from which the security group of each subnet follows. What is not here is refused."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from components.azure.addresses import Addresses, Subnet

INTERNET: Final = "Internet"
LOAD_BALANCER: Final = "AzureLoadBalancer"
PUBLIC_ADDRESS: Final = "public-address"
"""The edge's public address, where its pods stand behind a load balancer of the cluster; Azure says which one it is.

The load balancer leaves it in packets on their way to the nodes (floating IP), so that this is what a security group sees
(cloud-provider-azure, `topics/loadbalancer`; Learn, `load-balancer-floating-ip`).
"""
ANY: Final = "*"

FIRST: Final = 100
STEP: Final = 10
LAST: Final = 4096
"""Priorities of a security group: the lowest number decides first. 65000 and above are Azure's own, which let the network in and all out."""


class Transport(StrEnum):
    """Of a flow."""

    TCP = "Tcp"
    UDP = "Udp"
    ANY = "*"


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Some addresses may open connections to others: subnets, ranges, or service tags of Azure.

    A flow between two subnets becomes a rule at both, out of the one and into the other.
    """

    name: str
    source: Subnet | str
    target: Subnet | str
    ports: tuple[str, ...]
    why: str
    transport: Transport = Transport.TCP
    to_any: bool = False
    """Whether the rule at the target has to name any destination. It guards the target's subnet, so that it opens no more."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule of a security group."""

    name: str
    inbound: bool
    allow: bool
    priority: int
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    ports: tuple[str, ...]
    transport: Transport
    why: str


def flows(pods: str, outside: Iterable[int], operators: Iterable[str] = ()) -> list[Flow]:
    """Return the flows of the cluster, whatever stands in front of it.

    Args:
        pods: the range of pods.
        outside: ports of issuers' key sets and of the outside hosts that the egress gateway reaches.
        operators: ranges of connected networks from which the Kubernetes API is reached.
    """
    return [*_cluster(pods, outside), *_operators(operators)]


def flows_through_gateway(key_set_ports: Iterable[int]) -> list[Flow]:
    """Return the flows of an edge and a gateway outside the cluster.

    Args:
        key_set_ports: where the issuers' OpenID configurations and key sets are, which the gateway fetches.
    """
    return [*_chain(), *_edge(), *_gateway(sorted(key_set_ports))]


def flows_to_host(name: str, ranges: Iterable[str], port: int) -> Iterator[Flow]:
    """Yield the flows of nodes to an outside host that has private addresses: `name` of its egress."""
    why = f"the host of egress {name}"
    for number, target in enumerate(ranges, start=1):
        yield Flow(name=f"host-{name}-{number}", source=Subnet.NODES, target=target, ports=(str(port),), why=why)


def flows_to_pods() -> list[Flow]:
    """Return the flows to an edge of pods."""
    why = "clients reach the pods of the edge, and nothing else"
    return [Flow(name="clients", source=INTERNET, target=PUBLIC_ADDRESS, ports=("443",), why=why)]


def _chain() -> Iterator[Flow]:
    """Yield the way of a request."""
    https = ("443",)
    yield Flow(name="clients", source=INTERNET, target=Subnet.EDGE, ports=https, why="clients reach the WAF, and nothing else")
    yield Flow(name="edge-to-gateway", source=Subnet.EDGE, target=Subnet.GATEWAY, ports=https, why="only the WAF reaches the API gateway")
    yield Flow(
        name="gateway-to-ingress", source=Subnet.GATEWAY, target=Subnet.INGRESS, ports=https, why="only the gateway reaches the ingresses"
    )


def _edge() -> Iterator[Flow]:
    """Yield what an Application Gateway needs (Learn, `configuration-infrastructure`)."""
    at = Subnet.EDGE
    yield Flow(name="manage", source="GatewayManager", target=at, ports=("65200-65535",), why="Azure manages the gateway", to_any=True)
    yield Flow(
        name="health",
        source=LOAD_BALANCER,
        target=at,
        ports=(ANY,),
        why="Azure's health probes",
        transport=Transport.ANY,
        to_any=True,
    )
    yield Flow(name="edge-to-vault", source=Subnet.EDGE, target=Subnet.ENDPOINTS, ports=("443",), why="it fetches its certificate")
    yield Flow(
        name="itself",
        source=Subnet.EDGE,
        target=Subnet.EDGE,
        ports=(ANY,),
        why="its instances keep each other's state",
        transport=Transport.ANY,
    )
    yield Flow(
        name="outside", source=Subnet.EDGE, target=INTERNET, ports=(ANY,), why="Azure forbids to close this one", transport=Transport.ANY
    )


def _gateway(key_set_ports: Sequence[int]) -> Iterator[Flow]:
    """Yield what API Management needs inside a network (Learn, `virtual-network-reference`)."""
    at = Subnet.GATEWAY
    yield Flow(name="manage", source="ApiManagement", target=at, ports=("3443",), why="Azure manages the gateway")
    yield Flow(name="health", source=LOAD_BALANCER, target=at, ports=("6390",), why="Azure's health probes")
    yield Flow(name="counters", source=at, target=at, ports=("6380", "6381-6383"), why="its instances share cache and policies")
    yield Flow(name="limits", source=at, target=at, ports=("4290",), why="its instances count limits together", transport=Transport.UDP)
    for tag, ports, why in (
        ("Storage", ("443",), "its own files"),
        ("Sql", ("1433",), "its own configuration"),
        ("AzureKeyVault", ("443",), "its own secrets"),
        ("AzureActiveDirectory", ("443",), "its identity"),
        ("AzureMonitor", ("443", "1886"), "its logs"),
    ):
        yield Flow(name=tag.lower(), source=at, target=tag, ports=ports, why=why)
    yield Flow(name="gateway-to-vault", source=at, target=Subnet.ENDPOINTS, ports=("443",), why="the gateway's client certificate")
    yield Flow(name="revocation", source=at, target=INTERNET, ports=("80",), why="revocation lists of Microsoft's certificates")
    if key_set_ports:
        ports = tuple(map(str, key_set_ports))
        yield Flow(name="issuers", source=at, target=INTERNET, ports=ports, why="OpenID configurations and key sets of issuers")


def _cluster(pods: str, outside: Iterable[int]) -> Iterator[Flow]:
    """Yield what AKS needs with Azure CNI Overlay (Learn, `concepts-network-azure-cni-overlay`) and a projected API server."""
    at, api = Subnet.NODES, Subnet.API_SERVER
    every = (ANY,)
    yield Flow(name="nodes", source=at, target=at, ports=every, why="nodes among themselves", transport=Transport.ANY)
    yield Flow(name="nodes-to-pods", source=at, target=pods, ports=every, why="NetworkPolicies decide", transport=Transport.ANY)
    yield Flow(name="pods-to-nodes", source=pods, target=at, ports=every, why="NetworkPolicies decide", transport=Transport.ANY)
    yield Flow(name="pods", source=pods, target=pods, ports=every, why="NetworkPolicies decide", transport=Transport.ANY)
    yield Flow(name="health", source=LOAD_BALANCER, target=at, ports=every, why="Azure's health probes")
    yield Flow(name="api", source=at, target=api, ports=("443", "4443"), why="nodes reach the Kubernetes API")
    yield Flow(name="api-from-pods", source=pods, target=api, ports=("443", "4443"), why="controllers reach the Kubernetes API")
    yield Flow(name="api-health", source=LOAD_BALANCER, target=api, ports=("9988",), why="Azure's health probes")
    yield Flow(name="webhooks", source=api, target=at, ports=("10250",), why="logs and exec of pods, through the kubelet")
    yield Flow(name="webhooks-of-pods", source=api, target=pods, ports=every, why="the API asks webhooks in the cluster")
    yield Flow(name="nodes-to-vault", source=at, target=Subnet.ENDPOINTS, ports=("443",), why="the key of the nodes' disks")
    yield Flow(name="time", source=at, target=INTERNET, ports=("123",), why="the clock", transport=Transport.UDP)
    ports = tuple(map(str, sorted({443, *outside})))
    yield Flow(name="outside", source=at, target=INTERNET, ports=ports, why="images, Azure itself, and the hosts of the egress gateway")


def _operators(ranges: Iterable[str]) -> Iterator[Flow]:
    """Yield the ways of operators of a private cluster to its API."""
    why = "operators reach the Kubernetes API from a connected network"
    for number, each in enumerate(ranges, start=1):
        yield Flow(name=f"operators-{number}", source=each, target=Subnet.API_SERVER, ports=("443",), why=why)


def rules(subnet: Subnet, every: Iterable[Flow], addresses: Addresses, pods: str) -> list[Rule]:
    """Return the rules of a subnet's security group, in the order in which they decide; the last refuse what no flow allows."""
    here = {subnet, *((pods, Subnet.INGRESS, PUBLIC_ADDRESS) if subnet is Subnet.NODES else ())}
    found: list[Rule] = []
    for inbound in (True, False):
        chosen = [flow for flow in every if (flow.target if inbound else flow.source) in here]
        allowed = [_rule(flow, addresses, inbound=inbound) for flow in chosen]
        numbered = [replace(rule, priority=FIRST + STEP * index) for index, rule in enumerate(allowed)]
        found += [*numbered, *_refusal(subnet, inbound=inbound)]
    return found


def _rule(flow: Flow, addresses: Addresses, *, inbound: bool) -> Rule:
    return Rule(
        name=f"{'in' if inbound else 'out'}-{flow.name}",
        inbound=inbound,
        allow=True,
        priority=0,
        sources=_addresses(flow.source, addresses),
        targets=(ANY,) if flow.to_any else _addresses(flow.target, addresses),
        ports=flow.ports,
        transport=flow.transport,
        why=flow.why,
    )


def _refusal(subnet: Subnet, *, inbound: bool) -> Iterator[Rule]:
    """Yield the rule that refuses the rest.

    An Application Gateway may be refused no way out (Learn, `configuration-infrastructure`): the groups of the other subnets refuse it.
    """
    if subnet is Subnet.EDGE and not inbound:
        return
    yield Rule(
        name=f"{'in' if inbound else 'out'}-nothing-else",
        inbound=inbound,
        allow=False,
        priority=LAST,
        sources=(ANY,),
        targets=(ANY,),
        ports=(ANY,),
        transport=Transport.ANY,
        why="closed by default",
    )


def _addresses(end: Subnet | str, addresses: Addresses) -> tuple[str, ...]:
    return (addresses.of(end),) if isinstance(end, Subnet) else (end,)
