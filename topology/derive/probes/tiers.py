"""Tiers: so many requests pass, no more, and after a rest they pass again."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from topology.derive import names
from topology.derive.probes.credential import ApiKey, Credential, Token
from topology.derive.probes.doors import entering, entrance, requests_of
from topology.derive.probes.examples import protocol_of
from topology.derive.probes.expectation import Limited
from topology.derive.probes.faults import may_fail
from topology.derive.probes.pods import layer_pods
from topology.derive.probes.probe import Family, Probe, Stage
from topology.derive.probes.target import EDGE
from topology.derive.probes.traffic import MOST_SENT, PERIOD
from topology.derive.probes.vantage import OUTSIDE
from topology.model.base import Name
from topology.model.door import ApiKeyAuth, Door, JwtAuth
from topology.model.service import Protocol, Rate, Scope
from topology.model.system import Topology

MARGIN: Final = 1.5
"""So many times what may pass is sent."""
FASTER: Final = 1.9
"""So many times faster than a bucket fills up is asked. The edge's own limit by address, which is met first otherwise, is twice that."""
LONGEST: Final = 60.0
"""Longest window that is used up and waited for, in seconds: an hour's budget belongs to the consumer."""


def tiers(t: Topology) -> Iterator[Probe]:
    """Yield for each tier one door at which its limit is reached. The strictest limit is the one that shows."""
    for tier_name, tier in t.tiers.items():
        door_name = next((name for name, door in t.doors.items() if _carries(t, door, tier_name)), None)
        if door_name is None:
            continue
        rate = min(tier.limits, key=_capacity)
        period = PERIOD[rate.per]
        if period > LONGEST:
            continue
        door = t.doors[door_name]
        operation = requests_of(t, door)[0]
        # A gateway that counts by itself knows no burst: it keeps what is allowed at once, and fills it up in one period.
        capacity = _capacity(rate)
        refill = capacity / period if tier.scope is Scope.LOCAL else 0.0
        request = replace(
            entering(t, door_name, operation, f"tier-{tier_name}"),
            credential=_of_tier(t, door_name, door, tier_name),
            count=min(round(capacity * MARGIN + refill * 3) + 10, MOST_SENT),
            pace=FASTER * refill if period == 1 else 0.0,
        )
        yield Probe(
            id=f"{Family.TIERS}/{tier_name}/{door_name}",
            family=Family.TIERS,
            vantage=OUTSIDE,
            target=EDGE,
            request=request,
            expect=Limited(
                least=rate.requests,
                capacity=capacity,
                refill=refill,
                rest=period,
                counted_by=layer_pods(names.GATEWAY_NAMESPACE, names.GATEWAY) if tier.scope is Scope.LOCAL else None,
                window=period if tier.scope is Scope.GLOBAL else 0.0,
            ),
            why=f"tier {tier_name}: {rate.requests} a {rate.per}, burst {rate.burst}",
            controls=(entrance(door_name, operation),),
            stage=Stage.LOAD,
            may_fail=may_fail(t, None, door.service),
        )


def spared(t: Topology) -> Iterator[tuple[Name, str]]:
    """Yield the tiers that are not probed, each with the reason."""
    for name, tier in t.tiers.items():
        if min(PERIOD[rate.per] for rate in tier.limits) > LONGEST:
            yield name, "its shortest limit lasts an hour, and the budget belongs to its consumers"


def _capacity(rate: Rate) -> int:
    return rate.requests + rate.burst


def _carries(t: Topology, door: Door, tier: Name) -> bool:
    held = door.auth.api_key if isinstance(door.auth, ApiKeyAuth) else door.tiers
    return tier in held and door.cache is None and protocol_of(t, door.service) is not Protocol.GRPC


def _of_tier(t: Topology, name: Name, door: Door, tier: Name) -> Credential:
    match door.auth:
        case ApiKeyAuth():
            return ApiKey(consumer=next((consumer for consumer, about in t.consumers.items() if about.tier == tier), ""))
        case JwtAuth(jwt=issuer_name):
            issuer = t.issuers[issuer_name]
            claims = {claim: values[0] for claim, values in issuer.required_claims.items()}
            if issuer.tier_claim:
                claims[issuer.tier_claim] = tier
            return Token(
                issuer=issuer.issuer,
                audience=issuer.audiences[0],
                subject=f"probe-{name}-tier-{tier}",
                claims=tuple(sorted(claims.items())),
            )
        case _:
            return None
