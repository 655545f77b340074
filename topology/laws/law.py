"""What a law is, and what laws share."""

from collections.abc import Callable, Iterator

from topology.findings import Finding
from topology.model.door import Door
from topology.model.service import DataClass
from topology.model.system import Topology

Law = Callable[[Topology], Iterator[Finding]]
"""Returns every way a topology breaks it. Laws do not depend on each other: each passes over names that are not defined."""

SENSITIVE = frozenset({DataClass.PERSONAL, DataClass.HEALTH, DataClass.PAYMENT})
"""Data about people and their money."""


def behind(t: Topology, door: Door) -> tuple[str, ...]:
    """Return the services whose answers a door gives: its own, or the parts of its composition."""
    if door.service in t.compositions:
        return tuple(part.service for part in t.compositions[door.service].parts.values() if part.service in t.services)
    return (door.service,) if door.service in t.services else ()
