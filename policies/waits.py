"""How long an API gateway waits for an answer, wherever it is told: on the route, by a policy of Envoy Gateway, on Kong's Service."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policies.reading.resource import Resource
from policies.reading.values import mapping
from policies.route_rule import Published

_PART: Final = re.compile(r"([0-9]+)(ms|h|m|s)")
_SECONDS: Final[Mapping[str, float]] = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}

KONG_IDLE: Final = 300.0
"""Seconds of silence that Kong may let a stream have, however short the timeout of its door."""

_SILENCE: Final = ("konghq.com/read-timeout", "konghq.com/write-timeout")
"""Annotations of a Service, in milliseconds."""


def length(duration: str) -> float | None:
    """Return a duration of the Gateway API (`1h30m`, `500ms`) in seconds; None for something else."""
    parts = _PART.findall(duration)
    if not parts or "".join(map("".join, parts)) != duration:
        return None
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def waits_of(published: Published) -> Iterator[tuple[Resource, str]]:
    """Yield every wait that is written for one rule of a route, with the resource that says it.

    What says nothing leaves Envoy with 15 seconds and Kong with 60 of silence; streams are left without an end (WebSocket).

    Raises:
        UnknownValueError: if one is not known.
    """
    rule = mapping(published.route.at("spec", "rules", published.rule.position))
    yield from ((published.route, str(said)) for said in mapping(rule.get("timeouts")).values())
    policy = None if published.is_kong else published.policy("BackendTrafficPolicy")
    if policy is not None and (said := policy.at("spec", "timeout", "http", "requestTimeout")):
        yield policy, str(said)


def silences_of(published: Published) -> Iterator[tuple[Resource, float]]:
    """Yield how many seconds of silence Kong bears from the backends of one rule, with the Service that says it.

    Raises:
        UnknownValueError: if one is not known.
    """
    for service in filter(None, map(published.service, published.rule.backends)):
        for note in _SILENCE:
            if said := service.resource.annotations.get(note):
                yield service.resource, int(said) / 1000
