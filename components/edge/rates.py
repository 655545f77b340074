"""How often one address may knock: the edge's own bound, wide enough for every tier and narrow enough to matter."""

import math
from dataclasses import dataclass
from typing import Final

from topology.model.service import Rate
from topology.model.system import Topology

SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600}

NO_TIER: Final = Rate(requests=1, per="second")
"""For a system without tiers, and so without doors."""

CLIENTS_PER_ADDRESS: Final = 4
"""Clients behind one address (an office, a mobile carrier) that may each use a whole tier at once."""


@dataclass(frozen=True, kw_only=True)
class AddressLimit:
    """Requests per second from one address, and how many more at once."""

    per_second: int
    burst: int


def address_limit(t: Topology) -> AddressLimit:
    """Return a limit that no single client of any tier can reach: who is stopped here is not one client but a flood."""
    rates = [rate for tier in t.tiers.values() for rate in tier.limits] or [NO_TIER]
    return AddressLimit(
        per_second=CLIENTS_PER_ADDRESS * max(math.ceil(rate.requests / SECONDS[rate.per]) for rate in rates),
        burst=max(rate.requests + rate.burst for rate in rates),
    )
