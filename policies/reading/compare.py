"""Edges held against edges: what is inside what, whatever the spelling."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from policies.reading.patterns import Pattern, parse
from topology.edges import ANY_METHOD, ANY_PATH, TCP, Direction, Edge

Key = tuple[Direction, str, str, str]


def key_of(edge: Edge) -> Key:
    """Return what two edges must share to be comparable."""
    return edge.direction, edge.source, edge.target, edge.host


def by_key(edges: Iterable[Edge]) -> Mapping[Key, list[Edge]]:
    """Return edges grouped by their keys."""
    result: defaultdict[Key, list[Edge]] = defaultdict(list)
    for edge in edges:
        result[key_of(edge)].append(edge)
    return result


def demands_of(edge: Edge) -> frozenset[str]:
    """Return what a client must show."""
    return frozenset() if edge.credential in {"", "public"} else frozenset(edge.credential.split(" and "))


def operation_within(narrow: Edge, wide: Edge) -> bool:
    """Say whether the requests of one edge are requests of another: method, path and entry."""
    if TCP in {narrow.method, wide.method}:
        return narrow.method == wide.method or (wide.method == ANY_METHOD and wide.path == ANY_PATH)
    methods = wide.method in {ANY_METHOD, narrow.method}
    return methods and _path_within(narrow.path, wide.path) and _path_within(narrow.entry, wide.entry)


def within(narrow: Edge, wide: Edge) -> bool:
    """Say whether everything that one edge allows is allowed by another: it may ask for more, never for less."""
    return operation_within(narrow, wide) and demands_of(narrow) >= demands_of(wide)


def beyond(edges: Iterable[Edge], allowed: Mapping[Key, list[Edge]]) -> Iterator[Edge]:
    """Yield the edges that are not within any allowed one."""
    for edge in edges:
        if not any(within(edge, other) for other in allowed.get(key_of(edge), ())):
            yield edge


def largest(edges: Iterable[Edge]) -> frozenset[Edge]:
    """Return the edges that are not within another."""
    result: set[Edge] = set()
    for group in by_key(edges).values():
        for edge in group:
            if not any(edge != other and within(edge, other) and not (within(other, edge) and other > edge) for other in group):
                result.add(edge)
    return frozenset(result)


def _path_within(narrow: str, wide: str) -> bool:
    if wide in {narrow, ANY_PATH}:
        return True
    return pattern_of(narrow).within(pattern_of(wide))


def pattern_of(path: str) -> Pattern:
    """Return the pattern of an edge's path."""
    return parse(path or "/*")
