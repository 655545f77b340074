"""What a topology may ask for and an Application Load Balancer cannot carry, with the gateway behind it and the settings around it."""

from collections.abc import Iterator
from typing import Final

from components.binding import Binding, GatewayKind
from components.edge.application_load_balancer.paths import LONGEST_PATH, MOST_RULES, coarse, rules
from topology.findings import Finding
from topology.model.base import seconds
from topology.model.door import PublicAuth
from topology.model.system import Topology

LONGEST_IDLE: Final = 4000
"""Seconds (ELB User Guide, `application-load-balancers`, idle timeout)."""
MOST_NAMES: Final = 10
"""Of a certificate, unless AWS was asked for more (ACM User Guide, `acm-limits`)."""
EDGE: Final = "application-load-balancer"


def uncarried(binding: Binding, t: Topology) -> Iterator[Finding]:
    """Yield everything that cannot be carried: nothing is dropped silently."""
    yield from _caches(binding, t)
    yield from _doors(t)
    yield from _hosts(binding, t)
    if (count := len(rules(t))) > MOST_RULES:
        reason = f"need {count} rules of the {EDGE}, which has at most {MOST_RULES}"
        yield Finding(path=("doors",), given=len(t.doors), reason=reason, suggestion="gather paths under common beginnings")


def _caches(binding: Binding, t: Topology) -> Iterator[Finding]:
    if binding.gateway is GatewayKind.KONG:
        return
    for name, door in t.doors.items():
        if door.cache and isinstance(door.auth, PublicAuth):
            yield Finding(
                path=("doors", name, "cache"),
                given=None,
                reason=f"asks for a cache of a public door, but neither {EDGE} nor {binding.gateway} keeps answers",
                suggestion="remove the cache; or set `perimeter:gateway: kong` in the stack file, which keeps them, if it carries the rest",
            )


def _doors(t: Topology) -> Iterator[Finding]:
    for name, door in t.doors.items():
        if seconds(door.timeout) >= LONGEST_IDLE:
            reason = f"is longer than {EDGE} waits, which is {LONGEST_IDLE} seconds"
            yield Finding(path=("doors", name, "timeout"), given=door.timeout, reason=reason, suggestion="answer sooner")
        for number, path in enumerate(door.paths):
            if len(coarse(path)) > LONGEST_PATH:
                reason = f"is longer than a rule of {EDGE} can say, which is {LONGEST_PATH} characters"
                yield Finding(
                    path=("doors", name, "paths", number), given=path, reason=reason, suggestion="shorten it, or end it sooner with *"
                )


def _hosts(binding: Binding, t: Topology) -> Iterator[Finding]:
    if binding.aws and not binding.aws.certificate and len(t.public_hosts()) > MOST_NAMES:
        reason = f"are more than the {MOST_NAMES} names that a certificate of ACM holds"
        yield Finding(path=("hosts",), given=len(t.public_hosts()), reason=reason, suggestion="give `perimeter:aws.certificate`")
