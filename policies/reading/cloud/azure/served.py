"""Which doors of the topology an operation of API Management answers."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from policies.reading.cloud.azure.apis import Operation
from policies.reading.cloud.azure.facts import Facts
from policies.reading.cloud.azure.gateway_looks import station_of
from policies.reading.compare import pattern_of
from policies.reading.patterns import Pattern, covered
from topology.edges import ANY_METHOD, Direction, Edge
from topology.model.door import Door

if TYPE_CHECKING:
    from policies.reading.stack import Stack

_FOUND: WeakKeyDictionary[Operation, tuple[Door, ...]] = WeakKeyDictionary()
"""What was worked out; an operation is of one stack."""


def declared(operation: Operation, facts: Facts, stack: "Stack") -> tuple[Door, ...]:
    """Return the topology's doors of which an operation answers requests: of those that meet, the narrower one answers.

    Raises:
        UnknownValueError: if it is not known to which service the operation belongs.
    """
    if operation not in _FOUND:
        t, edges = stack.intent, list(meeting(operation, facts, stack))
        operations = list(station_of(stack, operation.resource).operations.values())
        met = (
            door
            for door in t.doors.values()
            if any(edge.host == t.host_of(door) and edge.method in door.methods and edge.entry in door.paths for edge in edges)
        )
        _FOUND[operation] = tuple(door for door in met if _serves(operation, door, stack, operations))
    return _FOUND[operation]


def north_south(stack: "Stack") -> Iterator[Edge]:
    """Yield the ways in from outside."""
    return (edge for edge in stack.expected if edge.direction is Direction.NORTH_SOUTH)


def meeting(operation: Operation, facts: Facts, stack: "Stack") -> Iterator[Edge]:
    """Yield the doors' edges that share requests with an operation."""
    for edge in north_south(stack):
        hosts = facts.hosts is None or edge.host in facts.hosts
        if hosts and operation.method in {ANY_METHOD, edge.method} and operation.pattern.meet(pattern_of(edge.entry)) is not None:
            yield edge


def _serves(operation: Operation, door: Door, stack: "Stack", operations: list[Operation]) -> bool:
    """Say whether an operation answers some request of a door: of its version, and not all are a narrower operation's.

    Of doors that meet, the one with the narrower path has the requests of both.
    """
    version = stack.intent.version_header(door)
    if version and operation.api.headers and (version[0].lower(), version[1]) not in operation.api.headers:
        return False
    narrower = [
        other.pattern
        for other in operations
        if other.method == operation.method
        and other.api.headers == operation.api.headers
        and other.pattern.within(operation.pattern)
        and not operation.pattern.within(other.pattern)
    ]
    closer = [
        pattern_of(path)
        for other in stack.intent.doors.values()
        if other is not door
        and operation.method in other.methods
        and stack.intent.host_of(other) == stack.intent.host_of(door)
        and stack.intent.version_header(other) == version
        for path in other.paths
    ]

    def is_others(pattern: Pattern) -> bool:
        return any(operation.pattern.within(each) and each.within(pattern) and not pattern.within(each) for each in closer)

    return any(
        pattern.meet(operation.pattern) is not None and not covered(pattern, narrower) and not is_others(pattern)
        for pattern in map(pattern_of, door.paths)
    )
