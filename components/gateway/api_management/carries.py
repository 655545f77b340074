"""What API Management cannot carry, as far as it takes knowledge of it to see it in a topology.

The sentences that people read are in `components.gateway.capabilities`. Where they come from:

* WebSocket: `set-header` does not change `Host` in `onHandshake` requests (Learn, `websocket-api`, limitations, 2026-03), so that a request
  would arrive at the mesh ingress without the host by which it chooses the door. And no page says that a WebSocket backend is shown the
  certificate of `authentication-certificate`, without which the ingress accepts nobody.
* gRPC: the self-hosted gateway alone has gRPC APIs (Learn, `grpc-api`). No other gateway could stand in its place: Application Gateway
  speaks HTTP/1.1 to whatever is behind it (Learn, `application-gateway/features`, "WebSocket and HTTP/2 traffic").
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from components.gateway.api_management.apis import groups
from components.gateway.api_management.expressions import MARKS
from components.gateway.api_management.policies import FIXED
from components.gateway.routes import speaks
from topology.findings import KeyPath
from topology.model.base import Name, seconds
from topology.model.door import ApiKeyAuth
from topology.model.service import Protocol
from topology.model.system import Topology
from topology.paths import overlap

MOST_HOSTS: Final = 20
"""Domain names of one service (Azure pricing, API Management, 2026-09; azure-docs, `api-management-service-limits`, 2025-08)."""
LONGEST_WAIT: Final = 240
"""Seconds after which the network between gateway and mesh drops a silent connection (Learn, `forward-request-policy`)."""


def doors_of(t: Topology, protocol: Protocol) -> Iterator[tuple[Name, str]]:
    """Yield doors to services of a protocol, with the service."""
    yield from ((name, door.service) for name, door in t.doors.items() if speaks(t, door) is protocol)


def mixed_credentials(t: Topology) -> Iterator[Name]:
    """Yield doors that share an API with doors of the other kind: an API asks for keys or it does not."""
    for doors in groups(t).values():
        keyed = [name for name in doors if isinstance(t.doors[name].auth, ApiKeyAuth)]
        if keyed and len(keyed) < len(doors):
            yield from keyed


def mixed_versions(t: Topology) -> Iterator[Name]:
    """Yield doors that share an API's path with doors whose version is told in another way: a path has one way."""
    for doors in groups(t).values():
        headers = {name: found[0] if (found := t.version_header(t.doors[name])) else "" for name in doors}
        if len(set(headers.values())) > 1:
            yield from (name for name, header in headers.items() if header)


def same_on_two_hosts(t: Topology) -> Iterator[tuple[Name, Name]]:
    """Yield doors that only their host tells apart: an operation is chosen by path and method."""
    for one, other in combinations(t.doors, 2):
        a, b = t.doors[one], t.doors[other]
        if t.host_of(a) == t.host_of(b) or not set(a.methods) & set(b.methods) or t.version_header(a) != t.version_header(b):
            continue
        if any(overlap(x, y) for x in a.paths for y in b.paths):
            yield other, one


def crowded_hosts(t: Topology) -> Iterator[Name]:
    """Yield doors of hosts for which a service has no name left."""
    rest = [*dict.fromkeys((*t.hosts, *t.public_hosts()))][MOST_HOSTS:]
    yield from (name for name, door in t.doors.items() if t.host_of(door) in rest)


def unasked_versions(t: Topology) -> Iterator[Name]:
    """Yield doors with `cors` whose version is told by a header: a preflight has none, and is led to no API (Learn, `cors-policy`)."""
    yield from (name for name, door in t.doors.items() if door.cors and t.version_header(door))


def long_waits(t: Topology) -> Iterator[tuple[Name, str]]:
    """Yield doors that may take longer than a connection lives."""
    yield from ((name, door.timeout) for name, door in t.doors.items() if seconds(door.timeout) > LONGEST_WAIT)


def fixed_headers(t: Topology) -> Iterator[KeyPath]:
    """Yield headers of a door that no policy may touch."""
    for name, door in t.doors.items():
        for side, edit in (("requestHeaders", door.request_headers), ("responseHeaders", door.response_headers)):
            yield from (("doors", name, side, "set", header) for header in edit.set if header in FIXED)
            yield from (("doors", name, side, "remove", index) for index, header in enumerate(edit.remove) if header in FIXED)


def expressions(t: Topology) -> Iterator[KeyPath]:
    """Yield headers whose values a policy would read as an expression."""
    for name, door in t.doors.items():
        for side, edit in (("requestHeaders", door.request_headers), ("responseHeaders", door.response_headers)):
            for header, value in edit.set.items():
                if any(mark in value for mark in MARKS):
                    yield "doors", name, side, "set", header
