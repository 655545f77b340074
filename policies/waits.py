"""How long an API gateway waits for an answer, wherever it is told: on the route, by a policy of Envoy Gateway, on Kong's Service."""

from collections.abc import Iterator, Mapping
from typing import Final

from policies.reading.resource import Resource
from policies.reading.values import mapping
from policies.route_rule import Published

KONG_IDLE: Final = 300.0
"""Seconds of silence that Kong may let a stream have, however short the timeout of its door."""

DEFAULTS: Final[Mapping[bool, float]] = {False: 15.0, True: 60.0}
"""Seconds that a gateway waits where nothing is said, by whether it is Kong (Envoy Gateway "HTTP timeouts"; Kong 3.9 `read_timeout`)."""

_SILENCE: Final = ("konghq.com/read-timeout", "konghq.com/write-timeout")
"""Annotations of a Service, in milliseconds."""


def waits_of(published: Published) -> Iterator[tuple[Resource, str]]:
    """Yield every wait that is written for one rule of a route, with the resource that says it.

    Streams are left without an end (WebSocket); what nothing being said means for others, `unsaid` tells.

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


def unsaid(published: Published) -> float | None:
    """Return how many seconds the gateway waits on one rule of which nothing says it; None where something does.

    Kong's controller reads `backendRequest` alone (Kong/kubernetes-ingress-controller, feature HTTPRouteTimeoutBackendRequest).

    Raises:
        UnknownValueError: if it cannot be told.
    """
    timeouts = mapping(mapping(published.route.at("spec", "rules", published.rule.position)).get("timeouts"))
    if published.is_kong:
        services = [service for backend in published.rule.backends if (service := published.service(backend))]
        said = "backendRequest" in timeouts or all(_SILENCE[0] in service.resource.annotations for service in services)
    else:
        said = any(True for _ in waits_of(published))
    return None if said else DEFAULTS[published.is_kong]
