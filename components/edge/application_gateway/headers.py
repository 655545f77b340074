"""Headers at the edge.

Application Gateway changes at most 40 headers in one set of rules (Learn, `rewrite-http-headers-url`, limitations), so it takes those
that other layers believe; the gateway behind it removes every one of `components.headers.REMOVED`. Of answers it changes every header
but `Connection` and `Upgrade` (the same page), in answers from behind it alone: its own 4xx and 5xx stay as they are.
"""

from typing import Final

from components.headers import OVERRIDING, REWRITING
from topology.derive import names

SET: Final = {
    "X-Forwarded-For": "{var_client_ip}",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "{var_host}",
}
"""What the edge says itself, from the connection; nothing of a client's own value remains."""

REMOVED: Final = (
    names.REQUEST_ID_HEADER, *names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS,
    "forwarded", "x-real-ip", "x-original-url", "x-rewrite-url",
)  # fmt: skip
"""Headers by which clients would pass for layers; an empty value removes one."""

REFUSED: Final = (*OVERRIDING, *(name for name in REWRITING if name not in REMOVED))
"""Headers by which some frameworks run another method, or serve another path or host; the firewall refuses what there is no room to remove."""
