"""Connections that a filter lets through and nobody needs, gathered by the rule of the filter: one word about each, with all its ports."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policies.reading.cloud.addresses import Addresses
from policies.reading.resource import Resource


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """What one rule of a filter lets through."""

    peers: Addresses
    by: str
    """The rule, as people name it."""
    filter: Resource
    ports: tuple[tuple[str, int], ...]
    """Transport and number of each."""

    @property
    def door(self) -> str:
        """Name all ports: `port 443`, `ports 22, 80 (TCP, UDP)`."""
        by_transport: defaultdict[str, set[int]] = defaultdict(set)
        for transport, port in self.ports:
            by_transport[transport].add(port)
        alike: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
        for transport, ports in by_transport.items():
            alike[tuple(sorted(ports))].append(transport)
        return " and ".join(map(_said, alike, alike.values()))


def _said(ports: tuple[int, ...], transports: list[str]) -> str:
    over = "" if transports == ["TCP"] else f" ({', '.join(transports)})"
    return f"port{'s' if len(ports) > 1 else ''} {', '.join(map(str, ports))}{over}"


def gathered(found: Iterable[tuple[Resource, str, Addresses, tuple[str, int]]]) -> Iterator[Crossing]:
    """Yield one crossing for each rule of a filter: of filter, rule, peers and port as they are found."""
    by_rule: defaultdict[tuple[Resource, str], list[tuple[Addresses, tuple[str, int]]]] = defaultdict(list)
    for filter_, by, peers, port in found:
        by_rule[filter_, by].append((peers, port))
    for (filter_, by), said in by_rule.items():
        everybody = Addresses()
        for peers, _ in said:
            everybody |= peers
        yield Crossing(peers=everybody, by=by, filter=filter_, ports=tuple(dict.fromkeys(port for _, port in said)))
