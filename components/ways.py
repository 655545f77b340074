"""The ways into a system: pairs of edge and gateway, each with the hosts that it serves. Most stacks have one.

A host has one address, so that all of its doors go the same way: the first, or the stack's alternative where the first cannot carry one
of them, by itself or beside the hosts before it.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass

from components import edge as edges
from components import gateway as gateways
from components.binding import IN_CLUSTER, Binding
from topology.findings import Finding, did_you_mean
from topology.model.base import HostName
from topology.model.door import ApiKeyAuth, JwtAuth
from topology.model.system import Topology


@dataclass(frozen=True, kw_only=True)
class Way:
    """One edge and the gateway behind it."""

    binding: Binding
    """Names these two."""
    t: Topology
    """The system as far as it is served here: the doors of some hosts, and what they need; services and calls are all there."""

    @property
    def in_cluster(self) -> bool:
        """Whether the gateway is pods of the cluster."""
        return self.binding.gateway in IN_CLUSTER


def ways(binding: Binding, t: Topology) -> tuple[Way, ...]:
    """Return the ways of a stack into a system."""
    first, other = binding.model_copy(update={"alternative": None}), binding.alternative
    lacking = _uncarried_hosts(first, t) if other else frozenset[HostName]()
    if other is None or not lacking:
        return (Way(binding=first, t=t),)
    second = first.model_copy(update={"edge": other.edge, "gateway": other.gateway})
    rest = frozenset(t.host_of(door) for door in t.doors.values()) - lacking
    if not rest:
        return (Way(binding=second, t=t),)
    return Way(binding=first, t=_serving(t, {*t.hosts, *rest} - lacking)), Way(binding=second, t=_serving(t, lacking))


def outside(binding: Binding, t: Topology) -> Topology | None:
    """Return what is served by a gateway outside the cluster."""
    return next((way.t for way in ways(binding, t) if not way.in_cluster), None)


def inside(binding: Binding, t: Topology) -> Topology | None:
    """Return what is served by a gateway that is pods of the cluster."""
    return next((way.t for way in ways(binding, t) if way.in_cluster), None)


def uncarried(binding: Binding, t: Topology) -> list[Finding]:
    """Return everything that a topology asks for and the products on the way of its host cannot carry."""
    chosen = ways(binding, t)
    found = [
        finding
        for way in chosen
        for finding in _uncarried(way.binding, way.t, "gateway" if way.binding.edge is binding.edge else "alternative.gateway")
    ]
    return [*found, *_unknown_hosts(binding, t)]


def _unknown_hosts(binding: Binding, t: Topology) -> Iterator[Finding]:
    """Yield the ways out whose addresses a stack file gives and that a topology does not have."""
    for name in binding.private_hosts:
        if name not in t.egress:
            reason = "is no egress, and the stack file says where its host is (`perimeter:privateHosts`)"
            yield Finding(path=("egress",), given=name, reason=reason, suggestion=did_you_mean(name, t.egress))


def _uncarried_hosts(binding: Binding, t: Topology) -> frozenset[HostName]:
    """Return the hosts that cannot stay: each is asked with those before it that do, since doors of two hosts may be in each other's way."""
    stay, go = set[HostName](), set[HostName]()
    for host in dict.fromkeys((*t.hosts, *t.public_hosts())):
        (go if _uncarried(binding, _serving(t, {*stay, host})) else stay).add(host)
    return frozenset(go)


def _uncarried(binding: Binding, t: Topology, key: str = "gateway") -> list[Finding]:
    """Return what edge and gateway of a binding cannot carry; `key` of the stack file says which gateway."""
    return [*gateways.uncarried(binding, t, key), *edges.uncarried(binding, t)]


def _serving(t: Topology, hosts: Set[HostName]) -> Topology:
    """Return a topology with the doors of some hosts alone; the order stays, and with it which host is the first."""
    doors = {name: door for name, door in t.doors.items() if t.host_of(door) in hosts}
    tiers = {tier for door in doors.values() for tier in (*door.tiers, *(door.auth.api_key if isinstance(door.auth, ApiKeyAuth) else ()))}
    issuers = {door.auth.jwt for door in doors.values() if isinstance(door.auth, JwtAuth)}
    first, *others = [host for host in (*t.hosts, *t.public_hosts()) if host in hosts]
    return t.model_copy(
        update={
            "hosts": tuple(dict.fromkeys((first, *others))),
            "doors": doors,
            "tiers": {name: tier for name, tier in t.tiers.items() if name in tiers},
            "consumers": {name: consumer for name, consumer in t.consumers.items() if consumer.tier in tiers},
            "issuers": {name: issuer for name, issuer in t.issuers.items() if name in issuers},
        }
    )
