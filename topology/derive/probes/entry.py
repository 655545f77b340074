"""The door that stands for a host where every door of it would answer alike."""

from collections.abc import Iterator

from topology.derive.probes.doors import requests_of
from topology.derive.probes.examples import Operation, protocol_of
from topology.model.base import HostName, Name
from topology.model.door import JwtAuth, PublicAuth
from topology.model.service import Protocol
from topology.model.system import Topology
from topology.paths import is_prefix


def representatives(t: Topology) -> Iterator[tuple[HostName, Name, Operation]]:
    """Yield for each host one plain HTTP door and one of its operations.

    A door with a token before others, because each token is a client of its own and no limit is met; then one with a wide path.
    """
    for host in t.public_hosts():
        candidates = [
            (_rank(t, name, operation), name, operation)
            for name, door in t.doors.items()
            if t.host_of(door) == host and protocol_of(t, door.service) is Protocol.HTTP
            for operation in requests_of(t, door)
        ]
        if candidates:
            _, name, operation = min(candidates)
            yield host, name, operation


def _rank(t: Topology, name: Name, operation: Operation) -> tuple[bool, bool, bool, bool, bool]:
    door = t.doors[name]
    return (
        isinstance(door.auth, PublicAuth),
        not isinstance(door.auth, JwtAuth),
        name in t.compositions or door.cache is not None or door.service in t.compositions,
        operation.method != "GET",
        not is_prefix(operation.pattern),
    )
