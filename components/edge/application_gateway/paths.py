"""The doors' paths as Application Gateway knows them: coarser than the doors, and nothing beside them."""

from dataclasses import dataclass

from components.edge.patterns import narrowest_first
from topology.model.base import HostName, Name
from topology.model.system import Topology
from topology.paths import ANY_SEGMENT


@dataclass(frozen=True, kw_only=True)
class Path:
    """One path of a host, with the doors that may answer there."""

    path: str
    """A path, or the beginning of one that ends with `*`."""
    doors: tuple[Name, ...]


def paths(t: Topology, host: HostName) -> list[Path]:
    """Return the paths of a host, in the order in which they decide: narrower ones first.

    `*` can stand last only, so a pattern with a segment of any name becomes the beginning before it. What that lets through too is
    refused by the gateway, which knows the whole pattern.
    """
    found: dict[str, list[Name]] = {}
    for name, door in t.doors.items():
        if t.host_of(door) == host:
            for pattern in door.paths:
                members = found.setdefault(coarse(pattern), [])
                if name not in members:
                    members.append(name)
    return [Path(path=path, doors=tuple(found[path])) for path in narrowest_first(found)]


def coarse(pattern: str) -> str:
    """Return the narrowest path without a segment of any name that covers a pattern."""
    before, any_segment, _ = pattern.partition(ANY_SEGMENT)
    return f"{before}*" if any_segment else pattern
