"""Headers by which a client would be somebody else, come from elsewhere, or steer the proxies: none of them arrives as it was sent."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from topology.derive import names
from topology.derive.probes.credential import ApiKey, Token
from topology.derive.probes.doors import entering, probe, requests_of
from topology.derive.probes.entry import representatives
from topology.derive.probes.examples import protocol_of
from topology.derive.probes.expectation import Admitted, OwnTrace, Received, Refused, Renewed
from topology.derive.probes.layer import FRONT, Layer
from topology.derive.probes.pods import Pods, layer_pods, pods_of
from topology.derive.probes.probe import Family, Probe
from topology.model.door import ApiKeyAuth, Door, JwtAuth
from topology.model.service import Protocol, Service
from topology.model.system import Topology

FORGED: Final = "forged-by-probe"
"""A value that, wherever a service finds it, came from the client."""
FORGED_ID: Final = "11111111-2222-4333-8444-555555555555"
TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
"""Trace id of the example in the W3C's Trace Context."""

ADDRESSES: Final = ("x-forwarded-for", "forwarded", "x-real-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip")
REWRITES: Final = ("x-original-url", "x-rewrite-url", "x-forwarded-host", "x-forwarded-prefix", "x-original-host")
PRODUCTS: Final = ("x-consumer-username", "x-consumer-id", "x-credential-identifier", "x-authenticated-userid")


def forged(door: Door) -> dict[str, tuple[str, str]]:
    """Return the headers that are forged, by name of the probe: header and value."""
    spiffe = f"By={names.SPIFFE}x/ns/x/sa/x;URI={names.SPIFFE}{names.EDGE_IDENTITY}/{FORGED}"
    found = {
        header: (header, FORGED) for header in (*names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS, *ADDRESSES, *REWRITES, *PRODUCTS)
    }
    found[names.CLIENT_CERTIFICATE_HEADER] = (names.CLIENT_CERTIFICATE_HEADER, spiffe)
    if not isinstance(door.auth, ApiKeyAuth):
        found[names.API_KEY_HEADER] = (names.API_KEY_HEADER, FORGED)
    found["connection-named"] = ("connection", f"close, {names.SUBJECT_HEADER}")
    return found


def headers(t: Topology) -> Iterator[Probe]:
    """Yield forged headers at one door of each host and credential, and what becomes of the real ones."""
    chosen = dict.fromkeys(name for _, name, _ in representatives(t))
    for kind in (JwtAuth, ApiKeyAuth):
        more = (name for name, door in t.doors.items() if isinstance(door.auth, kind) and _echoes(t, door))
        chosen |= dict.fromkeys([next(more)] if any(isinstance(door.auth, kind) and _echoes(t, door) for door in t.doors.values()) else [])
    for name in chosen:
        door = t.doors[name]
        operation = requests_of(t, door)[0]
        for what, (header, value) in forged(door).items():
            asked = entering(t, name, operation, f"header-{what}")
            sent = replace(asked, headers=(*asked.headers, (header, value)))
            expect = Received(nowhere=(FORGED,), equal=_vouched(t, door, sent.credential))
            yield probe(t, name, Family.HEADERS, what, sent, expect, f"a client's own {header} does not arrive")
        yield from _identity(t, name, door)
        yield from _ambiguous(t, name)


def requests(t: Topology) -> Iterator[Probe]:
    """Yield what becomes of a client's request id and trace, at every door."""
    for name, door in t.doors.items():
        if not _echoes(t, door):
            continue
        operation = requests_of(t, door)[0]
        asked = entering(t, name, operation, "id")
        sent = replace(asked, headers=(*asked.headers, (names.REQUEST_ID_HEADER, FORGED_ID)))
        expect = Renewed(forged=FORGED_ID, trail=_trail(t, door))
        yield probe(t, name, Family.REQUEST_IDS, "forged", sent, expect, "a request's id is made at the edge and kept by every layer")
        sent = replace(asked, headers=(*asked.headers, ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01")))
        yield probe(t, name, Family.TRACES, "forged", sent, OwnTrace(forged=TRACE), "outsiders join no trace")


def _echoes(t: Topology, door: Door) -> bool:
    """Say whether a door leads to a plain service, which may tell what it received, and no answer is kept on the way."""
    return isinstance(t.workload(door.service), Service) and protocol_of(t, door.service) is Protocol.HTTP and door.cache is None


def _trail(t: Topology, door: Door) -> tuple[Pods, ...]:
    service = t.workload(door.service)
    found = [layer_pods(names.EDGE_NAMESPACE, names.EDGE), layer_pods(names.GATEWAY_NAMESPACE, names.GATEWAY)]
    if isinstance(service, Service) and service.audit:
        found += [layer_pods(t.meshes[t.mesh_of(door.service)].ingress, names.INGRESS), pods_of(t, door.service)]
    return tuple(found)


def _vouched(t: Topology, door: Door, credential: object) -> tuple[tuple[str, str], ...]:
    """Return the identity headers with which a request arrives, by its credential."""
    match credential:
        case Token(subject=subject, claims=claims):
            tier_claim = next((about.tier_claim for about in t.issuers.values() if about.issuer == credential.issuer), None)
            tier = dict(claims).get(tier_claim or "")
            return ((names.SUBJECT_HEADER, subject), *([(names.TIER_HEADER, tier)] if tier else []))
        case ApiKey(consumer=consumer) if isinstance(door.auth, ApiKeyAuth):
            tier = ((names.TIER_HEADER, door.auth.only_tier),) if door.auth.only_tier else ()
            return ((names.CONSUMER_HEADER, consumer), *tier)
        case _:
            return ()


def _identity(t: Topology, name: str, door: Door) -> Iterator[Probe]:
    operation = requests_of(t, door)[0]
    asked = entering(t, name, operation, "identity")
    equal = (*_vouched(t, door, asked.credential), *((header, value) for header, value in door.request_headers.set.items()))
    told = {header for header, _ in equal}
    absent = (
        "authorization",
        names.API_KEY_HEADER,
        names.CLIENT_CERTIFICATE_HEADER,
        *(header for header in names.IDENTITY_HEADERS if header not in told),
        *door.request_headers.remove,
    )
    if isinstance(door.auth, ApiKeyAuth) and not door.auth.only_tier:
        absent = tuple(header for header in absent if header != names.TIER_HEADER)
    yield probe(
        t,
        name,
        Family.HEADERS,
        "identity",
        asked,
        Received(equal=equal, absent=tuple(header for header in absent if header != names.CLIENT_CERTIFICATE_HEADER)),
        "the service learns who the client is, and no credential",
    )


def _ambiguous(t: Topology, name: str) -> Iterator[Probe]:
    """Yield requests that two layers might read as two different ones."""
    door = t.doors[name]
    asked = entering(t, name, requests_of(t, door)[0], "ambiguous")
    refused = Refused(by=(*FRONT, Layer.TRANSPORT), statuses=(400, 403, 404, 421))
    admitted = Admitted(service=door.service)
    host = t.host_of(door)
    internal = names.address(t, door.service)
    for what, change, expect in (
        ("host-internal", replace(asked, host=internal, sni=host), refused),
        ("host-other", replace(asked, host="other.example", sni=host), refused),
        ("host-address", replace(asked, host="192.0.2.1", sni=host), refused),
        ("host-capital", replace(asked, host=host.upper(), sni=host), admitted),
        ("host-port", replace(asked, host=f"{host}:443", sni=host), admitted),
        ("header-folded", replace(asked, headers=(*asked.headers, ("x-probe", "a\r\n folded"))), refused),
        (
            "header-line-feed",
            replace(asked, headers=(*asked.headers, ("x-probe", f"a\n{names.SUBJECT_HEADER}: {FORGED}"))),
            Received(nowhere=(FORGED,)),
        ),
        ("header-space", replace(asked, headers=(*asked.headers, ("x-perimeter-subject ", FORGED))), Received(nowhere=(FORGED,))),
        (
            "upgrade-h2c",
            replace(asked, headers=(*asked.headers, ("upgrade", "h2c"), ("http2-settings", "AAMAAABkAAQAAP__"))),
            Received(absent=("upgrade",)),
        ),
    ):
        yield probe(t, name, Family.HEADERS, what, change, expect, "one reading for every layer")
