"""Sample requests for the doors of a topology."""

from typing import TYPE_CHECKING

from policies.reading.cloud.aws.statements import Sample
from policies.reading.door_samples import sample_path
from topology.edges import ANY_METHOD, Direction, Edge

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def doors_of(stack: "Stack") -> list[Edge]:
    """Return what the topology lets in, in a fixed order."""
    return sorted((edge for edge in stack.expected if edge.direction is Direction.NORTH_SOUTH), key=str)


def sample_of(door: Edge, *, method: str = "", headers: tuple[str, ...] = ()) -> Sample:
    """Return a request for a door, with another method or with headers of some names where they are given."""
    usual = "GET" if door.method == ANY_METHOD else door.method
    shown = tuple((name, "sample") for name in headers)
    return Sample(method=method or usual, host=door.host, path=sample_path(door.entry), headers=shown)
