"""How long the load balancer waits: each layer longer than the one behind it, so that the answer to a slow service is that layer's own."""

import math
from typing import Final

from components.binding import Binding
from components.edge.nginx.config import MARGIN as NGINX_MARGIN
from components.placement import has_nginx_behind_balancer
from topology.model.base import seconds
from topology.model.system import Topology

MARGIN: Final = 1.0
"""Seconds that it waits longer than its targets."""
LEAST_IDLE: Final = 300.0
"""Seconds without a byte after which a connection is closed, at least: Envoy's default for idle streams behind."""


def margin(binding: Binding, t: Topology) -> float:
    """Return the seconds that it waits longer than the gateway."""
    return MARGIN + (NGINX_MARGIN if has_nginx_behind_balancer(binding, t) else 0.0)


def idle(binding: Binding, t: Topology) -> int:
    """Return the seconds for which it waits for an answer, and keeps an unused connection."""
    longest = max((seconds(door.timeout) for door in t.doors.values()), default=0.0)
    return math.ceil(max(LEAST_IDLE, longest + margin(binding, t)))
