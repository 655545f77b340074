"""What both stations of Azure do: they call whatever is at a name or address."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.reading.cloud.model import Landing, Station
from policies.reading.flow import Flow, Peer
from policies.reading.walk_cloud import Call, to_service, to_station

if TYPE_CHECKING:
    from policies.reading.cloud.azure.view import Azure
    from policies.reading.walk import Walk


@dataclass(frozen=True, kw_only=True, eq=False)
class AzureStation(Station):
    """An Application Gateway or an API Management service."""

    azure: "Azure"

    def call(self, walk: "Walk", flow: Flow, host: str, port: int, peer: Peer) -> None:
        """Follow requests to a port of a host, asked inside the network: another station, a load balancer of the cluster, or outside.

        Raises:
            UnknownValueError: if it cannot be told what the host is.
        """
        found = self.azure.at(host)
        if isinstance(found, Station):
            to_station(walk, flow, self.place, found, Landing(port=port, peer=peer, sender=self.place))
        elif found is not None:
            to_service(walk, flow, Call(sender=self.place, service=found.service, port=port, peer=peer, at=found.at))
        else:
            walk.reach(flow, f"whatever is at {host}")
