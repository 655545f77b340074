"""Sets of requests: what is left of everything a client may ask as each layer takes its part away."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from policies.reading.patterns import EVERY, Pattern, covered, meet_hosts
from policies.reading.values import UnknownValueError
from topology.edges import ANY_METHOD


@dataclass(frozen=True, kw_only=True, slots=True)
class Requests:
    """Requests of one method (or of every method) to hosts and paths, except paths that were taken by something else."""

    host: str = "*"
    method: str = ANY_METHOD
    path: Pattern = EVERY
    without: tuple[Pattern, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    """Headers that must have exactly these values, sorted."""

    def __str__(self) -> str:
        """Spell the requests: `GET api.abc.example/a/*`."""
        host = "" if self.host == "*" else self.host
        return f"{'any method' if self.method == ANY_METHOD else self.method} {host}{self.path}"

    def to(self, hosts: Iterable[str]) -> "Iterator[Requests]":
        """Yield the requests to each of some host patterns."""
        seen: set[str] = set()
        for host in hosts:
            both = meet_hosts(self.host, host)
            if both is not None and both not in seen:
                seen.add(both)
                yield self if both == self.host else replace(self, host=both)

    def by(self, methods: Iterable[str] | None) -> "Iterator[Requests]":
        """Yield the requests with each of some methods; None means every method."""
        if methods is None:
            yield self
            return
        for method in methods:
            if method in {ANY_METHOD, self.method}:
                yield self
            elif self.method == ANY_METHOD:
                yield replace(self, method=method)

    def at(self, patterns: Iterable[Pattern] | None) -> "Iterator[Requests]":
        """Yield the requests for each of some path patterns; None means every path.

        Raises:
            UnknownValueError: where an intersection cannot be written as a pattern.
        """
        if patterns is None:
            yield self
            return
        for pattern in patterns:
            both = self.path.meet(pattern)
            if both is not None:
                taken = tuple(each for each in self.without if _meets(each, both)) if self.without else ()
                if not covered(both, taken):
                    same = both == self.path and len(taken) == len(self.without)
                    yield self if same else replace(self, path=both, without=taken)

    def having(self, headers: Iterable[tuple[str, str]]) -> "Requests | None":
        """Return the requests with some more headers; None where they already have another value of one."""
        merged = dict(self.headers)
        for name, value in headers:
            if merged.setdefault(name.lower(), value) != value:
                return None
        return replace(self, headers=tuple(sorted(merged.items()))) if len(merged) != len(self.headers) else self

    def minus(self, patterns: Iterable[Pattern]) -> "Requests | None":
        """Return the requests outside some patterns; None where nothing is left."""
        taken = [pattern for pattern in patterns if _meets(pattern, self.path)]
        if covered(self.path, taken):
            return None
        return replace(self, without=(*self.without, *taken)) if taken else self


def _meets(one: Pattern, two: Pattern) -> bool:
    """Say whether two patterns share a path; where that cannot be written as a pattern, they do."""
    try:
        return one.meet(two) is not None
    except UnknownValueError:
        return True
