"""From where a probe asks.

Every guard is asked from where it alone stands in the way: a call that three guards refuse says nothing about any one of them.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from topology.derive.probes.pods import Pods, pods_of
from topology.model.base import Name, ServiceName
from topology.model.system import Topology


class Place(StrEnum):
    """Where a probe is put from."""

    OUTSIDE = "client"
    """A machine outside the cluster, at the public address."""
    POD = "pod"
    """Beside the container of a pod, and so through its sidecar where it has one."""
    UNCAPTURED = "pod past its sidecar"
    """The same, as the sidecar's own user, whose traffic is not captured."""
    STRANGER = "pod outside every mesh"
    MEMBER = "pod of a mesh, no service of it"
    NODE = "node"
    """A pod on the network of its node: most enforcers of NetworkPolicy let it pass."""


@dataclass(frozen=True, kw_only=True, order=True)
class Vantage:
    """A place, with the pods or the mesh that make it one."""

    place: Place
    pods: Pods | None = None
    mesh: Name = ""

    def __str__(self) -> str:
        """Return the place in words."""
        match self.place:
            case Place.POD:
                return f"pod {self.pods}"
            case Place.UNCAPTURED:
                return f"pod {self.pods} past its sidecar"
            case Place.MEMBER:
                return f"stranger in mesh {self.mesh}"
            case Place.STRANGER:
                return "stranger in the cluster"
            case _:
                return str(self.place)


OUTSIDE: Final = Vantage(place=Place.OUTSIDE)
STRANGER: Final = Vantage(place=Place.STRANGER)
NODE: Final = Vantage(place=Place.NODE)


def inside(t: Topology, name: ServiceName) -> Vantage:
    """Return the vantage of a service's pod."""
    return Vantage(place=Place.POD, pods=pods_of(t, name))


def uncaptured(t: Topology, name: ServiceName) -> Vantage:
    """Return the vantage of a service's pod past its sidecar."""
    return Vantage(place=Place.UNCAPTURED, pods=pods_of(t, name))
