"""What an API gateway of the cluster changes in headers on one rule of a route.

A filter of the Gateway API writes a header in place of what was there (`set`) or beside it (`add`). Kong's transformers do the former by
`replace` with `add`: the one changes a header that is there, the other makes one that is not (Kong 3.9, `request-transformer`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from policies.reading.door_headers import Edits, Header
from policies.reading.values import mapping, sequence
from policies.route_rule import Published


@dataclass(frozen=True, kw_only=True)
class Side:
    """Where each product writes what it changes: in requests, or in answers."""

    filter: str
    key: str
    plugin: str
    everywhere: str
    """Field of a ClientTrafficPolicy for all routes of a listener."""


REQUESTS: Final = Side(
    filter="RequestHeaderModifier", key="requestHeaderModifier", plugin="request-transformer", everywhere="earlyRequestHeaders"
)
ANSWERS: Final = Side(
    filter="ResponseHeaderModifier", key="responseHeaderModifier", plugin="response-transformer", everywhere="lateResponseHeaders"
)


def edits_of(published: Published, side: Side) -> Edits:
    """Return what one rule of a route changes.

    Raises:
        UnknownValueError: if a change is not known.
    """
    written, alone, removed = set[Header](), set[Header](), set[str]()
    for each in published.filters(side.filter):
        change = mapping(each.get(side.key))
        alone |= set(_pairs(change.get("set")))
        written |= set(_pairs(change.get("add")))
        removed |= _names(change.get("remove"))
    if published.is_kong:
        for plugin in published.plugins:
            if plugin.name == side.plugin:
                said = {verb: mapping(plugin.config.get(verb)).get("headers") for verb in ("replace", "add", "append", "remove")}
                alone |= set(_texts(said["replace"])) & set(_texts(said["add"]))
                written |= {*_texts(said["replace"]), *_texts(said["add"]), *_texts(said["append"])}
                removed |= _names(said["remove"])
    elif (policy := published.client_policy) is not None:
        removed |= _names(policy.at("spec", "headers", side.everywhere, "remove", default=[]))
    return Edits(written=frozenset(written | alone), alone=frozenset(alone), removed=frozenset(removed))


def _pairs(given: Any) -> Iterator[Header]:
    yield from ((str(each["name"]).lower(), str(each["value"])) for each in map(mapping, sequence(given)))


def _texts(given: Any) -> Iterator[Header]:
    for text in sequence(given):
        name, _, value = str(text).partition(":")
        yield name.lower(), value


def _names(given: Any) -> set[str]:
    return {str(name).lower() for name in sequence(given)}
