"""The limits of tiers as configurations of `rate-limiting`: whole windows, counted for each client."""

from typing import Any, Final, Literal

from components.contracts import CounterStore
from components.gateway.limits import windows
from topology.model.base import Name
from topology.model.door import Tier
from topology.model.service import Scope

LimitBy = Literal["consumer", "ip"]
REDIS_TIMEOUT: Final = 1000
"""Milliseconds that a request waits for the shared counters before it is refused."""


def by_consumer(tier: Name) -> str:
    """Return the name of a tier's limit for consumers with an API key: one count for all doors together."""
    return f"tier.{tier}"


def by_address(tier: Name) -> str:
    """Return the name of a tier's limit for clients that only their address tells apart.

    So it is at public doors, and at token doors too: no plugin of the open-source edition reads a token's subject before it counts, and
    the header with the token is no name for a client, because Kong takes the same token in many spellings.
    """
    return f"tier.{tier}.address"


def rate_limiting(tier: Tier, limit_by: LimitBy, counters: CounterStore | None) -> dict[str, Any]:
    """Return the configuration of `rate-limiting` for a tier. Where nobody can count, nobody is let through.

    Raises:
        ValueError: if the tier is counted for all instances together and there is nowhere to count.
    """
    limit: dict[str, Any] = {
        **{window.unit.value: window.requests for window in windows(tier)},
        "limit_by": limit_by,
        "policy": "local",
        "fault_tolerant": False,
        "hide_client_headers": True,
    }
    if tier.scope is Scope.LOCAL:
        return limit
    if counters is None:
        raise ValueError("a tier with scope global needs shared counters")
    return {**limit, "policy": "redis", "redis": {"host": counters.host, "port": counters.port, "timeout": REDIS_TIMEOUT}}
