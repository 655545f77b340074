"""Cross-origin resource sharing: which pages may let a browser ask at a door, and read what it answers (Fetch, 3.2, HTTP CORS protocol)."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from topology.model.base import Duration, Flag, HeaderName, HttpMethod, Model

PREFLIGHT: Final[HttpMethod] = "OPTIONS"
"""The method by which browsers ask first (Fetch, 4.8, CORS-preflight fetch)."""

NOT_AN_ORIGIN: Final = "origin"
"""The error type of a text that is no origin."""

_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_PORT: Final = r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
_ORIGIN: Final = rf"^(https://({_LABEL}\.)*{_LABEL}{_PORT}|http://localhost{_PORT})$"
_LONGEST: Final = 253
"""Characters of an origin, at most: Envoy Gateway refuses longer ones (api/v1alpha1/cors_types.go)."""
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://")
_USUAL_PORT: Final = re.compile(r"https://[^:/]*:443|http://[^:/]*:80")


def _flaw(origin: str) -> str:
    """Return what keeps a text from being an origin, or nothing."""
    if origin == "*":
        return "would let the scripts of every page there is read what a client may read: name the pages' origins"
    if "*" in origin:
        return "stands for origins that nobody has named, and whoever gets one of them (a forgotten subdomain) reads along: name each"
    if origin == "null":
        return "is what sandboxed frames and local files say of themselves, whoever wrote them: serve the page from an origin of its own"
    if re.search(r"[,\s]", origin.strip()):
        return "is more than one origin, and browsers compare it as one: list each by itself"
    if not origin.isascii():
        return "must be written as browsers send it, a host outside ASCII in Punycode (xn--...)"
    if len(origin) > _LONGEST:
        return f"is longer than gateways take: {_LONGEST} characters at most"
    if not _SCHEME.match(origin):
        return "must begin with https://"
    if origin.startswith("http://") and not re.match(r"http://localhost(:|/|$)", origin):
        return "is a page without TLS, which anybody on the way may write: use https; plain http is for localhost alone"
    if "/" in origin.partition("://")[2]:
        return "has a path, and browsers send none in `Origin`: end it with the host or the port"
    if _USUAL_PORT.fullmatch(origin):
        return "names the port that browsers leave out of `Origin`: leave it out"
    if not re.fullmatch(_ORIGIN, origin, re.ASCII):
        return "must be https://, a host in lower case and a port where it is not 443, letter by letter as browsers send it"
    return ""


def is_at_home(origin: str) -> bool:
    """Say whether an origin is a page that the client's own machine serves, by whatever program listens there."""
    return origin.partition("://")[2].partition(":")[0] == "localhost"


def _check(origin: str) -> str:
    if flaw := _flaw(origin):
        raise PydanticCustomError(NOT_AN_ORIGIN, "{flaw}", {"flaw": flaw, "example": "https://app.shop.example"})
    return origin


Origin = Annotated[
    str,
    Field(strict=True),
    AfterValidator(_check),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": _ORIGIN,
            "maxLength": _LONGEST,
            "description": "An origin, letter by letter as browsers send it: https, a host, and a port where it is not 443; or http://localhost.",
            "examples": ["https://app.shop.example", "http://localhost:5173"],
        }
    ),
]
"""Where a page comes from: scheme, host and port (RFC 6454, 7). One page's, never a pattern: no wildcard, no subdomains, no `null`."""


class Cors(Model):
    """Whose scripts a browser lets ask at a door and read its answers. Everything that is not said here, a browser refuses them.

    The methods are those of the doors that name it; what their credential is shown in is among the headers without being said.
    """

    origins: Annotated[tuple[Origin, ...], Field(min_length=1)]
    """Origins of the pages, each in full."""
    headers: tuple[HeaderName, ...] = ()
    """Request headers that scripts may set, beside those that every script may, and those that the door's credential and API version need."""
    expose: tuple[HeaderName, ...] = ()
    """Headers of answers that scripts may read, beside those that every script may."""
    credentials: Flag = False
    """Whether browsers send cookies and client certificates along. A token or a key in a header needs none of that."""
    max_age: Duration = "10m"
    """How long a browser need not ask again, in whole seconds. Chromium keeps to two hours at most, Firefox to a day."""
