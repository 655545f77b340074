"""What an API gateway changes in headers on one rule of a route, held against what the topology's door asks for.

A filter of the Gateway API writes a header in place of what was there (`set`) or beside it (`add`). Kong's transformers do the former by
`replace` with `add`: the one changes a header that is there, the other makes one that is not (Kong 3.9, `request-transformer`).
"""

import calendar
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Final

from policies.reading.hsts import HSTS, is_remembered
from policies.reading.values import mapping, sequence
from policies.route_rule import Published
from topology.model.door import Door, Lifecycle
from topology.model.system import Topology

Header = tuple[str, str]
"""Name in small letters, and value."""


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


@dataclass(frozen=True, kw_only=True)
class Edits:
    """What one rule changes."""

    written: frozenset[Header]
    """Headers that are written, in whatever way."""
    alone: frozenset[Header]
    """Those of them that take the place of whatever was there."""
    removed: frozenset[str]


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


def wrong_in_requests(door: Door, edits: Edits, spoken: Callable[[str], bool]) -> Iterator[str]:
    """Yield how a rule's changes of requests are not those of its door.

    Args:
        door: the door.
        edits: the changes.
        spoken: whether layers speak to each other by a header, which is no matter of doors.
    """
    asked = door.request_headers
    yield from _lacking(edits, asked.set, asked.remove)
    wanted = {(name, value) for name, value in asked.set.items()}
    yield from _beyond(header for header in edits.written - wanted if not spoken(header[0]))


def wrong_in_answers(t: Topology, door: Door, edits: Edits) -> Iterator[str]:
    """Yield how a rule's changes of answers are not those of its door: its own, and those that announce the end of an API's version."""
    wanted = {**door.response_headers.set, **announced(t, door)}
    yield from _lacking(edits, wanted, door.response_headers.remove)
    page = t.apis[door.api.name].documentation if door.api and "sunset" in announced(t, door) else None
    links = {(name, value) for name, value in edits.written if page and name == "link" and value.startswith(f"<{page}>;")}
    if page and not any('rel="deprecation"' in value for _, value in links):
        yield f"no link leads to {page}, which says how the version ends"
    fine = {*wanted.items(), *links, *(header for header in edits.written if header[0] == HSTS and is_remembered(header[1]))}
    yield from _beyond(edits.written - fine)


def announced(t: Topology, door: Door) -> Mapping[str, str]:
    """Return the headers by which a deprecated version of an API says when it ends: `Deprecation` of RFC 9745, `Sunset` of RFC 8594."""
    about = t.apis[door.api.name].versions[door.api.version] if door.api else None
    if about is None or about.lifecycle is not Lifecycle.DEPRECATED:
        return {}
    since, end = (day and calendar.timegm(day.timetuple()) for day in (about.deprecated_since, about.sunset))
    found = {"deprecation": f"@{since}" if since else "", "sunset": formatdate(end, usegmt=True) if end else ""}
    return {name: value for name, value in found.items() if value}


def _lacking(edits: Edits, wanted: Mapping[str, str], removed: tuple[str, ...]) -> Iterator[str]:
    for header in sorted(set(removed) - edits.removed):
        yield f"{header} goes on, which the topology takes out"
    for header, value in sorted(wanted.items()):
        if (header, value) not in edits.alone:
            yield f"{header} is not set to `{value}`, which the topology says"


def _beyond(headers: Iterator[Header] | frozenset[Header]) -> Iterator[str]:
    for header, value in sorted(headers):
        yield f"{header} is written as `{value}`, of which the topology says nothing"


def _pairs(given: Any) -> Iterator[Header]:
    yield from ((str(each["name"]).lower(), str(each["value"])) for each in map(mapping, sequence(given)))


def _texts(given: Any) -> Iterator[Header]:
    for text in sequence(given):
        name, _, value = str(text).partition(":")
        yield name.lower(), value


def _names(given: Any) -> set[str]:
    return {str(name).lower() for name in sequence(given)}
