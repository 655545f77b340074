"""What a topology may ask for and an Application Load Balancer cannot carry, with the gateway behind it and the settings around it."""

from collections.abc import Iterator
from typing import Final

from components.binding import Binding
from components.edge.application_load_balancer.certificate_name import LONGEST_FIRST_NAME, first_name
from components.edge.application_load_balancer.paths import LONGEST_HOST, LONGEST_PATH, MOST_RULES, MOST_WILDCARDS, coarse, rules, wildcards
from components.edge.application_load_balancer.waits import margin
from topology.findings import Finding
from topology.model.base import seconds
from topology.model.system import Topology

LONGEST_IDLE: Final = 4000
"""Seconds (ELB User Guide, `application-load-balancers`, idle timeout)."""
MOST_NAMES: Final = 10
"""Of a certificate, unless AWS was asked for more (ACM User Guide, `acm-limits`)."""
EDGE: Final = "application-load-balancer"


def uncarried(binding: Binding, t: Topology) -> Iterator[Finding]:
    """Yield everything that cannot be carried: nothing is dropped silently."""
    yield from _doors(binding, t)
    yield from _hosts(binding, t)
    if (count := len(rules(t))) > MOST_RULES:
        reason = f"need {count} rules of the {EDGE}, which has at most {MOST_RULES}"
        yield Finding(path=("doors",), given=len(t.doors), reason=reason, suggestion="gather paths under common beginnings")


def _doors(binding: Binding, t: Topology) -> Iterator[Finding]:
    most = LONGEST_IDLE - margin(binding, t)
    for name, door in t.doors.items():
        if seconds(door.timeout) > most:
            reason = f"is longer than {EDGE} can wait for the layers behind it, which is {most:g} seconds"
            yield Finding(path=("doors", name, "timeout"), given=door.timeout, reason=reason, suggestion="answer sooner")
        for number, path in enumerate(door.paths):
            if len(coarse(path)) > LONGEST_PATH:
                reason = f"is longer than a rule of {EDGE} can say, which is {LONGEST_PATH} characters"
                yield Finding(
                    path=("doors", name, "paths", number), given=path, reason=reason, suggestion="shorten it, or end it sooner with *"
                )
            if wildcards(coarse(path)) > MOST_WILDCARDS:
                reason = f"needs more wildcards than a rule of {EDGE} has, which is {MOST_WILDCARDS}: a {{*}}, a * and a special character take one"
                yield Finding(path=("doors", name, "paths", number), given=path, reason=reason, suggestion="end it sooner with *")


def _hosts(binding: Binding, t: Topology) -> Iterator[Finding]:
    for host in t.public_hosts():
        if len(host) > LONGEST_HOST:
            reason = f"is longer than a rule of {EDGE} can say, which is {LONGEST_HOST} characters"
            yield Finding(path=("hosts",), given=host, reason=reason, suggestion="shorten it")
    if binding.aws and not binding.aws.certificate and t.public_hosts() and first_name(t.public_hosts()) is None:
        reason = f"are all longer than the first name of a certificate of ACM can be, which is {LONGEST_FIRST_NAME} characters"
        yield Finding(
            path=("hosts",), given=len(t.public_hosts()), reason=reason, suggestion="shorten one, or give `perimeter:aws.certificate`"
        )
    if binding.aws and not binding.aws.certificate and len(t.public_hosts()) > MOST_NAMES:
        reason = f"are more than the {MOST_NAMES} names that a certificate of ACM holds"
        yield Finding(path=("hosts",), given=len(t.public_hosts()), reason=reason, suggestion="give `perimeter:aws.certificate`")
