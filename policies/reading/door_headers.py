"""Changes of headers on one way through an API gateway, held against what the topology's door asks for."""

import calendar
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate

from policies.reading.hsts import HSTS, is_remembered
from topology.model.door import Door, Lifecycle
from topology.model.system import Topology

Header = tuple[str, str]
"""Name in small letters, and value."""

VARIES: Header = ("vary", "Origin")
"""What an answer says to caches where it depends on who asks (Fetch, 3.2.5); beside what a service says there, never in its place."""


@dataclass(frozen=True, kw_only=True)
class Edits:
    """What one rule changes."""

    written: frozenset[Header]
    """Headers that are written, in whatever way."""
    alone: frozenset[Header]
    """Those of them that take the place of whatever was there."""
    removed: frozenset[str]


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


def wrong_in_answers(t: Topology, door: Door, edits: Edits, *, varies: bool = False) -> Iterator[str]:
    """Yield how a rule's changes of answers are not those of its door: its own, and those that announce the end of an API's version.

    Args:
        t: the system.
        door: the door.
        edits: the changes.
        varies: whether the gateway says by itself that an answer with `Access-Control-Allow-Origin` differs by `Origin`.
    """
    wanted = {**door.response_headers.set, **announced(t, door)}
    yield from _lacking(edits, wanted, door.response_headers.remove)
    page = t.apis[door.api.name].documentation if door.api and "sunset" in announced(t, door) else None
    links = {(name, value) for name, value in edits.written if page and name == "link" and value.startswith(f"<{page}>;")}
    if page and not any('rel="deprecation"' in value for _, value in links):
        yield f"no link leads to {page}, which says how the version ends"
    differs = {header for header in edits.written - edits.alone if door.cors and header == VARIES}
    if door.cors and not varies and not differs:
        yield "nothing tells caches that they differ by Origin (vary)"
    fine = {*wanted.items(), *links, *differs, *(header for header in edits.written if header[0] == HSTS and is_remembered(header[1]))}
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
