"""What Kong's open-source edition cannot carry, as far as it takes knowledge of Kong to see it in a topology.

The other features, and the sentences that people read, are in `components.gateway.capabilities`.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from components.gateway.kong.consumers import issuers
from topology.model.base import Name
from topology.model.system import Topology

CARRIES: Final = {
    "a header value that begins with ':'": "its transformers take every colon after a header's name for the end of the name",
    "a request header with '$('": "its transformers take that for a program, and programs in its configuration are switched off",
    "two issuers with one address": "a token names its issuer by address, and Kong keeps one key for an address",
}
"""Feature, and why Kong does not carry it."""

Place = tuple[Name, str, str]
"""A door, `requestHeaders` or `responseHeaders`, and a header."""


def unsayable_headers(t: Topology) -> Iterator[Place]:
    """Yield the headers whose values Kong would change or refuse (kong/plugins/request-transformer/access.lua, `iter`, `param_value`)."""
    for name, door in t.doors.items():
        for side, edit in (("requestHeaders", door.request_headers), ("responseHeaders", door.response_headers)):
            yield from (
                (name, side, header)
                for header, value in edit.set.items()
                if value.startswith(":") or (side == "requestHeaders" and "$(" in value)
            )


def issuers_of_one_address(t: Topology) -> list[Name]:
    """Return the issuers, among those whose tokens open a door, that share their address with another."""
    used = issuers(t)
    count = Counter(t.issuers[name].issuer for name in used)
    return [name for name in used if count[t.issuers[name].issuer] > 1]
