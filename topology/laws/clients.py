"""How often clients may ask, and how they are told apart."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from topology.findings import Finding
from topology.laws.law import Law
from topology.model.door import ApiKeyAuth, JwtAuth, PublicAuth, Tier
from topology.model.system import Topology

PER: Mapping[str, int] = {"second": 1, "minute": 60, "hour": 3600}
"""Seconds in the unit of a limit."""


def doors_know_their_clients(t: Topology) -> Iterator[Finding]:
    """The tiers of a door fit its credential: a key says its tier itself, a token by a claim, and the public has one for all."""
    for name, door in t.doors.items():
        path = ("doors", name, "tiers")
        match door.auth:
            case ApiKeyAuth():
                if door.tiers:
                    reason = "is given twice: the API key says the tier"
                    yield Finding(path=path, given=None, reason=reason, suggestion="keep them in auth.apiKey")
                for index, tier in enumerate(door.auth.api_key):
                    if tier in t.tiers and all(consumer.tier != tier for consumer in t.consumers.values()):
                        at = ("doors", name, "auth", "apiKey", index)
                        yield Finding(path=at, given=tier, reason="has no consumer, so nobody could use it", suggestion="add a consumer")
            case JwtAuth():
                issuer = t.issuers.get(door.auth.jwt)
                if issuer and len(set(door.tiers)) > 1 and issuer.tier_claim is None:
                    reason = f"names several tiers, but issuer {door.auth.jwt} has no tierClaim to tell them by"
                    yield Finding(path=path, given=None, reason=reason, suggestion="give the issuer a tierClaim")
            case PublicAuth():
                if len(set(door.tiers)) > 1:
                    reason = "names several tiers, but public clients cannot be told apart"
                    yield Finding(path=path, given=None, reason=reason, suggestion="keep one")


def doors_are_limited(t: Topology) -> Iterator[Finding]:
    """No client may ask as often as it likes (OWASP API4)."""
    for name, door in t.doors.items():
        if not door.tiers and not isinstance(door.auth, ApiKeyAuth):
            path = ("doors", name, "tiers")
            yield Finding(path=path, given=None, reason="is missing: clients could ask without limit", suggestion="name a tier")


def limits_bite(t: Topology) -> Iterator[Finding]:
    """Of several limits of a tier, each can be reached before the others are."""
    for name, tier in t.tiers.items():
        yield from _limits(name, tier)


def _limits(name: str, tier: Tier) -> Iterator[Finding]:
    for (first, one), (second, other) in combinations(enumerate(tier.limits), 2):
        path = ("tiers", name, "limits", second)
        if one.per == other.per:
            yield Finding(path=path, given=None, reason=f"is a second limit per {other.per}", suggestion="keep one")
            continue
        (at, short), (_, long) = sorted(((first, one), (second, other)), key=lambda item: PER[item[1].per])
        most = short.requests * PER[long.per] // PER[short.per] + short.burst
        if long.requests <= short.requests:
            reason = f"({short.requests} per {short.per}) is never reached: {long.requests} per {long.per} ends first"
            path = ("tiers", name, "limits", at)
            yield Finding(path=path, given=None, reason=reason, suggestion="lower or remove it")
        elif long.requests >= most:
            reason = f"({long.requests} per {long.per}) is never reached: {short.requests} per {short.per} admits {most}"
            path = ("tiers", name, "limits", first if at == second else second)
            yield Finding(path=path, given=None, reason=reason, suggestion="lower or remove it")


LAWS: tuple[Law, ...] = (
    doors_know_their_clients,
    doors_are_limited,
    limits_bite,
)
