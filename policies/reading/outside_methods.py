"""The methods that some request from outside may have."""

from typing import TYPE_CHECKING

from topology.edges import Direction
from topology.model.cors import PREFLIGHT

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def methods_from_outside(stack: "Stack") -> frozenset[str]:
    """Return the methods of doors, and that of preflights where browsers ask first at some door."""
    doors = {edge.method for edge in stack.expected if edge.direction is Direction.NORTH_SOUTH}
    return frozenset(doors | ({PREFLIGHT} if stack.preflights else set()))
