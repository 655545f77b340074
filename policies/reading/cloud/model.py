"""Places in a cloud's network, the filters around them, and the stations that send requests on."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

from policies.reading.cloud.addresses import OUTSIDE, Addresses
from policies.reading.network import Decision
from policies.reading.resource import Resource

if TYPE_CHECKING:
    from policies.reading.certificates import Certificate
    from policies.reading.flow import Flow, Peer
    from policies.reading.services import Service
    from policies.reading.walk import Walk
    from topology.edges import Edge

Way = Literal["in", "out"]

EDGE: Final = "edge"
GATEWAY: Final = "gateway"


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Whom a filter lets through, and by which of its rules."""

    peers: Addresses
    by: str


class Filter(Protocol):
    """What lies around places and lets some connections through: a network security group, a security group, a network ACL."""

    @property
    def resource(self) -> Resource:
        """Return the resource it comes from."""
        ...

    def openings(self, way: Way, own: Addresses, port: int, transport: str = "TCP") -> Iterable[Opening]:
        """Return whom it lets through to a port of the peer (`out`) or of the addresses it guards (`in`), after all its rules.

        Raises:
            UnknownValueError: if a rule cannot be read.
        """
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Place:
    """Something with addresses in a cloud's network: a firewall, a gateway, nodes, the Kubernetes API."""

    name: str
    """As people name it: `ApplicationGateway agw-abc-dev`."""
    resource: Resource
    addresses: Addresses
    """Its private addresses, as narrow as the plan says them: those of its subnets; and the names by which filters know it."""
    filters: tuple[Filter, ...] = ()
    """All of them must let a connection pass."""

    def __str__(self) -> str:
        """Name the place."""
        return self.name


@dataclass(frozen=True, kw_only=True)
class Landing:
    """How requests arrive at a station."""

    port: int
    peer: "Peer"
    sender: Place | None
    """None for clients on the internet."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Station(ABC):
    """A place outside the cluster that reads requests and sends them on."""

    place: Place
    role: str
    """`edge` or `gateway`: the layer that it is."""

    @property
    def resource(self) -> Resource:
        """Return its resource."""
        return self.place.resource

    @abstractmethod
    def enter(self, walk: "Walk", flow: "Flow", landing: Landing) -> None:
        """Follow requests through it: refuse them, or send them on with `policies.reading.walk_cloud`.

        Raises:
            UnknownValueError: if something on the way cannot be read; the caller notes it as a doubt.
        """

    def ports(self) -> Iterable[int]:
        """Return the ports on which it serves requests."""
        return (443,)

    def bounds(self, door: "Edge") -> bool:
        """Say whether it limits how large a request for a door may be, whatever the gateway behind it does.

        Raises:
            UnknownValueError: if that cannot be read.
        """
        del door
        return False

    def __str__(self) -> str:
        """Name the station by its place."""
        return self.place.name


@dataclass(frozen=True, kw_only=True, eq=False)
class Entrance:
    """One public address of a cloud and what has it."""

    resource: Resource
    why: str
    """What makes it public: `PublicIPAddress pip-edge is at ApplicationGateway agw`."""
    place: Place | None
    """What is reached there; None where that is not known."""
    station: Station | None = None
    ports: tuple[int, ...] = ()
    """Ports that something listens on; empty: any."""
    fix: str = "remove it; only the edge has a public address"


@dataclass(frozen=True, kw_only=True, eq=False)
class Cloud:
    """Everything that the readers of one cloud found in a stack."""

    name: str = ""
    entrances: tuple[Entrance, ...] = ()
    places: tuple[Place, ...] = ()
    stations: tuple[Station, ...] = ()
    nodes: Place | None = None
    """Where the cluster's pods and load balancers receive connections from outside the cluster."""
    certificates: tuple["Certificate", ...] = ()
    """Certificates that no cert-manager makes: their `authority` is spelled as `Certificates` spells it."""
    authorities: Mapping[tuple[str, str], Resource] = field(default_factory=dict[tuple[str, str], Resource])
    """Secrets of the cluster (namespace, name) that hold an authority's key which the program itself makes, and what makes it."""

    callers: Mapping["Service", tuple[Place, ...]] = field(default_factory=dict["Service", tuple[Place, ...]])
    """Services that places outside the cluster send requests to, by design of the resources (load balancer, target group)."""

    published: Mapping["Service", Addresses] = field(default_factory=dict["Service", Addresses])
    """Services of the cluster behind a public load balancer that only passes connections on, each with its address as filters know it."""

    def of(self, role: str) -> tuple[Station, ...]:
        """Return the stations of a layer."""
        return tuple(station for station in self.stations if station.role == role)


NOTHING: Final = Cloud()


_Side = tuple[Filter, Way, Addresses, Addresses, Place]


def connection(source: Place | None, target: Place, port: int, *, at: Addresses | None = None, transport: str = "TCP") -> Decision:
    """Decide whether a place can connect to a port of another; `at` is the address asked for where it is not the target's own.

    None is the internet. Both sides' filters are asked, and all of each.

    Raises:
        UnknownValueError: if a filter cannot be read.
    """
    own, peers = at or target.addresses, source.addresses if source else OUTSIDE
    by: list[str] = []
    used: Resource | None = None
    leaving: list[_Side] = [(each, "out", source.addresses, own, source) for each in source.filters] if source else []
    coming: list[_Side] = [(each, "in", own, peers, target) for each in target.filters]
    for each, way, inside, beyond, place in (*leaving, *coming):
        found = next((opening for opening in each.openings(way, inside, port, transport) if opening.peers & beyond), None)
        if found is None:
            word, whom = ("to", str(target)) if way == "out" else ("from", str(source or "the internet"))
            reason = f"{each.resource}: nothing {way} of {place} {word} {whom} on port {port}"
            return Decision(allowed=False, by=(reason,), resource=each.resource)
        by.append(f"{each.resource}: {found.by}")
        used = each.resource
    return Decision(allowed=True, by=tuple(by) or (f"nothing filters connections to {target}",), resource=used)


def senders(target: Place, port: int, *, at: Addresses | None = None, transport: str = "TCP") -> Iterator[tuple[Addresses, str, Resource]]:
    """Yield whose connections reach a port of a place as far as its own filters go: peers, by which rule of which resource.

    A place without filters yields nothing: ask `target.filters`.
    """
    for index, each in enumerate(target.filters):
        for opening in each.openings("in", at or target.addresses, port, transport):
            peers = opening.peers
            for other in (*target.filters[:index], *target.filters[index + 1 :]):
                through = Addresses()
                for its in other.openings("in", at or target.addresses, port, transport):
                    through |= its.peers
                peers &= through
            if peers:
                yield peers, opening.by, each.resource
