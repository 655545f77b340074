"""Ranges of addresses of an environment: what no stack file can say, whatever the cloud."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Network
from itertools import combinations
from typing import Final

PRIVATE: Final = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
"""Ranges that the internet does not route (RFC 1918, RFC 6598); Azure takes the last one as private too (Learn, `virtual-networks-faq`)."""

WIDEST: Final = 16
"""Prefix length of the widest range of one host."""


def faults(
    own: Mapping[str, str], *, longest_prefix: int, operators: Iterable[str], private_operators: Iterable[str], elsewhere: bool
) -> list[str]:
    """Return what cannot be, each with what to do.

    Args:
        own: the environment's own ranges by key of the stack file, `network` among them.
        longest_prefix: of the smallest network that holds the plan of subnets.
        operators: ranges from which the Kubernetes API is reached over the internet.
        private_operators: ranges from which it is reached without the internet.
        elsewhere: whether those are of connected networks alone, and none of the environment's own.
    """
    wrong: list[str] = []
    taken = {key: block for key, given in own.items() for block in _networks(key, [given], wrong)}
    wrong += [f"{a} {taken[a]} and {b} {taken[b]} overlap" for a, b in combinations(taken, 2) if taken[a].overlaps(taken[b])]
    whole = taken.get("network")
    if whole and whole.prefixlen > longest_prefix:
        wrong.append(f"network {whole} is too small for the plan of subnets: give it a /{longest_prefix} or larger")
    everybody = [block for block in _networks("operators", operators, wrong) if not block.prefixlen]
    wrong += [f"operators {block} is every address: name your own" for block in everybody]
    for block in _networks("privateOperators", private_operators, wrong):
        if not any(block.subnet_of(private) for private in PRIVATE):
            ranges = ", ".join(map(str, PRIVATE))
            wrong.append(f"privateOperators {block} is not private: give a part of {ranges}, and public addresses in operators")
        wrong += [
            f"privateOperators {block} and {key} {other} overlap: give the range of a connected network"
            for key, other in taken.items()
            if elsewhere and block.overlaps(other)
        ]
    return wrong


def private(key: str, given: Iterable[str]) -> Iterator[str]:
    """Yield what cannot be of a key that gives ranges of hosts without a public address."""
    wrong: list[str] = []
    for block in _networks(key, given, wrong):
        if not any(block.subnet_of(each) for each in PRIVATE):
            yield f"{key} {block} is not private: give a part of {', '.join(map(str, PRIVATE))}, or leave the host out"
        elif block.prefixlen < WIDEST:
            yield f"{key} {block} is a whole network: give the subnet of the host, a /{WIDEST} or smaller"
    yield from wrong


def apart(key: str, given: Iterable[str], own: Mapping[str, str]) -> Iterator[str]:
    """Yield the ranges of hosts elsewhere that overlap the environment's own: what is opened to them would be open to its pods and Services.

    Args:
        key: of the stack file, which gives the ranges.
        given: the ranges; what is none, `private` says.
        own: ranges of pods, Services and nodes by where the stack file gives them.
    """
    taken = {where: found for where, block in own.items() if (found := network(block))}
    for block in filter(None, map(network, given)):
        for where, other in taken.items():
            if block.overlaps(other):
                yield f"{key} {block} and {where} {other} overlap, which the cluster itself uses: give the range of the host, outside of the cluster"


def unreachable(operators: Iterable[str], why: str) -> Iterator[str]:
    """Yield operators' ranges that no address of the internet is in: private ones and those of documentation.

    Args:
        operators: ranges from which the Kubernetes API is reached over the internet; what is no range, `faults` says.
        why: completes the sentence after the range.
    """
    for block in filter(None, map(network, operators)):
        if not block.is_global and block.prefixlen:
            yield f"operators {block} {why}: give your public address, and private ranges in privateOperators"


def network(given: str) -> IPv4Network | None:
    """Return a range, or None where it is none."""
    try:
        return IPv4Network(given)
    except ValueError:
        return None


def _networks(key: str, given: Iterable[str], wrong: list[str]) -> list[IPv4Network]:
    """Return the ranges that a key gives; of what is none, `wrong` is told."""
    found: list[IPv4Network] = []
    for each in given:
        try:
            found.append(IPv4Network(each))
        except ValueError as error:
            wrong.append(f"{key} {each} is no range of IPv4 addresses ({error}): give one such as 10.20.0.0/24")
    return found
