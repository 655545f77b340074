"""In which order things are made, and in which they are removed."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T", bound=str)


class Frontier(Generic[T]):
    """What can be done next, while parts of it are being done.

    Everything whose predecessors are done is ready; what waits for something that failed never becomes ready.
    """

    def __init__(self, after: Mapping[T, Iterable[T]]) -> None:
        """Take what comes after what; predecessors that are no keys count as done."""
        self._missing: dict[T, int] = {}
        self._followers: dict[T, list[T]] = {}
        for item, before in after.items():
            known = {other for other in before if other in after}
            self._missing[item] = len(known)
            for other in known:
                self._followers.setdefault(other, []).append(item)
        self._ready = deque(item for item, missing in self._missing.items() if not missing)

    def take(self) -> Iterator[T]:
        """Yield what is ready; it is in hand from then on."""
        while self._ready:
            yield self._ready.popleft()

    def done(self, item: T) -> None:
        """Say that something in hand is done."""
        for follower in self._followers.get(item, ()):
            self._missing[follower] -= 1
            if not self._missing[follower]:
                self._ready.append(follower)


def reversed_order(after: Mapping[T, Iterable[T]]) -> dict[T, set[T]]:
    """Return the order of removal: each after everything that waited for it."""
    turned: dict[T, set[T]] = {item: set() for item in after}
    for item, before in after.items():
        for other in before:
            if other in turned:
                turned[other].add(item)
    return turned


def held_up(after: Mapping[T, Iterable[T]], broken: Iterable[T]) -> dict[T, T]:
    """Return everything that waits for something broken, with what it waits for in the end."""
    turned = reversed_order(after)
    cause: dict[T, T] = {}
    stack = [(item, item) for item in broken]
    while stack:
        item, why = stack.pop()
        for follower in turned.get(item, ()):
            if follower not in cause:
                cause[follower] = why
                stack.append((follower, why))
    return cause
