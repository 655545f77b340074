"""On what terms something may cross the boundary, each comparable with what it was before: does it let more through?

What cannot be shown to let no more through counts as wider: a token of another issuer, another service behind the same door.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from topology.edges import credential, identity
from topology.model.base import Name, size_in_bytes
from topology.model.door import ApiKeyAuth, Door, JwtAuth, PublicAuth, Tier
from topology.model.service import Protocol, Rate, Scope
from topology.model.system import Topology
from topology.preflights import needed_headers

PUBLIC: Final = "public"
"""The credential of a door that asks for none (`topology.edges.credential`)."""

NOTHING: Final = "none"
BY_WEIGHT: Final = "by the service's weights"
UNITS: Final = {"second": "s", "minute": "min", "hour": "h"}


class Width(StrEnum):
    """Whether a change lets more through than before."""

    WIDER = "wider"
    NARROWER = "narrower"
    NEITHER = "neither"


Value = TypeVar("Value")
Judge = Callable[[Value, Value], Width]
"""Says of a value, and of the different one before it, whether more is let through."""


@dataclass(frozen=True, kw_only=True)
class Term(Generic[Value]):
    """One thing that is asked of whoever crosses, or said of where that leads. Two of a name are the same where their texts are."""

    name: str
    value: Value
    text: str
    """All that it says, as people read it."""
    judge: Judge[Value]

    def against(self, old: "Term[Value]") -> Width:
        """Say whether this lets more through than the different one before it."""
        return self.judge(self.value, old.value)


Terms = tuple[Term[Any], ...]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How often clients may ask: by tier, and what tells the tier of a client; nothing does where all are in one."""

    tiers: Mapping[Name, Tier]
    told_by: str


def narrower_if(narrower: bool) -> Width:
    """Return the width of a change that is wider unless it is shown to be narrower."""
    return Width.NARROWER if narrower else Width.WIDER


def _credential(new: str, old: str) -> Width:
    """Any credential is narrower than none; of two it is not known."""
    return narrower_if(old == PUBLIC and new != PUBLIC)


def _members(new: frozenset[object], old: frozenset[object]) -> Width:
    """Each is let through by itself."""
    return narrower_if(new <= old)


def _claims(new: Mapping[str, tuple[str, ...]], old: Mapping[str, tuple[str, ...]]) -> Width:
    """Every claim that was asked for still is, with no value more."""
    return narrower_if(all(claim in new and {*new[claim]} <= {*values} for claim, values in old.items()))


def _limits(new: Limits, old: Limits) -> Width:
    """Each tier was there before and lets nobody ask oftener."""
    if not new.tiers or not old.tiers:
        return narrower_if(not old.tiers)
    return narrower_if(
        new.told_by == old.told_by
        and all(
            any((name == other or not new.told_by) and no_oftener(tier, than) for other, than in old.tiers.items())
            for name, tier in new.tiers.items()
        )
    )


def no_oftener(tier: Tier, than: Tier) -> bool:
    """Say whether a tier's clients may never ask oftener than another's. A count in each instance lets through more than one for all."""
    if tier.scope is Scope.LOCAL and than.scope is Scope.GLOBAL:
        return False
    return all(
        any(new.per == old.per and new.requests <= old.requests and new.burst <= old.burst for new in tier.limits) for old in than.limits
    )


def _size(new: int, old: int) -> Width:
    return Width.NEITHER if new == old else narrower_if(new < old)


def fact(name: str, value: str, *, if_other: Width = Width.WIDER) -> Term[str]:
    """Return where something leads, or whom it trusts: any other is somebody new."""
    return Term(name=name, value=value, text=value, judge=lambda _new, _old: if_other)


def spoken_by(t: Topology, name: str) -> Terms:
    """Return what a service speaks; nothing of what is no workload. What passes through a WebSocket nobody looks at any more."""
    if name not in {*t.services, *t.compositions}:
        return ()
    value = t.protocol_of(name)
    return (Term(name="protocol", value=value, text=value.value, judge=_protocol),)


def _protocol(new: Protocol, old: Protocol) -> Width:
    return narrower_if(old is Protocol.WEBSOCKET and new is Protocol.HTTP)


def _said(member: str) -> str:
    """Return a member of a list as it is told from two: in quotes, where it holds what stands between members."""
    return json.dumps(member) if re.search(r'[,;"()]| or ', member) else member


def _those(name: str, members: Iterable[str]) -> Term[frozenset[str]]:
    found = frozenset(members)
    return Term(name=name, value=found, text=", ".join(sorted(map(_said, found))) or NOTHING, judge=_members)


def terms_of(t: Topology, door: Door) -> Terms:
    """Return the terms on which clients cross at a door."""
    shown = credential(t, door.auth)
    limits = Limits(tiers={name: t.tiers[name] for name in tiers_of(door)}, told_by=_told_by(t, door))
    return (
        fact("service", identity(t, door.service)),
        *spoken_by(t, door.service),
        fact("version", door.version or BY_WEIGHT, if_other=Width.NEITHER),
        fact("rewrite", f"{door.rewrite.prefix} becomes {door.rewrite.replacement}" if door.rewrite else NOTHING),
        Term(name="credential", value=shown, text=shown, judge=_credential),
        *_of_credential(t, door),
        _scripts(t, door),
        Term(name="limits", value=limits, text=limits_text(t, door), judge=_limits),
        Term(name="largest body", value=size_in_bytes(door.max_body), text=door.max_body, judge=_size),
    )


def _of_credential(t: Topology, door: Door) -> Iterator[Term[Any]]:
    match door.auth:
        case JwtAuth():
            issuer = t.issuers[door.auth.jwt]
            claims = (f"{claim} {' or '.join(sorted(map(_said, values)))}" for claim, values in sorted(issuer.required_claims.items()))
            yield _those("audiences", issuer.audiences)
            yield Term(name="claims", value=issuer.required_claims, text="; ".join(claims) or NOTHING, judge=_claims)
            yield fact("keys", " ".join((issuer.jwks_uri, *issuer.public_keys)))
        case ApiKeyAuth():
            holders = consumers_of(t, door)
            told = ", ".join(f"{name} ({t.consumers[name].tier})" for name in holders) or NOTHING
            yield Term(name="consumers", value=frozenset((name, t.consumers[name].tier) for name in holders), text=told, judge=_members)
        case PublicAuth():
            yield fact("reason", door.auth.public, if_other=Width.NEITHER)


@dataclass(frozen=True, kw_only=True)
class Scripts:
    """What the scripts of other origins may do at a door in a browser; nothing, where none is named."""

    origins: frozenset[str] = frozenset()
    send: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    cookies: bool = False


def _scripts(t: Topology, door: Door) -> Term[Scripts]:
    cors = t.cors[door.cors] if door.cors else None
    if cors is None:
        return Term(name="scripts of other origins", value=Scripts(), text=NOTHING, judge=_no_more_scripts)
    send = frozenset({*cors.headers, *needed_headers(t, door)})
    value = Scripts(origins=frozenset(cors.origins), send=send, read=frozenset(cors.expose), cookies=cors.credentials)
    said = [", ".join(sorted(value.origins))]
    said += [f"{verb} {', '.join(sorted(names))}" for verb, names in (("send", value.send), ("read", value.read)) if names]
    text = "; ".join([*said, *(["with cookies"] if value.cookies else [])])
    return Term(name="scripts of other origins", value=value, text=text, judge=_no_more_scripts)


def _no_more_scripts(new: Scripts, old: Scripts) -> Width:
    no_more = new.origins <= old.origins and new.send <= old.send and new.read <= old.read and new.cookies <= old.cookies
    return narrower_if(no_more or not new.origins)


def tiers_of(door: Door) -> tuple[Name, ...]:
    """Return the tiers whose limits hold at a door."""
    return door.auth.api_key if isinstance(door.auth, ApiKeyAuth) else door.tiers


def consumers_of(t: Topology, door: Door) -> tuple[Name, ...]:
    """Return the consumers whose API keys open a door, sorted."""
    return tuple(
        sorted(name for name, consumer in t.consumers.items() if isinstance(door.auth, ApiKeyAuth) and consumer.tier in tiers_of(door))
    )


def _told_by(t: Topology, door: Door) -> str:
    claim = t.issuers[door.auth.jwt].tier_claim if isinstance(door.auth, JwtAuth) else None
    return "by key" if isinstance(door.auth, ApiKeyAuth) else f"by claim {claim}" if claim else ""


def limits_text(t: Topology, door: Door) -> str:
    """Return how often clients of a door may ask: `partner 1000/min, counted once; premium 10000/h (by key)`."""
    tiers = "; ".join(f"{name} {_tier(t.tiers[name])}" for name in sorted(tiers_of(door)))
    told_by = _told_by(t, door)
    return f"{tiers}{f' ({told_by})' if told_by else ''}" if tiers else "no limit"


def _tier(tier: Tier) -> str:
    counted = ", counted once" if tier.scope is Scope.GLOBAL else ""
    return " and ".join(map(_rate, tier.limits)) + counted


def _rate(rate: Rate) -> str:
    return f"{rate.requests}/{UNITS[rate.per]}{f' burst {rate.burst}' if rate.burst else ''}"
