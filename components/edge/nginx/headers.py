"""Request headers at the edge: what a client may not send on, and what the edge says itself."""

from typing import Final

from components.headers import HIDDEN, OVERRIDING, REMOVED
from topology.derive import names

__all__ = ["HIDDEN", "OVERRIDING", "REMOVED", "SET"]

SET: Final = {
    "host": "$server_name",
    "x-forwarded-for": "$remote_addr",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "$server_name",
    names.REQUEST_ID_HEADER: "$edge_request_id",
    "authorization": "$edge_authorization",
    names.API_KEY_HEADER: "$edge_api_key",
    "upgrade": "$edge_upgrade",
    "connection": "$edge_connection",
}
"""What the edge says itself; nothing of a client's own value remains. An empty value removes the header."""
