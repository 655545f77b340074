"""What the topology promises its clients: how often they may ask, and how much they may send."""

from collections.abc import Container, Iterable
from typing import Final

from topology.model.base import size_in_bytes
from topology.model.door import ApiKeyAuth, Door, Tier
from topology.model.service import Rate
from topology.model.system import Topology

SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
"""Length of a window of time by its name."""

CLIENTS_PER_ADDRESS: Final = 10
"""Clients behind one address, such as an office's, of whom an edge that counts addresses knows nothing."""


def tiers_of(t: Topology, doors: Iterable[Door]) -> list[Tier]:
    """Return the tiers whose clients use some doors."""
    names = {name for door in doors for name in (door.auth.api_key if isinstance(door.auth, ApiKeyAuth) else door.tiers)}
    return [t.tiers[name] for name in sorted(names) if name in t.tiers]


def tiers_at(t: Topology, hosts: Container[str]) -> list[Tier]:
    """Return the tiers whose clients use doors of some hosts: a stack may have a second edge for the others."""
    return tiers_of(t, (door for door in t.doors.values() if t.host_of(door) in hosts))


def promise(rate: Rate) -> str:
    """Return what the topology says of how often somebody may ask, for a message."""
    burst = f" and {rate.burst} more at once" if rate.burst else ""
    return f"the topology says {rate.requests} requests per {rate.per}{burst}"


def fastest(tiers: Iterable[Tier]) -> float:
    """Return the most requests per second that any of some tiers allows for a moment; 1 where there is none."""
    return max(((rate.requests + rate.burst) / SECONDS[rate.per] for tier in tiers for rate in tier.limits), default=1.0)


def most_at_once(tiers: Iterable[Tier]) -> int:
    """Return the most requests that any of some tiers allows in one window; 1 where there is none."""
    return max((rate.requests + rate.burst for tier in tiers for rate in tier.limits), default=1)


def sustained(tiers: Iterable[Tier], window: int) -> int:
    """Return the most requests that a client of some tier may make within some seconds, by all limits of its tier; 0 where there is none.

    What stands before the gateway and counts by address must let one client do at least that.
    """
    return max((min(_within(rate, window) for rate in tier.limits) for tier in tiers if tier.limits), default=0)


def most_for_all(tiers: Iterable[Tier], window: int) -> int:
    """Return the most requests within some seconds that all clients behind one address need; whoever may ask more often is a flood.

    Each of them may use a whole tier at once, or ask once a second where tiers allow less: nobody counts what is so little.
    """
    return CLIENTS_PER_ADDRESS * max(window, *(_within(rate, window) for tier in tiers for rate in tier.limits), 0)


def _within(rate: Rate, window: int) -> int:
    return rate.requests * max(1, window // SECONDS[rate.per]) + rate.burst


def largest_body(t: Topology) -> int:
    """Return the size in bytes of the largest request that any door takes."""
    return max((size_in_bytes(door.max_body) for door in t.doors.values()), default=0)
