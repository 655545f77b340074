"""The doors' paths as rules of a listener: coarser than the doors, and nothing beside them.

In a rule `*` stands for any characters, slashes among them, so a segment of any name lets longer paths through too. The gateway, which
knows the whole pattern, refuses those.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from components.edge.patterns import narrowest_first
from topology.model.base import HostName, Name
from topology.model.service import Protocol, Service
from topology.model.system import Topology
from topology.paths import ANY_SEGMENT

MOST_VALUES: Final = 5
"""Hosts and paths of a rule together, at most (ELB User Guide, `load-balancer-limits`: condition values per rule)."""
MOST_WILDCARDS: Final = 5
"""`*` and `?` of a rule, at most (ditto: condition wildcards per rule)."""
_UNSAYABLE: Final = re.compile(r"[^A-Za-z0-9_.$/~@:+&*-]")
"""All but the characters that a path condition may hold (ELB User Guide, `rule-condition-types`)."""
LONGEST_HOST: Final = 128
"""Characters of a host in a rule, at most (ELB API Reference, `HostHeaderConditionConfig`)."""
LONGEST_PATH: Final = 128
"""Characters of a path in a rule, at most (ELB API Reference, `PathPatternConditionConfig`)."""
MOST_RULES: Final = 100
"""Of a load balancer, not counting the default ones (ditto)."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Some paths of one host that go to one target group."""

    host: HostName
    paths: tuple[str, ...]
    grpc: bool


def is_grpc(t: Topology, name: Name) -> bool:
    """Say whether a door leads to a service that speaks gRPC, to which the load balancer must speak HTTP/2."""
    workload = t.workload(t.doors[name].service)
    return isinstance(workload, Service) and workload.protocol is Protocol.GRPC


def rules(t: Topology) -> list[Rule]:
    """Return the rules in the order in which they decide: narrower paths first, neighbours with one target group together."""
    return [rule for host in t.public_hosts() for rule in _rules_of(t, host)]


def coarse(pattern: str) -> str:
    """Return the pattern as a listener's rule says it; `?` stands for the one character that a rule cannot name."""
    return _UNSAYABLE.sub("?", pattern.replace(ANY_SEGMENT, "*"))


def wildcards(path: str) -> int:
    """Return how many wildcards a path of a rule holds."""
    return path.count("*") + path.count("?")


def _rules_of(t: Topology, host: HostName) -> Iterable[Rule]:
    spoken: dict[str, bool] = {}
    for name, door in t.doors.items():
        if t.host_of(door) == host:
            spoken |= dict.fromkeys(door.paths, is_grpc(t, name))
    found: list[Rule] = []
    for path in narrowest_first(spoken):
        before = found[-1] if found else None
        if before and before.grpc is spoken[path] and _fits((*before.paths, coarse(path))):
            found[-1] = Rule(host=host, paths=(*before.paths, coarse(path)), grpc=before.grpc)
        else:
            found.append(Rule(host=host, paths=(coarse(path),), grpc=spoken[path]))
    return found


def _fits(paths: tuple[str, ...]) -> bool:
    return len(paths) < MOST_VALUES and sum(map(wildcards, paths)) <= MOST_WILDCARDS
