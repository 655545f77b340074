"""How long a connection may be silent: the load balancer drops it after that, whatever nginx waits for."""

import math
from typing import Final

from components.edge.nginx.config import MARGIN, WEBSOCKET_IDLE
from topology.model.base import Name, seconds
from topology.model.system import Topology

LEAST: Final = 4
LONGEST: Final = 100
"""Minutes (Learn, `load-balancer-tcp-idle-timeout`)."""


def silence(t: Topology, name: Name) -> int:
    """Return the minutes for which nginx keeps a silent connection of a door, and one more."""
    return math.ceil((max(WEBSOCKET_IDLE, seconds(t.doors[name].timeout)) + MARGIN) / 60)


def minutes(t: Topology) -> int:
    """Return the timeout that suits every door."""
    return max([LEAST, *(silence(t, name) for name in t.doors)])
