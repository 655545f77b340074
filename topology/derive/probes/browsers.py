"""Browsers: what scripts of other origins may ask and read, and that a preflight goes no further than the API gateway."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from topology.derive.probes import examples
from topology.derive.probes.doors import CREDENTIAL, NOT_HERE, entering, probe, requests_of
from topology.derive.probes.expectation import Preflighted, Readable, Refused
from topology.derive.probes.layer import FRONT
from topology.derive.probes.probe import Family, Probe
from topology.derive.probes.request import Request, Scheme
from topology.model.base import Name, seconds
from topology.model.cors import PREFLIGHT
from topology.model.door import PublicAuth
from topology.model.service import Protocol, Service
from topology.model.system import Topology
from topology.preflights import Preflight, by_door

STRANGER: Final = "https://perimeter-probe.example"
"""An origin that no policy names."""
SPEAK_HEADER: Final = "x-echo-cors"
"""Request header by which a backend that echoes says to browsers that scripts of an origin may do as they like."""
TURNED_AWAY: Final = Refused(by=FRONT, statuses=(*CREDENTIAL, *NOT_HERE))


def browsers(t: Topology) -> Iterator[Probe]:
    """Yield what a browser asks at each door before a request of a script, and with it."""
    answers = by_door(t)
    for name in t.doors:
        yield from _listed(t, name, answers[name]) if name in answers else _unlisted(t, name, answers.values())


def _listed(t: Topology, name: Name, answer: Preflight) -> Iterator[Probe]:
    """Yield the probes of a door with a policy: what named origins are told, and that no other is told it."""
    asked, cors = _asked(t, name), answer.cors
    for origin in cors.origins:
        told = Preflighted(
            asking=origin,
            origin=origin,
            methods=answer.methods,
            headers=answer.headers,
            credentials=cors.credentials,
            max_age=int(seconds(cors.max_age)),
        )
        why = f"scripts of {origin} may use door {name}"
        yield _probe(t, name, f"preflight/{origin}", _preflight(asked, origin, answer), told, why)
    for origin in (STRANGER, *(each for each in _alike(cors.origins[0]) if each not in cors.origins), "null"):
        why = f"no policy names {origin}"
        yield _probe(t, name, f"preflight/{origin}", _preflight(asked, origin, answer), Preflighted(asking=origin), why)
    for what, header in (("bare", ()), ("without method", (("origin", cors.origins[0]),)), ("without origin", _wanting(asked))):
        with_credential = replace(asked, method=PREFLIGHT, body="", headers=(*asked.headers, *header))
        yield _probe(t, name, f"options/{what}", with_credential, TURNED_AWAY, f"{PREFLIGHT} {what} is no preflight")
    first, service = cors.origins[0], t.doors[name].service
    named = Readable(service=service, asking=first, origin=first, expose=cors.expose, credentials=cors.credentials)
    for read in (named, Readable(service=service, asking=STRANGER)):
        yield from _reads(t, name, read)


def _unlisted(t: Topology, name: Name, answers: Iterable[Preflight]) -> Iterator[Probe]:
    """Yield the probes of a door without a policy: a preflight is refused like any request that no door takes, and no script reads."""
    asked = _asked(t, name)
    host = t.host_of(t.doors[name])
    beside = next((each for each in answers if each.host == host and any(examples.matches(p, asked.path) for p in each.paths)), None)
    if beside is not None:
        return  # its preflights are those of the door that shares the path; of the methods that it is told, this door's are none
    if not any(examples.covered(requests_of(t, other), PREFLIGHT, asked.path) for other in t.doors.values() if t.host_of(other) == host):
        bare = replace(_preflight(asked, STRANGER), headers=(*asked.headers, ("origin", STRANGER), *_wanting(asked)))
        yield _probe(t, name, "preflight", bare, TURNED_AWAY, f"door {name} opens for no preflight")
    if t.protocol_of(t.doors[name].service) is Protocol.HTTP:
        yield from _reads(t, name, Readable(service=t.doors[name].service, asking=STRANGER))


def _reads(t: Topology, name: Name, read: Readable) -> Iterator[Probe]:
    """Yield what scripts of an origin ask for at a door: an answer, a refusal, and the answer of a service that lets scripts read it."""
    door, origin = t.doors[name], read.asking
    whose = f"scripts of {origin} {'may' if read.origin else 'may not'}"

    def asked(what: str, *more: tuple[str, str]) -> Request:
        found = _asked(t, name, f"{what} {origin}")
        return replace(found, headers=(*found.headers, ("origin", origin), *more))

    yield _probe(t, name, f"read/{origin}", asked("read"), read, f"{whose} read its answers")
    if not isinstance(door.auth, PublicAuth):
        refusal = replace(asked("refused"), credential=None)
        yield _probe(t, name, f"refused/{origin}", refusal, replace(read, refused=CREDENTIAL), f"{whose} read that they are refused")
    if isinstance(t.workload(door.service), Service):
        spoken = asked("service", (SPEAK_HEADER, STRANGER))
        apart = replace(spoken, path=f"{spoken.path}?{SPEAK_HEADER}")  # no kept answer of another request
        why = f"{whose} read its answers, whatever {door.service} says of it"
        yield _probe(t, name, f"service/{origin}", apart, replace(read, outspoken=True), why)


def _asked(t: Topology, name: Name, who: str = "browser") -> Request:
    return entering(t, name, requests_of(t, t.doors[name])[0], who)


def _preflight(asked: Request, origin: str, answer: Preflight | None = None) -> Request:
    """Return the question that a browser puts before a request: without credential, without the request's own headers (Fetch, 4.8)."""
    wanted = (("access-control-request-headers", ",".join(answer.headers)),) if answer and answer.headers else ()
    headers = (("origin", origin), *_wanting(asked), *wanted)
    return replace(asked, method=PREFLIGHT, headers=headers, credential=None, body="", scheme=Scheme.HTTPS)


def _wanting(asked: Request) -> tuple[tuple[str, str], ...]:
    return (("access-control-request-method", asked.method),)


def _alike(origin: str) -> tuple[str, ...]:
    """Return origins that begin or end like one, or are another scheme's."""
    scheme, _, host = origin.partition("://")
    return f"{origin}.perimeter-probe.example", f"{scheme}://perimeter-probe{host}", f"{'http' if scheme == 'https' else 'https'}://{host}"


def _probe(t: Topology, name: Name, what: str, request: Request, expect: Preflighted | Readable | Refused, why: str) -> Probe:  # noqa: PLR0913, PLR0917 # the parts of a probe
    return probe(t, name, Family.BROWSERS, what, request, expect, why)
