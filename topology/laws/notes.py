"""What is lawful and worth a look."""

from collections.abc import Iterator
from typing import Final

from topology.findings import Finding
from topology.laws.cycles import cycles
from topology.laws.law import SENSITIVE
from topology.model.base import ServiceName
from topology.model.cors import is_at_home
from topology.model.door import PublicAuth
from topology.model.system import Topology

MOST_NAMES: Final = 12
"""So many services are named in one note; the others are counted."""


def notes(t: Topology) -> tuple[Finding, ...]:
    """Return what a reviewer should know of a topology that keeps every law.

    Cycles of calls, roads from public doors to sensitive data, pages of clients' own machines, and services that run a demonstration.
    """
    return (*_cycles(t), *_roads(t), *_pages_at_home(t), *_demonstrations(t))


def _pages_at_home(t: Topology) -> Iterator[Finding]:
    """Yield the origins that are whatever listens on a client's own machine: one for those who write the page, and for nobody else."""
    for name, cors in t.cors.items():
        for index, origin in enumerate(cors.origins):
            if is_at_home(origin):
                reason = "is whatever listens there on a client's own machine, and its scripts may read what the client may"
                path = ("cors", name, "origins", index)
                yield Finding(path=path, given=origin, reason=reason, suggestion="keep it to topologies that only developers use")


def _demonstrations(t: Topology) -> Iterator[Finding]:
    """Yield one note on all services of which some version names no image."""
    names = [name for name, service in t.services.items() if any(about.image is None for about in service.versions.values())]
    if not names:
        return
    everybody = len(names) == len(t.services)
    who = "no service names an image" if everybody else f"no image is named by {', '.join(names[:MOST_NAMES])}{_more(names)}"
    reason = f"{who}: the demonstration image podinfo runs in its place"
    yield Finding(path=("services",), given=None, reason=reason, suggestion="write versions: {v1: {image: ...}} for what is yours")


def _more(names: list[str]) -> str:
    return f" and {len(names) - MOST_NAMES} others" if len(names) > MOST_NAMES else ""


def _cycles(t: Topology) -> Iterator[Finding]:
    for group in cycles(t):
        reason = f"can reach {', '.join(group[1:])} and be reached from there: these calls form a cycle"
        yield Finding(path=("services", group[0], "calls"), given=None, reason=reason)


def _roads(t: Topology) -> Iterator[Finding]:
    callees = {name: [*service.calls] for name, service in t.services.items()}
    for name, composition in t.compositions.items():
        callees[name] = [part.service for part in composition.parts.values()]
    for bridge in t.bridges.values():
        callees[bridge.source].append(bridge.target)
    for name, door in t.doors.items():
        if not isinstance(door.auth, PublicAuth):
            continue
        came_from: dict[ServiceName, ServiceName] = {door.service: ""}
        queue = [door.service]
        for service in queue:
            if service in t.services and t.services[service].data in SENSITIVE:
                road = [service]
                while came_from[road[0]]:
                    road.insert(0, came_from[road[0]])
                reason = f"is public, and {t.services[service].data} data is reached behind it: {' -> '.join(road)}"
                yield Finding(path=("doors", name, "auth"), given=None, reason=reason)
                continue
            for callee in callees[service]:
                if callee not in came_from:
                    came_from[callee] = service
                    queue.append(callee)
