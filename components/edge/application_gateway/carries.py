"""What a topology may ask for and an Application Gateway cannot carry (Learn, `application-gateway-limits`)."""

from collections.abc import Iterator
from typing import Final

from components.binding import Binding
from components.edge.application_gateway.paths import paths
from topology.findings import Finding
from topology.model.system import Topology

MOST_HOSTS: Final = 100
"""Listeners that route requests, and settings of backends: one of each for a host."""
MOST_PATHS: Final = 100
"""Rules of one map of paths: one map for a host."""


def uncarried(binding: Binding, t: Topology) -> Iterator[Finding]:
    """Yield everything that cannot be carried: nothing is dropped silently."""
    del binding
    hosts = t.public_hosts()
    if len(hosts) > MOST_HOSTS:
        reason = f"are more than the {MOST_HOSTS} hosts of an application-gateway"
        yield Finding(path=("hosts",), given=len(hosts), reason=reason, suggestion="serve several from one host, told apart by their paths")
    for host in hosts:
        if (count := len(paths(t, host))) > MOST_PATHS:
            reason = f"need {count} rules for the paths of {host}; an application-gateway has at most {MOST_PATHS}"
            yield Finding(path=("doors",), given=len(t.doors), reason=reason, suggestion="gather paths under common beginnings")
