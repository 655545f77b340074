"""Where clients come in: what is public in front of each host's doors, as the judge has followed it."""

from collections import defaultdict
from collections.abc import Mapping

from cli.judging import Judged
from topology.edges import Direction
from topology.model.base import HostName


def entrances(judged: Judged) -> Mapping[HostName, tuple[str, ...]]:
    """Return by public host what makes its doors public, each thing once; a host whose doors nothing leads to is left out."""
    hosts = {edge.host for edge in judged.stack.expected if edge.direction is Direction.NORTH_SOUTH}
    found: defaultdict[HostName, set[str]] = defaultdict(set)
    for edge, trails in judged.stack.ways.trails.items():
        if edge.direction is Direction.NORTH_SOUTH and edge.host in hosts:
            found[edge.host] |= {trail.hops[0].allowed_by for trail in trails if trail.refusal is None}
    return {host: tuple(sorted(by)) for host, by in sorted(found.items()) if by}
