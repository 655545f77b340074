"""What browsers are told is said once for each path, of requests that browsers make, and by the gateway alone."""

from collections.abc import Iterator

from topology.findings import Finding
from topology.laws.doors import OWNED_HEADERS, OWNED_PREFIXES
from topology.laws.law import Law
from topology.model.base import seconds
from topology.model.cors import PREFLIGHT
from topology.model.door import API_KEY_HEADER, Door
from topology.model.service import Protocol
from topology.model.system import Topology
from topology.preflights import meeting

UNASKED = {
    Protocol.WEBSOCKET: "speaks websocket, and browsers open one from any page and ask nobody before",
    Protocol.GRPC: "speaks grpc, which no browser speaks",
}
"""Why a policy says nothing of a service that speaks a protocol."""

VARY = "vary"
"""The header by which an answer says what it depends on (RFC 9110, 12.5.5)."""

CREDENTIALS = frozenset({"authorization", API_KEY_HEADER})
"""Headers that layers read and clients write."""

UNREADABLE = frozenset({"set-cookie", "set-cookie2"})
"""Headers of answers that browsers let no script read (Fetch, 2.2.2, forbidden response-header name)."""

UNSETTABLE = frozenset(
    {
        "accept-charset", "accept-encoding", "cookie", "cookie2", "date", "dnt", "expect", "keep-alive", "origin", "referer", "set-cookie",
        "trailer", "via",
    }
)  # fmt: skip
UNSETTABLE_PREFIXES = ("sec-", "proxy-", "access-control-")
"""Headers that browsers let no script set (Fetch, 2.2.2, forbidden request-header)."""


def doors_are_asked_by_browsers(t: Topology) -> Iterator[Finding]:
    """A door with a policy answers requests of which browsers ask first."""
    for name, door in t.doors.items():
        service = t.services.get(door.service)
        if door.cors is not None and service and service.protocol in UNASKED:
            reason = f"says nothing here: {door.service} {UNASKED[service.protocol]}"
            yield Finding(path=("doors", name, "cors"), given=door.cors, reason=reason, suggestion="remove it")


def preflights_have_one_answer(t: Topology) -> Iterator[Finding]:
    """Doors whose paths meet name one policy, and none of them takes the method of a preflight: it says neither credential nor version."""
    asked_first = any(door.cors for door in t.doors.values())
    for name, other_name in meeting(t, t.doors) if asked_first else ():
        door, other = t.doors[name], t.doors[other_name]
        if door.cors and other.cors and door.cors != other.cors:
            reason = (
                f"is another policy than {door.cors} of door {name}, which has paths in common, and a preflight does not say which it means"
            )
            path = ("doors", other_name, "cors")
            yield Finding(path=path, given=other.cors, reason=reason, suggestion="name one policy, or choose paths apart")
        for at, taking, asked in ((name, door, other), (other_name, other, door)):
            if asked.cors and not taking.cors:
                yield from _preflight_method(at, taking, f"a door that shares its paths names the policy {asked.cors}")
    for name, door in t.doors.items():
        if door.cors:
            yield from _preflight_method(name, door, f"it names the policy {door.cors}")


def _preflight_method(name: str, door: Door, why: str) -> Iterator[Finding]:
    if PREFLIGHT in door.methods:
        path = ("doors", name, "methods", door.methods.index(PREFLIGHT))
        reason = f"is what a preflight is asked by, which the gateway answers alone: {why}"
        yield Finding(path=path, given=PREFLIGHT, reason=reason, suggestion="remove it")


def policies_say_what_browsers_heed(t: Topology) -> Iterator[Finding]:
    """A policy names headers that scripts may set and layers do not write themselves, and a time that browsers can count."""
    for name, cors in t.cors.items():
        for index, header in enumerate(cors.headers):
            path = ("cors", name, "headers", index)
            if header in UNSETTABLE or header.startswith(UNSETTABLE_PREFIXES):
                yield Finding(path=path, given=header, reason="is a header that browsers let no script set", suggestion="remove it")
            elif (header in OWNED_HEADERS or header.startswith(OWNED_PREFIXES)) and header not in CREDENTIALS:
                reason = "belongs to the layers, which believe no client's word for it"
                yield Finding(path=path, given=header, reason=reason, suggestion="remove it")
        for index, header in enumerate(cors.expose):
            if header in UNREADABLE:
                path = ("cors", name, "expose", index)
                yield Finding(path=path, given=header, reason="is a header that browsers let no script read", suggestion="remove it")
        if seconds(cors.max_age) % 1:
            reason = "is no number of whole seconds, and browsers know no others"
            yield Finding(path=("cors", name, "maxAge"), given=cors.max_age, reason=reason, suggestion="write 1s or more")


def answers_say_by_whom_they_differ(t: Topology) -> Iterator[Finding]:
    """A door with a policy leaves `Vary` to its service, beside whose word the gateway says that answers differ by `Origin`."""
    for name, door in t.doors.items():
        edit, at = door.response_headers, ("doors", name, "responseHeaders")
        removed = ((*at, "remove", index) for index, header in enumerate(edit.remove) if header == VARY)
        for path in (*removed, *((*at, "set", VARY) for _ in range(VARY in edit.set))) if door.cors else ():
            reason = f"tells caches what an answer depends on, to which the policy {door.cors} adds Origin"
            yield Finding(path=path, given=VARY, reason=reason, suggestion="leave it to the service")


LAWS: tuple[Law, ...] = (
    answers_say_by_whom_they_differ,
    doors_are_asked_by_browsers,
    preflights_have_one_answer,
    policies_say_what_browsers_heed,
)
