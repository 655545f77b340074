"""What Kong's open-source edition cannot carry, as far as it takes knowledge of Kong to see it in a topology.

What it cannot carry otherwise, and the sentences that people read, are in `components.gateway.capabilities`.
"""

from collections.abc import Iterator

from topology.model.base import Name
from topology.model.system import Topology

Place = tuple[Name, str, str]
"""A door, `requestHeaders` or `responseHeaders`, and a header."""


def unsayable_headers(t: Topology) -> Iterator[Place]:
    """Yield the headers whose values Kong would change or refuse.

    Its transformers take every colon after a header's name for the end of the name, and `$(` in a request header for a program, which
    `untrusted_lua: off` forbids (kong/plugins/request-transformer/access.lua, `iter` and `param_value`).
    """
    for name, door in t.doors.items():
        for side, edit in (("requestHeaders", door.request_headers), ("responseHeaders", door.response_headers)):
            for header, value in edit.set.items():
                if value.startswith(":") or (side == "requestHeaders" and "$(" in value):
                    yield name, side, header
