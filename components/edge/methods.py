"""The methods that an edge lets pass: those of doors, and that of preflights where a door has some answered."""

from collections.abc import Collection

from topology.model.base import HttpMethod
from topology.model.cors import PREFLIGHT
from topology.model.door import Door


def taken(doors: Collection[Door]) -> tuple[HttpMethod, ...]:
    """Return the methods of some doors, sorted. The edge does not tell preflights from others of their method: the gateway does."""
    found: set[HttpMethod] = {method for door in doors for method in door.methods}
    found.update(PREFLIGHT for door in doors if door.cors)
    return tuple(sorted(found))
