"""What a gateway tells browsers, and what the topology wants them told (Fetch, 3.2, HTTP CORS protocol)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from policies.reading.durations import length
from policies.reading.kong import Plugin
from policies.reading.values import UnknownValueError, mapping, sequence
from topology.model.base import HeaderName, seconds
from topology.model.door import Door
from topology.preflights import Preflight

ANY: Final = "*"
SAFELISTED: Final = frozenset({"accept", "accept-language", "content-language"})
"""Request headers that every script may set, named or not (Fetch, 2.2.2, CORS-safelisted request-header)."""
KONG_METHODS: Final = ("GET", "HEAD", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE", "CONNECT")
"""The methods of Kong's `cors` where none are named (kong/plugins/cors/schema.lua)."""
_LITERAL: Final = re.compile(r"[A-Za-z0-9.:/-]+")
"""Origins that Kong compares as they are; any other it takes for an expression (kong/plugins/cors/handler.lua)."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What browsers are told of one place; `*` stands for anything."""

    origins: frozenset[str]
    methods: frozenset[str]
    headers: frozenset[str]
    """In small letters."""
    expose: frozenset[str]
    """In small letters."""
    credentials: bool
    max_age: float | None
    """Seconds; None: the browser's own few."""


def lower(names: Iterable[Any]) -> frozenset[str]:
    """Return names in small letters."""
    return frozenset(str(name).lower() for name in names)


def told_apart(door: Door) -> tuple[HeaderName, ...]:
    """Return the request header by which answers of a door differ because they say whose scripts may read them (Fetch, 3.2.5)."""
    return ("origin",) if door.cors else ()


def of_security_policy(spec: dict[str, Any]) -> Said | None:
    """Return what a SecurityPolicy of Envoy Gateway says; None where it says nothing.

    Raises:
        UnknownValueError: if a part is not known.
    """
    if spec.get("cors") is None:
        return None
    cors = mapping(spec["cors"])
    said = cors.get("maxAge")
    max_age = length(str(said)) if said is not None else None
    if said is not None and max_age is None:
        raise UnknownValueError(f"cors.maxAge {said}", "no duration")
    return Said(
        origins=frozenset(map(str, sequence(cors.get("allowOrigins")))),
        methods=frozenset(map(str, sequence(cors.get("allowMethods")))),
        headers=lower(sequence(cors.get("allowHeaders"))),
        expose=lower(sequence(cors.get("exposeHeaders"))),
        credentials=_truth(cors.get("allowCredentials")),
        max_age=max_age,
    )


def of_plugin(plugin: Plugin) -> Said:
    """Return what Kong's `cors` says. Without origins it means all, without headers those that are asked for.

    Raises:
        UnknownValueError: if a part is not known.
    """
    config = plugin.config
    origins = [str(origin) for origin in sequence(config.get("origins"))] or [ANY]
    max_age = config.get("max_age")
    return Said(
        origins=frozenset(origin if _LITERAL.fullmatch(origin) else f"{ANY} ({origin})" for origin in origins),
        methods=frozenset(map(str, sequence(config.get("methods")) or KONG_METHODS)),
        headers=lower(sequence(config.get("headers")) or [ANY]),
        expose=lower(sequence(config.get("exposed_headers"))),
        credentials=_truth(config.get("credentials")),
        max_age=float(max_age) if max_age is not None else None,
    )


def _truth(value: Any) -> bool:
    if value not in {None, True, False}:
        raise UnknownValueError(str(value), "neither true nor false")
    return bool(value)


def wrong(said: Said, answer: Preflight) -> Iterator[str]:
    """Yield how browsers are told something else than the topology says."""
    cors = answer.cors
    for origin in sorted(said.origins - set(cors.origins)):
        what = (
            "scripts of every origin, or of all that a pattern means,"
            if ANY in origin
            else "scripts of an origin of which the topology says nothing"
        )
        yield f"lets {what} read answers: {origin}"
    for origin in sorted(set(cors.origins) - said.origins):
        yield f"does not know the origin {origin}, which the topology names"
    if said.credentials and not cors.credentials:
        yield "lets browsers send cookies and client certificates, which the topology does not"
    if cors.credentials and not said.credentials:
        yield "lets browsers send no cookies, which the topology does"
    compared = (
        ("method", said.methods, frozenset(answer.methods)),
        ("request header", said.headers - SAFELISTED, frozenset(answer.headers) - SAFELISTED),
        ("header of answers", said.expose, frozenset(cors.expose)),
    )
    for what, told, wanted in compared:
        for more in sorted(told - wanted):
            yield f"grants scripts the {what} {more}, of which the topology says nothing"
        for less in sorted(wanted - told):
            yield f"does not grant scripts the {what} {less}, which the topology does"
    if said.max_age != (whole := seconds(cors.max_age)):
        told = "the browser's own time" if said.max_age is None else f"{said.max_age:g} seconds"
        yield f"lets browsers keep the answer for {told}; the topology says {whole:g} seconds"
