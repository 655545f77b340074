"""Bodies: one byte more than a door takes is refused before anything behind the edge reads it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from topology.derive.probes.doors import entering, probe, requests_of
from topology.derive.probes.examples import WITH_BODY, Operation, protocol_of
from topology.derive.probes.expectation import Refused
from topology.derive.probes.layer import FRONT
from topology.derive.probes.probe import Family, Probe
from topology.model.base import Name, size_in_bytes
from topology.model.door import Door
from topology.model.service import Protocol
from topology.model.system import Topology
from topology.paths import overlap

SENT: Final = 4 * 1024 * 1024
"""Bytes that a probe really sends, at most; a longer body is only announced, which not every edge answers."""
TOO_LONG: Final = (403, 413)
"""413 Content Too Large (RFC 9110, 15.5.14); firewalls of clouds say 403."""


def lengths(t: Topology) -> Iterator[Probe]:
    """Yield a body that is too long, at the door of the system that takes the least."""
    if not (found := min(_candidates(t), default=None)):
        return
    limit, _, name, operation = found
    asked = entering(t, name, operation, "too long")
    longer = replace(asked, headers=(*asked.headers, ("content-length", str(limit + 1))), body="x" * (limit + 1) if limit < SENT else "")
    refused = Refused(by=FRONT, statuses=TOO_LONG)
    yield probe(t, name, Family.DOORS, "too long a body", longer, refused, f"door {name} takes {limit} bytes at most")


def _candidates(t: Topology) -> Iterator[tuple[int, bool, Name, Operation]]:
    """Yield HTTP doors with the most that any door of the same paths takes, which the edge cannot tell apart; those that write first."""
    for name, door in t.doors.items():
        if protocol_of(t, door.service) is Protocol.HTTP:
            operation = min(requests_of(t, door), key=lambda operation: operation.method not in WITH_BODY)
            most = max(size_in_bytes(other.max_body) for other in t.doors.values() if _meet(t, door, other))
            yield most, operation.method not in WITH_BODY, name, operation


def _meet(t: Topology, door: Door, other: Door) -> bool:
    return t.host_of(door) == t.host_of(other) and any(overlap(one, two) for one in door.paths for two in other.paths)
