"""What a topology may ask for and an Application Gateway cannot carry (Learn, `application-gateway-limits`).

It has room for 100 hosts: more than the API Management behind it has names for.
"""

from collections.abc import Iterator
from typing import Final

from components.binding import Binding
from components.edge.application_gateway.paths import paths
from topology.findings import Finding
from topology.model.system import Topology

MOST_PATHS: Final = 100
"""Rules of one map of paths: one map for a host."""


def uncarried(binding: Binding, t: Topology) -> Iterator[Finding]:
    """Yield everything that cannot be carried: nothing is dropped silently."""
    del binding
    for host in t.public_hosts():
        if (count := len(paths(t, host))) > MOST_PATHS:
            reason = f"is one of the {count} paths of its host; an application-gateway tells {MOST_PATHS} apart"
            name, door = next((name, door) for name, door in t.doors.items() if t.host_of(door) == host)
            yield Finding(
                path=("doors", name, "paths", 0), given=door.paths[0], reason=reason, suggestion="gather paths under common beginnings"
            )
