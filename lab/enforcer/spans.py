"""Spans of whole numbers, both ends included: address ranges and port ranges."""

from collections.abc import Iterable
from ipaddress import IPv4Network, ip_network
from typing import Final

Span = tuple[int, int]
EVERY_ADDRESS: Final[Span] = (0, 2**32 - 1)
EVERY_PORT: Final[Span] = (0, 2**16 - 1)


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the same numbers as spans that neither overlap nor touch, in ascending order."""
    joined: list[Span] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return tuple(joined)


def without(span: Span, holes: Iterable[Span]) -> tuple[Span, ...]:
    """Return what is left of a span."""
    left: list[Span] = []
    start, end = span
    for first, last in union(holes):
        if first > start:
            left.append((start, min(first - 1, end)))
        start = max(start, last + 1)
    if start <= end:
        left.append((start, end))
    return tuple(one for one in left if one[0] <= one[1])


def addresses(cidr: str) -> tuple[Span, ...]:
    """Return the IPv4 addresses of a range in CIDR notation; a range of IPv6 has none."""
    network = ip_network(cidr, strict=False)
    return ((int(network.network_address), int(network.broadcast_address)),) if isinstance(network, IPv4Network) else ()


def holds(spans: Iterable[Span], number: int) -> bool:
    """Tell whether a number is in one of the spans."""
    return any(first <= number <= last for first, last in spans)
