"""What a probe sends."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from topology.derive.probes.credential import Certificate, Credential

Field = tuple[str, str]
"""Name and value."""
CREDENTIAL: Final[Field] = ("{credential}", "")
"""Stands for the headers of a request, its credential and the length of its body among them."""
WELL_FORMED: Final[tuple[Field, ...]] = (
    (":method", "{method}"),
    (":scheme", "https"),
    (":authority", "{host}"),
    (":path", "{path}"),
    CREDENTIAL,
)
"""A request in HTTP/2 as it should be (RFC 9113, 8.3.1)."""
SMUGGLED_MARK: Final = "perimeter-smuggled"
"""Stands in what should never arrive."""


class Scheme(StrEnum):
    """What is spoken on the connection."""

    HTTP = "http"
    HTTPS = "https"
    GRPC = "grpc"
    """HTTP/2 without TLS from inside, with TLS from outside."""
    TCP = "tcp"
    """A connection, and whether it is kept."""
    RAW = "raw"
    """Bytes as they are, over TLS, and how many answers come."""
    HTTP2 = "http/2"
    """Header fields and DATA as they are, in frames over TLS; after them the well-formed request, and the answers to both."""
    SCAN = "scan"
    """Connections to many ports."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is sent, and how often. The path is sent as it stands."""

    method: str = "GET"
    path: str = "/"
    scheme: Scheme = Scheme.HTTP
    host: str = ""
    """Of the `Host` header; empty: the target's name."""
    sni: str = ""
    """Empty: as `host`."""
    headers: tuple[tuple[str, str], ...] = ()
    credential: Credential = None
    certificate: Certificate = Certificate.NONE
    body: str = ""
    count: int = 1
    pace: float = 0.0
    """With `count` from outside: requests a second; 0: as fast as can be."""
    spread: bool = False
    """With `count`: one request after the other instead of as fast as can be."""
    raw: str = ""
    """With `Scheme.RAW`: bytes as Latin-1; `{host}`, `{path}` and `{credential}` are filled in, `{method}` too. With `Scheme.HTTP2`: DATA in place of `body`."""
    fields: tuple[Field, ...] = WELL_FORMED
    """With `Scheme.HTTP2`: header fields in their order, pseudo-header fields among them, filled in as `raw` is."""
    ports: tuple[int, ...] = ()
    """With `Scheme.SCAN`."""
    tls: str = ""
    """The newest version of TLS that is offered; empty: any."""
    seconds: float = 5.0
    """After which no answer is awaited any more."""
