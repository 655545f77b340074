"""How long an Application Load Balancer waits for answers of the layers behind it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.aws.balancers import is_application
from policies.reading.cloud.flaws import Flaw
from policies.reading.resource import Resource
from policies.reading.slack import misfit
from topology.model.base import seconds

if TYPE_CHECKING:
    from policies.reading.stack import Stack

UNSAID: Final = 60
"""Seconds that it waits where nothing is said (ELB User Guide, `edit-load-balancer-attributes`, connection idle timeout)."""
QUIET: Final = 300.0
"""Seconds for which a stream behind it may say nothing: Envoy's default (envoy.config.route.v3, `stream_idle_timeout` of
HttpConnectionManager: 5 minutes). The load balancer has one timeout for answers and for silence."""


def waits_as_doors_do(balancer: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W13: who waits too long keeps connections for whoever never answers, and who does not wait breaks doors."""
    if not is_application(balancer):
        return
    longest = max((seconds(door.timeout) for door in stack.intent.doors.values()), default=0.0)
    if wrong := misfit(int(balancer.at("idleTimeout", default=UNSAID)), longest, quiet=QUIET):
        yield Flaw(message=f"{wrong} (idleTimeout)", fix=f"give the timeout of the slowest door and a second, or {QUIET:g}")
