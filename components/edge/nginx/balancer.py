"""A load balancer that ends clients' TLS in front of nginx, and what nginx has to do otherwise then."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from topology.derive import names

MISDIRECTED: Final = 421
"""What is answered to requests of no host of ours, health checks among them (RFC 9110, 15.5.20)."""
UNIMPLEMENTED: Final = 12
"""What is answered to a health check of gRPC (status codes of gRPC)."""
HEALTH_CALL: Final = "/perimeter.Health/Check"
"""A call of gRPC that no service has, by which the load balancer asks for health."""
MARGIN: Final = 10
"""Seconds that nginx keeps an unused connection longer than the load balancer does.

Were it the first to close one, a request that is under way on it would be answered with 502 (ELB User Guide,
`load-balancer-troubleshooting`: http-502-issues).
"""


@dataclass(frozen=True, kw_only=True)
class Balancer:
    """A load balancer that speaks HTTP. It opens TLS connections of its own to nginx, asks for no name in them and shows no certificate."""

    addresses: tuple[str, ...]
    """Ranges that it calls from. Nobody else reaches nginx."""
    idle: int
    """Seconds for which it keeps an unused connection."""

    @property
    def keepalive(self) -> int:
        """Seconds for which nginx keeps an unused connection."""
        return self.idle + MARGIN

    def real_address(self) -> Iterator[str]:
        """Yield the directives by which the client's address is the last one in X-Forwarded-For: the one that the load balancer has seen.

        Addresses before it are a client's own words (https://nginx.org/en/docs/http/ngx_http_realip_module.html).
        """
        yield from (f"set_real_ip_from {addresses};" for addresses in self.addresses)
        yield "real_ip_header X-Forwarded-For;"
        yield "real_ip_recursive off;"


def nobody(*, grpc: bool) -> Iterator[str]:
    """Yield the lines of the server for requests of no host of ours: every connection begins there, since none asks for a name.

    Args:
        grpc: whether a load balancer asks for the health of gRPC, too.
    """
    yield f"listen {names.EDGE_POD_PORT} ssl http2 default_server;"
    yield 'server_name "";'
    yield "set $door -;"
    if grpc:
        answer = f"default_type application/grpc; add_header grpc-status {UNIMPLEMENTED} always; return 200;"
        yield f"location = {HEALTH_CALL} {{ {answer} }}"
    yield f"location / {{ return {MISDIRECTED}; }}"
