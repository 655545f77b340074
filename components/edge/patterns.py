"""Where path patterns meet: what a proxy needs that must choose one location for each path.

Doors may overlap (`/a/*` for one method, `/{*}/b` for another), and a request is allowed when any of them allows it, so the place
where two of them meet is a place of its own.
"""

from collections.abc import Iterable
from itertools import combinations

from topology.paths import ANY_SEGMENT, is_prefix, specificity


def intersection(one: str, other: str) -> str | None:
    """Return the pattern of the paths that both match, or None where there is no such path."""
    left, right = _segments(one), _segments(other)
    if (not is_prefix(one) and len(left) < len(right) + is_prefix(other)) or (
        not is_prefix(other) and len(right) < len(left) + is_prefix(one)
    ):
        return None
    shared = min(len(left), len(right))
    longer = left if len(left) > len(right) else right
    met: list[str] = []
    for a, b in zip(left[:shared], right[:shared], strict=True):
        segment = _meet(a, b)
        if segment is None:
            return None
        met.append(segment)
    tail = ["*"] if is_prefix(one) and is_prefix(other) else []
    return "/" + "/".join([*met, *longer[shared:], *tail])


def closure(patterns: Iterable[str]) -> frozenset[str]:
    """Return the patterns and every place where some of them meet, so that each path has one narrowest pattern."""
    found = set(patterns)
    while True:
        met = {pattern for one, other in combinations(sorted(found), 2) if (pattern := intersection(one, other)) is not None}
        if met <= found:
            return frozenset(found)
        found |= met


def narrowest_first(patterns: Iterable[str]) -> list[str]:
    """Return the patterns in an order in which none comes after a wider one that covers it."""
    return sorted(patterns, key=lambda pattern: (specificity(pattern), pattern), reverse=True)


def _segments(pattern: str) -> list[str]:
    """Return the segments that are fixed in number: those before the `*` of a prefix."""
    parts = pattern[1:].split("/")
    return parts[:-1] if is_prefix(pattern) else parts


def _meet(a: str, b: str) -> str | None:
    if a == b:
        return a
    if a == ANY_SEGMENT:
        return b or None
    if b == ANY_SEGMENT:
        return a or None
    return None
