"""What is sent as bytes: requests that two servers would count differently, and TLS that should not be."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from topology.derive.probes.doors import entering, probe
from topology.derive.probes.entry import representatives
from topology.derive.probes.expectation import Refused, Single
from topology.derive.probes.layer import FRONT, Layer
from topology.derive.probes.probe import Family, Probe
from topology.derive.probes.request import SMUGGLED_MARK, Request, Scheme
from topology.model.system import Topology

HEAD: Final = "{method} {path} HTTP/1.1\r\nHost: {host}\r\n{credential}"
HIDDEN: Final = f"GET /{SMUGGLED_MARK} HTTP/1.1\r\nHost: {{host}}\r\n\r\n"
LENGTH: Final = len(HIDDEN)

SMUGGLED: Final = {
    "cl-te": f"{HEAD}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "te-cl": f"{HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5c\r\n{HIDDEN}\r\n0\r\n\r\n",
    "te-space": f"{HEAD}Content-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "te-tab": f"{HEAD}Content-Length: 5\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "te-x": f"{HEAD}Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "te-twice": f"{HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{HIDDEN}",
    "te-http-1.0": f"{HEAD.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "cl-twice": f"{HEAD}Content-Length: 0\r\nContent-Length: 60\r\n\r\n{HIDDEN}",
    "cl-plus": f"{HEAD}Content-Length: +0\r\n\r\n{HIDDEN}",
    "cl-negative": f"{HEAD}Content-Length: -1\r\n\r\n{HIDDEN}",
    "cl-list": f"{HEAD}Content-Length: 0, 60\r\n\r\n{HIDDEN}",
    "chunk-overflow": f"{HEAD}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff1\r\nx\r\n0\r\n\r\n{HIDDEN}",
    "chunk-line-feed": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n0;x\n\r\n{HIDDEN}",
    "host-twice": f"{HEAD}Host: other.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "head-bare-line-feed": "{method} {path} HTTP/1.1\nHost: {host}\n\n" + HIDDEN,
    "connect": "CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n\r\n" + HIDDEN,
}
"""Each says at most one request; a second answer to the hidden one would be a request that no layer has checked."""

TLS_REFUSED: Final = Refused(by=(Layer.TRANSPORT, Layer.NETWORK))


def smuggling(t: Topology) -> Iterator[Probe]:
    """Yield ambiguous requests at one door of each host."""
    for host, name, operation in representatives(t):
        for what, raw in SMUGGLED.items():
            asked = replace(entering(t, name, operation, f"smuggling {what}"), scheme=Scheme.RAW, raw=raw, host=host, seconds=3.0)
            yield probe(t, name, Family.SMUGGLING, what, asked, Single(), "one request is one request for every layer")


def tls(t: Topology) -> Iterator[Probe]:
    """Yield handshakes that the edge refuses."""
    for name, door in t.doors.items():
        host = t.host_of(door)
        asked = Request(method="GET", path="/", scheme=Scheme.HTTPS, host=host, seconds=5.0)
        closed = Refused(by=(*FRONT, Layer.TRANSPORT, Layer.NETWORK))
        for what, request, expect, why in (
            (
                "sni-unknown",
                replace(asked, sni="unknown.example", host="unknown.example"),
                TLS_REFUSED,
                "no certificate for a host that is not ours",
            ),
            ("sni-unknown-host-known", replace(asked, sni="unknown.example"), TLS_REFUSED, "no certificate for a host that is not ours"),
            ("tls-1.1", replace(asked, tls="1.1"), TLS_REFUSED, "TLS 1.2 at least"),
            ("tls-1.0", replace(asked, tls="1.0"), TLS_REFUSED, "TLS 1.2 at least"),
            ("plaintext", replace(asked, scheme=Scheme.HTTP), closed, "nothing is served without TLS"),
        ):
            yield probe(t, name, Family.TLS, what, request, expect, why, about=host)
        return
