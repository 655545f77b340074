"""The limits of tiers in the words that every gateway knows: so many requests in a window of time.

Each client is counted by itself, at each door by itself.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from topology.model.base import Name
from topology.model.door import ApiKeyAuth, Door, Tier
from topology.model.system import Topology


class Unit(StrEnum):
    """Length of a window."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


NEXT: Final = {Unit.SECOND: Unit.MINUTE, Unit.MINUTE: Unit.HOUR, Unit.HOUR: Unit.DAY}
TIMES: Final = {Unit.SECOND: 60, Unit.MINUTE: 60, Unit.HOUR: 24}
"""So many windows make one of the next length."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """At most so many requests in one window."""

    requests: int
    unit: Unit


def windows(tier: Tier) -> list[Window]:
    """Return a tier's limits as windows, shortest first.

    Gateways know no burst, so a rate with a burst becomes two limits: the burst comes on top in one short window, and in the next
    longer one on top of the steady rate, where it can be had only once. How a window is counted is the gateway's way: Envoy's proxies
    fill it up again steadily, Envoy's rate-limit service and Kong begin it anew with each second, minute, hour or day.
    """
    found: dict[Unit, int] = {}
    for rate in tier.limits:
        unit = Unit(rate.per)
        found[unit] = min(rate.requests + rate.burst, found.get(unit, rate.requests + rate.burst))
        if rate.burst:
            longer = rate.requests * TIMES[unit] + rate.burst
            found[NEXT[unit]] = min(longer, found.get(NEXT[unit], longer))
    return [Window(requests=found[unit], unit=unit) for unit in Unit if unit in found]


def tiers_of(door: Door) -> tuple[Name, ...]:
    """Return the tiers whose clients use a door."""
    return door.auth.api_key if isinstance(door.auth, ApiKeyAuth) else door.tiers


def consumers_of(t: Topology, tier: Name) -> list[Name]:
    """Return the consumers of a tier, in the order of the topology."""
    return [name for name, consumer in t.consumers.items() if consumer.tier == tier]
