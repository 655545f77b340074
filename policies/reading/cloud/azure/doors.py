"""The topology's doors as far as requests at a place of the edge may be meant for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.reading.cloud.azure.application_gateway import Routed
from policies.reading.compare import pattern_of
from policies.reading.patterns import Pattern
from policies.reading.values import UnknownValueError
from topology.edges import Direction
from topology.model.base import seconds, size_in_bytes

if TYPE_CHECKING:
    from policies.reading.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Door:
    """One path of a door."""

    pattern: Pattern
    longest: int
    """Bytes of the longest body that it takes."""
    patience: float
    """Seconds that its clients wait for an answer."""


def doors_at(stack: "Stack", routed: Routed) -> Iterator[Door]:
    """Yield the doors of which requests may come to a rule."""
    t = stack.intent
    for edge in stack.expected:
        if edge.direction is not Direction.NORTH_SOUTH or (routed.listener.hosts and edge.host not in routed.listener.hosts):
            continue
        pattern = pattern_of(edge.entry)
        if any(_meet(pattern, each) for each in routed.patterns):
            found = [
                door
                for door in t.doors.values()
                if t.host_of(door) == edge.host and edge.entry in door.paths and edge.method in door.methods
            ]
            yield Door(
                pattern=pattern,
                longest=max((size_in_bytes(door.max_body) for door in found), default=0),
                patience=max((seconds(door.timeout) for door in found), default=0.0),
            )


def _meet(one: Pattern, other: Pattern) -> bool:
    try:
        return one.meet(other) is not None
    except UnknownValueError:
        return True
