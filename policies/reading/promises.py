"""Limits, held against what the topology promises the clients of its tiers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from policies.reading.tiers import SECONDS, promise
from topology.model.door import Tier
from topology.model.service import Rate, Scope


@dataclass(frozen=True, kw_only=True)
class Window:
    """A limit: so many requests in so many seconds."""

    requests: int
    seconds: int
    once: bool
    """It is one count for all instances of the gateway and for everything that the route takes."""

    def keeps(self, rate: Rate) -> bool:
        """Say whether nobody can ask more often in one unit of a rate than it says, its burst included."""
        unit = SECONDS[rate.per]
        return self.requests * max(unit / self.seconds, 1) <= rate.requests + rate.burst

    def sustains(self, rate: Rate) -> bool:
        """Say whether nobody can go on asking more often than a rate says: the burst comes on top once in a window, not in each unit."""
        unit = SECONDS[rate.per]
        burst = rate.burst if self.seconds > unit else 0
        return self.requests <= rate.requests * self.seconds / unit + burst


@dataclass(frozen=True, kw_only=True)
class Client:
    """Clients of whom the topology promises the same: those of a tier at a door, or the holder of an API key."""

    name: str
    tier: Tier
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the gateway writes about them, by header in small letters."""


def broken_promise(client: Client, windows: Iterable[Window]) -> str | None:
    """Return what some limits together let a client do that its tier does not promise; None where they keep it."""
    found = list(windows)
    if not found:
        return f"no limit counts {client.name}"
    together = [each for each in found if each.once or client.tier.scope is Scope.LOCAL]
    for rate in client.tier.limits:
        if _kept(rate, together):
            continue
        if _kept(rate, found):
            return f"counts {client.name} by each instance or part of the route anew; {promise(rate)} in one count"
        return f"lets {client.name} ask more often than their tier may; {promise(rate)}"
    return None


def _kept(rate: Rate, windows: Iterable[Window]) -> bool:
    found = list(windows)
    return any(each.keeps(rate) for each in found) and any(each.sustains(rate) for each in found)
