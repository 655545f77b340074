"""Sets of addresses as filters of clouds speak of them: ranges, and names for sets that no plan lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network, summarize_address_range
from typing import Final

from policies.reading.values import UnknownValueError

Range = tuple[int, int]
"""First and last IPv4 address as numbers."""

LAST: Final = 2**32 - 1
SHOWN: Final = 3
"""So many networks are written out."""

INTERNET: Final = "Internet"
"""The name of everything outside, where a filter says it by name."""


@dataclass(frozen=True)
class Addresses:
    """IPv4 addresses, and named sets beside them: service tags, security groups, prefix lists.

    A name stands for addresses that are not in the plan. Two sets share one only where they share the name; what a name may hold
    besides is for the reader of its cloud to say (`Internet` is written out as ranges as well).
    """

    ranges: tuple[Range, ...] = ()
    """Sorted, apart from each other."""
    names: frozenset[str] = frozenset()

    def __or__(self, other: "Addresses") -> "Addresses":
        """Return what is in either."""
        return Addresses(_merged((*self.ranges, *other.ranges)), self.names | other.names)

    def __sub__(self, other: "Addresses") -> "Addresses":
        """Return what is left without the other's."""
        left: list[Range] = list(self.ranges)
        for first, last in other.ranges:
            parts = [part for low, high in left for part in ((low, min(high, first - 1)), (max(low, last + 1), high))]
            left = [part for part in parts if part[0] <= part[1]]
        return Addresses(_merged(left), self.names - other.names)

    def __and__(self, other: "Addresses") -> "Addresses":
        """Return what is in both."""
        shared = [
            (max(low, first), min(high, last))
            for low, high in self.ranges
            for first, last in other.ranges
            if max(low, first) <= min(high, last)
        ]
        return Addresses(_merged(shared), self.names & other.names)

    def __bool__(self) -> bool:
        """Say whether there is any address."""
        return bool(self.ranges or self.names)

    def holds(self, other: "Addresses") -> bool:
        """Say whether all of the other's are here."""
        return not other - self

    @cached_property
    def networks(self) -> tuple[IPv4Network, ...]:
        """Return the ranges as networks."""
        return tuple(network for first, last in self.ranges for network in summarize_address_range(IPv4Address(first), IPv4Address(last)))

    def __str__(self) -> str:
        """Spell the set."""
        if self.names:  # they say what the ranges are
            return ", ".join("the internet" if name == INTERNET else name for name in sorted(self.names))
        return ", ".join(map(str, self.networks[:SHOWN])) + (" and more" if len(self.networks) > SHOWN else "") or "nobody"


def addresses(*blocks: str) -> Addresses:
    """Return the addresses of some networks in CIDR notation, or of single addresses. IPv6 outside the private ranges is `OUTSIDE`.

    Raises:
        UnknownValueError: if one is no network.
    """
    found: list[Range] = []
    public6 = False
    for block in blocks:
        try:
            network = ip_network(block, strict=False)
        except ValueError as error:
            raise UnknownValueError(str(block), f"no range of addresses ({error})") from error
        if isinstance(network, IPv6Network):
            public6 = public6 or not network.is_private or network.prefixlen == 0
        else:
            found.append((int(network.network_address), int(network.broadcast_address)))
    result = Addresses(_merged(found))
    return result | OUTSIDE if public6 else result


def _merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


EVERYWHERE: Final = Addresses(((0, LAST),))
_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8", "224.0.0.0/3")
PRIVATE: Final = Addresses(_merged((int(n.network_address), int(n.broadcast_address)) for n in map(IPv4Network, _PRIVATE)))
"""Addresses that no packet from the internet has (RFC 1918, 6598, 3927, 1122, 5771)."""
OUTSIDE: Final = Addresses((EVERYWHERE - PRIVATE).ranges, frozenset({INTERNET}))
"""The internet."""
