"""Who may end a request on its way."""

from enum import StrEnum
from typing import Final


class Layer(StrEnum):
    """Who ended a request."""

    NETWORK = "network"
    """No connection came about."""
    TRANSPORT = "transport"
    """A connection came about and was closed without an answer: TLS refused, or plaintext refused."""
    EDGE = "edge"
    FIREWALL = "firewall"
    PROXY = "proxy"
    """An Envoy or Kong in the way: gateway, mesh ingress or the sidecar of the callee."""
    OWN_PROXY = "own sidecar"
    """The caller's sidecar knows no such destination."""
    LIMIT = "limit"
    FAULT = "fault"
    UPSTREAM = "upstream"
    """A proxy let the request pass and could not reach whom it sent it to."""
    SERVICE = "service"
    UNKNOWN = "unknown"


REFUSALS: Final = (Layer.NETWORK, Layer.TRANSPORT, Layer.EDGE, Layer.FIREWALL, Layer.PROXY, Layer.OWN_PROXY)
FRONT: Final = (Layer.EDGE, Layer.FIREWALL, Layer.PROXY)
"""The layers of the way in that answer in HTTP."""
UNREACHED: Final = (Layer.NETWORK, Layer.TRANSPORT)
INSIDE: Final = (Layer.NETWORK, Layer.TRANSPORT, Layer.PROXY, Layer.OWN_PROXY)
