"""What is sent in frames of HTTP/2: requests that are malformed, which no hop may pass on (RFC 9113, 8.1.1).

A hop that does, and speaks HTTP/1.1 behind, writes what it was sent into a text where it means something else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from topology.derive.probes.doors import entering, probe
from topology.derive.probes.entry import representatives
from topology.derive.probes.examples import Operation
from topology.derive.probes.expectation import Admitted, Rejected
from topology.derive.probes.layer import FRONT, Layer
from topology.derive.probes.probe import Family, Probe, Stage
from topology.derive.probes.request import CREDENTIAL, SMUGGLED_MARK, WELL_FORMED, Field, Request, Scheme
from topology.derive.probes.wire import HIDDEN
from topology.model.base import HostName, Name
from topology.model.system import Topology

METHOD, SCHEME, AUTHORITY, PATH, _ = WELL_FORMED
COOKIES: Final = 10_000
"""One octet each in a header block whose table knows the first; each costs the receiver far more (CVE-2026-47774)."""
REFUSALS: Final = (400, 403, 413, 421, 431, 501)
"""Statuses that say that a request is malformed; 403 is a firewall's, 501 that of an unknown transfer coding (RFC 9112, 6.1)."""


@dataclass(frozen=True, kw_only=True)
class Malformed:
    """A request that breaks a rule."""

    rule: str
    """Of RFC 9113, unless it says otherwise."""
    fields: tuple[Field, ...]
    data: str = ""
    mended: bool = False
    """A hop may take it for the well-formed request that it nearly is, and drop what is wrong."""


MALFORMED: Final = {
    "h2-cl-short": Malformed(rule="8.1.1: DATA is as long as content-length", fields=(*WELL_FORMED, ("content-length", "0")), data=HIDDEN),
    "h2-cl-long": Malformed(rule="8.1.1: DATA is as long as content-length", fields=(*WELL_FORMED, ("content-length", "60")), data="x"),
    "h2-te": Malformed(
        rule="8.2.2: no transfer-encoding", fields=(*WELL_FORMED, ("transfer-encoding", "chunked")), data=f"0\r\n\r\n{HIDDEN}"
    ),
    "h2-connection": Malformed(rule="8.2.2: no connection", fields=(*WELL_FORMED, ("connection", SMUGGLED_MARK)), mended=True),
    "h2-value-crlf": Malformed(rule="8.2.1: no CR or LF in a value", fields=(*WELL_FORMED, ("x-perimeter", f"1\r\n\r\n{HIDDEN}"))),
    "h2-name-crlf": Malformed(rule="8.2.1: no control in a name", fields=(*WELL_FORMED, (f"x-perimeter: 1\r\nx-{SMUGGLED_MARK}", "1"))),
    "h2-name-uppercase": Malformed(rule="8.2.1: names in small letters", fields=(*WELL_FORMED, ("X-Perimeter", SMUGGLED_MARK))),
    "h2-method-crlf": Malformed(
        rule="8.3.1: :method is a token", fields=((":method", f"{{method}} {{path}} HTTP/1.1\r\n\r\n{HIDDEN}"), *WELL_FORMED[1:])
    ),
    "h2-path-crlf": Malformed(
        rule="8.3.1: :path is of a URI",
        fields=(METHOD, SCHEME, AUTHORITY, (":path", f"{{path}} HTTP/1.1\r\nHost: {{host}}\r\n\r\nGET /{SMUGGLED_MARK}"), CREDENTIAL),
    ),
    "h2-path-space": Malformed(
        rule="8.3.1: :path is of a URI", fields=(METHOD, SCHEME, AUTHORITY, (":path", f"{{path}} /{SMUGGLED_MARK}"), CREDENTIAL)
    ),
    "h2-path-twice": Malformed(
        rule="8.3: a pseudo-header field once", fields=(METHOD, SCHEME, AUTHORITY, PATH, (":path", f"/{SMUGGLED_MARK}"), CREDENTIAL)
    ),
    "h2-pseudo-late": Malformed(
        rule="8.3: pseudo-header fields first", fields=(METHOD, SCHEME, AUTHORITY, ("x-perimeter", "1"), PATH, CREDENTIAL), mended=True
    ),
    "h2-authority-none": Malformed(rule="8.3.1: :authority, or host", fields=(METHOD, SCHEME, PATH, CREDENTIAL)),
    "h2-authority-host": Malformed(
        rule="8.3.1: host as :authority", fields=(*WELL_FORMED, ("host", f"{SMUGGLED_MARK}.example")), mended=True
    ),
    "h2-cookies": Malformed(rule="RFC 6585, 5: not too many fields", fields=(*WELL_FORMED, *((("cookie", "a=1"),) * COOKIES))),
    "h2-cookies-empty": Malformed(rule="RFC 6585, 5: not too many fields", fields=(*WELL_FORMED, *((("cookie", ""),) * COOKIES))),
}
"""Each is one request of a client that may come in, but for the one thing that is wrong about it.

Mended by hops that are in use: nginx drops `connection`, and takes a pseudo-header field that comes late (`ngx_http_v2.c`); servers
only should refuse a host that is not :authority (8.3.1).
"""


def malformed(t: Topology) -> Iterator[Probe]:
    """Yield malformed requests at one door of each host, each held against a well-formed one in the same frames."""
    rejected = Rejected(by=(*FRONT, Layer.TRANSPORT), statuses=REFUSALS)
    for host, name, operation in representatives(t):
        door = t.doors[name]
        expect = Admitted(service=door.service, version=door.version or "")
        asked = _asked(t, host, name, operation, "h2")
        well = probe(t, name, Family.SMUGGLING, "h2", asked, expect, "a well-formed request over HTTP/2 is let in")
        control = replace(well, stage=Stage.CONTROL, controls=())
        yield control
        for what, about in MALFORMED.items():
            request = replace(_asked(t, host, name, operation, what), fields=about.fields, raw=about.data)
            found = probe(t, name, Family.SMUGGLING, what, request, replace(rejected, mended=about.mended), about.rule)
            yield replace(found, controls=(control.id,))


def _asked(t: Topology, host: HostName, name: Name, operation: Operation, what: str) -> Request:
    return replace(entering(t, name, operation, f"smuggling {what}"), scheme=Scheme.HTTP2, host=host, seconds=5.0)
