"""What a browser would make of an answer: whether scripts of an origin may ask so, and read (Fetch, 4.10, CORS check)."""

from collections.abc import Iterator
from typing import Final

from conformance.answer import Answer
from topology.derive.probes import Preflighted, Readable

ORIGIN: Final = "access-control-allow-origin"
CREDENTIALS: Final = "access-control-allow-credentials"
EXPOSE: Final = "access-control-expose-headers"
METHODS: Final = "access-control-allow-methods"
HEADERS: Final = "access-control-allow-headers"
MAX_AGE: Final = "access-control-max-age"
VARY: Final = "vary"
OK: Final = frozenset({200, 204})
"""Statuses by which a preflight succeeds (Fetch, 4.8: an ok status)."""
SAID_BY_GATEWAYS: Final = frozenset({CREDENTIALS})
"""Headers of which nobody can tell by their value who said them: what else they may say is asked of each answer."""
SAFELISTED: Final = frozenset({"accept"})
"""A header that every script may set: gateways that need a name get this one."""


def wrong_in_a_preflight(expect: Preflighted, answer: Answer) -> Iterator[str]:
    """Yield what an answer to a preflight tells a browser that the topology does not, or does not tell it."""
    if not expect.origin:
        yield from _told_a_stranger(expect.asking, answer)
        return
    if answer.status not in OK:
        yield f"{answer.status}, by which a browser goes no further"
    yield from _told(expect.origin, answer, credentials=expect.credentials)
    for header, wanted in ((METHODS, {*expect.methods}), (HEADERS, {*expect.headers})):
        found = {each if header == METHODS else each.lower() for each in _listed(answer, header)}
        if found - SAFELISTED != wanted - SAFELISTED:
            yield f"{header}: {', '.join(sorted(found)) or 'none'} instead of {', '.join(sorted(wanted)) or 'none'}"
    if answer.header(MAX_AGE) != str(expect.max_age):
        yield f"{MAX_AGE}: {answer.header(MAX_AGE) or 'none'} instead of {expect.max_age}"


def wrong_for_a_reader(expect: Readable, answer: Answer) -> Iterator[str]:
    """Yield what an answer tells a browser of who may read it that the topology does not, or does not tell it."""
    echo = answer.echo()
    for name, value in echo.said if echo else ():
        if name not in SAID_BY_GATEWAYS and (name, value) in answer.headers:
            yield f"{name}: {value}, as the service says, who should not be heard"
    if not expect.origin:
        yield from _told_a_stranger(expect.asking, answer)
        return
    yield from _told(expect.origin, answer, credentials=expect.credentials)
    found = {each.lower() for each in _listed(answer, EXPOSE)}
    if found != {*expect.expose}:
        yield f"{EXPOSE}: {', '.join(sorted(found)) or 'none'} instead of {', '.join(sorted(expect.expose)) or 'none'}"
    if not {"origin", "*"} & {each.lower() for each in _listed(answer, VARY)}:
        yield f"{VARY} does not name Origin: a cache may give the answer to the scripts of another origin, which cannot read it"


def _told(origin: str, answer: Answer, *, credentials: bool) -> Iterator[str]:
    found = [value for name, value in answer.headers if name == ORIGIN]
    if found != [origin]:
        yield f"{ORIGIN}: {', '.join(found) or 'none'} instead of {origin}"
    if (answer.header(CREDENTIALS) == "true") is not credentials:
        yield f"{CREDENTIALS}: {answer.header(CREDENTIALS) or 'none'}"


def _told_a_stranger(asking: str, answer: Answer) -> Iterator[str]:
    """Yield what lets an origin's scripts go on. The name of another origin, whoever asks, lets only that one's."""
    for name, value in answer.headers:
        if name == ORIGIN and value.lower() in {"*", asking.lower()}:
            yield f"{ORIGIN}: {value}, which no policy names"


def _listed(answer: Answer, header: str) -> Iterator[str]:
    for name, value in answer.headers:
        if name == header:
            yield from (part.strip() for part in value.split(",") if part.strip())
