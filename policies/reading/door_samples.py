"""What clients ask at the topology's doors: one request for each way in, and those by which browsers ask first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.reading.compare import pattern_of
from topology.edges import ANY_METHOD, Direction
from topology.model.base import HostName, size_in_bytes
from topology.model.cors import PREFLIGHT

if TYPE_CHECKING:
    from policies.reading.stack import Stack

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests have a body."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that a door takes, or a preflight for one."""

    method: str
    host: HostName
    path: str
    most: int = 0
    """Bytes of the longest body that the door takes."""

    @property
    def body(self) -> int:
        """Return the bytes of the body that such a request usually has: none with a method that only reads."""
        return self.most if self.method in WITH_BODY else 0

    def __str__(self) -> str:
        """Spell the request: `GET api.abc.example/a/sample`."""
        return f"{self.method} {self.host}{self.path}"


def asked(stack: "Stack") -> Iterator[Asked]:
    """Yield one request for each host, path and method of a door, and a preflight for each path whose doors have `cors`."""
    longest: dict[tuple[str, str, str], int] = {}
    for door in stack.intent.doors.values():
        for path in door.paths:
            for method in door.methods:
                key = stack.intent.host_of(door), str(path), method
                longest[key] = max(longest.get(key, 0), size_in_bytes(door.max_body))
    for edge in sorted((each for each in stack.expected if each.direction is Direction.NORTH_SOUTH), key=str):
        method = "GET" if edge.method == ANY_METHOD else edge.method
        yield Asked(method=method, host=edge.host, path=sample_path(edge.entry), most=longest.get((edge.host, edge.entry, edge.method), 0))
    for answer in stack.preflights:
        yield from (Asked(method=PREFLIGHT, host=answer.host, path=sample_path(path)) for path in answer.paths)


def sample_path(text: str) -> str:
    """Return one path of a pattern."""
    pattern = pattern_of(text)
    segments = ["sample" if segment is None else segment for segment in pattern.segments]
    return "/" + "/".join([*segments, *([f"{pattern.tail}sample"] if pattern.tail is not None else [])])
