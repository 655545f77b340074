"""Follow requests between the stations of a cloud, and from them into the cluster, past every filter of its network."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.reading.cloud.addresses import Addresses
from policies.reading.cloud.model import Entrance, Landing, Place, Station, connection
from policies.reading.exposure import Exposure
from policies.reading.flow import PLAIN, Flow, Peer, Sending
from policies.reading.requests import Requests
from policies.reading.services import Service
from topology.edges import INTERNET

if TYPE_CHECKING:
    from policies.reading.walk import Walk


def from_entrances(walk: "Walk") -> None:
    """Follow everything that can come in at a cloud's public addresses."""
    for entrance in walk.stack.cloud.entrances:
        start = Flow(source=INTERNET, requests=Requests()).hop(INTERNET, entrance.why, entrance.resource)
        station = entrance.station
        if station is None:
            walk.reach(start, f"whatever stands behind {entrance.place or entrance.resource}")
            continue
        walk.reading(start, station.resource, lambda e=entrance, s=station, start=start: _come_in(walk, e, s, start))


def to_published(walk: "Walk", start: Flow, exposure: Exposure) -> Flow | None:
    """Follow clients to the public address of a Service, past the filters around the nodes; None where those let nobody in.

    Without a cloud, or where the address is not of the program, nothing is known that would refuse them.
    """
    cloud, resource = walk.stack.cloud, exposure.resource
    service = walk.stack.service(resource.namespace, resource.name) if exposure.asked else None
    at = cloud.published.get(service) if service else None
    if at is None or cloud.nodes is None:
        return start
    place = f"the public address of {service} port {exposure.asked}"
    decision = connection(None, cloud.nodes, exposure.asked, at=at)
    if not decision.allowed:
        walk.refuse(start, place, "; ".join(decision.by), decision.resource)
        return None
    return start.hop(place, "; ".join(decision.by), decision.resource)


def _come_in(walk: "Walk", entrance: Entrance, station: Station, start: Flow) -> None:
    for port in entrance.ports or station.ports():
        to_station(walk, start, None, station, Landing(port=port, peer=Peer(tls=True), sender=None))


def to_station(walk: "Walk", flow: Flow, sender: Place | None, station: Station, landing: Landing) -> None:
    """Follow requests from a place (None: the internet) to a station, if the filters let them."""
    place = f"{station} port {landing.port}"
    decision = connection(sender, station.place, landing.port)
    if not decision.allowed:
        walk.refuse(flow, place, "; ".join(decision.by), decision.resource)
        return
    onward = flow.hop(place, "; ".join(decision.by), decision.resource)
    walk.reading(onward, station.resource, lambda: station.enter(walk, onward, landing))


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a place outside the cluster asks of a Service."""

    sender: Place
    service: Service
    port: int | str
    peer: Peer = PLAIN
    at: Addresses | None = None
    """The address asked for, where a load balancer keeps it on the way: filters then see the Service's own port.

    Without it the sender connects to the pods themselves, on their port.
    """


def to_service(walk: "Walk", flow: Flow, call: Call) -> None:
    """Follow requests from a place outside the cluster to the pods of a Service, past the filters around nodes or pods."""
    nodes, service, wanted = walk.stack.cloud.nodes, call.service, call.service.port(call.port)
    if nodes is None:
        walk.doubt(flow, call.sender.resource, f"{call.sender} sends requests to {service}, and where the cluster's nodes are is not known")
        return
    if wanted is not None:
        own = {number for pod in service.pods if (number := pod.port_number(wanted.target)) is not None}
        for number in sorted({wanted.port} if call.at is not None else own):
            decision = connection(call.sender, nodes, number, at=call.at)
            if not decision.allowed:
                walk.refuse(flow, f"{service} port {number}", "; ".join(decision.by), decision.resource)
                return
            flow = flow.hop(f"{nodes} port {number}", "; ".join(decision.by), decision.resource)
    walk.to_service(flow, Sending(pods=(), peer=call.peer, place=call.sender), service, call.port)
