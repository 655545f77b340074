"""Sets of paths and of hosts: what the patterns of every layer match, in one form that can be intersected and compared.

A path pattern is a sequence of segments, each a literal or any one non-empty segment, and a tail: nothing more may follow, or
something that begins so. The patterns of the topology, of Istio, of the Gateway API and of nginx, and the regular expressions
made from them, all have this form. Anything else is not recognised, and what rests on it is undecided.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, Generic, TypeVar

from policies.reading.values import UnknownValueError

ANY: Final = None
"""A segment of a pattern that matches any one non-empty segment."""

Segment = str | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A set of paths.

    `Pattern(("a", None), None)` is `/a/{*}`; `Pattern(("a",), "")` is `/a/*`; `Pattern(("a",), "b")` is every path that begins
    with `/a/b`. Paths are taken as every layer sees them after normalisation: without `//`, `.` and `..`.
    """

    segments: tuple[Segment, ...]
    tail: str | None = None

    def __str__(self) -> str:
        """Spell the pattern as a topology does."""
        parts = "".join(f"/{'{*}' if segment is ANY else segment}" for segment in self.segments)
        return parts if self.tail is None else f"{parts}/{self.tail}*"

    @property
    def first(self) -> str | None:
        """Return the first segment where every path of the set has the same; None where they differ."""
        return self.segments[0] if self.segments else None

    def meet(self, other: "Pattern") -> "Pattern | None":
        """Return the paths that both have, None where there are none.

        Raises:
            UnknownValueError: where the intersection has no such form.
        """
        segments: list[Segment] = []
        position = 0
        while True:
            mine = self.segments[position] if position < len(self.segments) else _END
            its = other.segments[position] if position < len(other.segments) else _END
            if isinstance(mine, _End) or isinstance(its, _End):
                break
            if mine is ANY or its is ANY:
                segment = its if mine is ANY else mine
                if segment == "":
                    return None
            elif mine != its:
                return None
            else:
                segment = mine
            segments.append(segment)
            position += 1
        return self._meet_tails(other, tuple(segments), position)

    def _meet_tails(self, other: "Pattern", common: tuple[Segment, ...], position: int) -> "Pattern | None":
        longer, shorter = (self, other) if len(self.segments) >= len(other.segments) else (other, self)
        rest = longer.segments[position:]
        if not rest:
            if longer.tail is None or shorter.tail is None:
                return Pattern(common, None) if longer.tail is None and shorter.tail is None else None
            one, two = sorted((longer.tail, shorter.tail), key=len)
            return Pattern(common, two) if two.startswith(one) else None
        if shorter.tail is None:
            return None
        if rest[0] is ANY:
            if shorter.tail:
                raise UnknownValueError(f"{self} and {other}", "an intersection of paths that cannot be written as one pattern")
        elif not (rest[0] or "").startswith(shorter.tail):
            return None
        return Pattern((*common, *rest), longer.tail)

    def within(self, other: "Pattern") -> bool:
        """Say whether every path of this set is in the other."""
        if len(self.segments) < len(other.segments):
            return False
        for mine, its in zip(self.segments, other.segments, strict=False):
            if its is ANY:
                if mine == "":
                    return False
            elif mine != its:
                return False
        rest = self.segments[len(other.segments) :]
        if not rest:
            if other.tail is None:
                return self.tail is None
            return self.tail is not None and self.tail.startswith(other.tail)
        if other.tail is None:
            return False
        return not other.tail if rest[0] is None else rest[0].startswith(other.tail)

    def replaced(self, old: str, new: str) -> "Pattern":
        """Return the pattern with the string `old` at its beginning replaced by `new`; every path must begin with `old`.

        Raises:
            UnknownValueError: if some path does not.
        """
        spelled = str(self)
        if not spelled.startswith(old) or (self.tail is not None and len(old) >= len(spelled)):
            raise UnknownValueError(spelled, f"not a path that begins with {old}")
        return parse(new + spelled.removeprefix(old))


class _End:
    """Marks that a pattern has no more segments."""


_END: Final = _End()

EVERY: Final = Pattern((), "")
"""Every path."""


@cache
def parse(text: str) -> Pattern:
    """Return the pattern of a path in a topology's spelling, or in Istio's: `/a/b`, `/a/*`, `/a*`, `/a/{*}/b`, `/a/{**}`, `*`.

    Raises:
        UnknownValueError: for a suffix pattern (`*/b`) or another operator.
    """
    if text in {"*", "/*", "/{**}"}:
        return EVERY
    if not text.startswith("/"):
        raise UnknownValueError(text, "a path pattern that cannot be read")
    tail: str | None = None
    if text.endswith("/{**}"):
        text, tail = text.removesuffix("/{**}"), ""
    elif text.endswith("*"):
        text, _, tail = text[:-1].rpartition("/")
    segments: tuple[Segment, ...] = tuple(ANY if part == "{*}" else part for part in text.split("/")[1:])
    if any(re.search(r"[{}*]", part) for part in (*segments, tail) if part):
        raise UnknownValueError(text, "a path pattern that cannot be read")
    return Pattern(segments, tail)


def exact(path: str) -> Pattern:
    """Return one path, in which no character is special."""
    return Pattern(tuple(path.split("/")[1:]), None)


def prefix(text: str) -> Pattern:
    """Return every path that begins with a string: Istio's `prefix`, nginx's plain `location`."""
    head, _, tail = text.rpartition("/")
    return Pattern(tuple(head.split("/")[1:]), tail)


def segment_prefix(path: str) -> tuple[Pattern, ...]:
    """Return a path and everything below it: the Gateway API's `PathPrefix`, for which `/a` and `/a/` are the same."""
    plain = path.rstrip("/")
    if not plain:
        return (EVERY,)
    segments = tuple(plain.split("/")[1:])
    return (Pattern(segments, None), Pattern(segments, ""))


_ESCAPED = re.compile(r"\\([^A-Za-z0-9])")
_REST = {".*": "", "(.*)": "", "(?:.*)": ""}
_BELOW = ("(/.*)?", "(?:/.*)?", "(|/.*)", "(/|$)(.*)")
_SEGMENT = ("[^/]+", "([^/]+)", "(?:[^/]+)", "[^/]*[^/]")


def regex(expression: str, *, whole: bool) -> tuple[Pattern, ...]:
    """Return the paths that a regular expression matches.

    `whole` says whether the layer asks for the whole path to match (Envoy, Istio) or only for its beginning (nginx, Kong);
    `^` and `$` may say it too. Recognised are literals, `[^/]+` as a whole segment, `.*` at the end, and `(/.*)?` at the end.

    Raises:
        UnknownValueError: for any other expression.
    """
    text = expression.removeprefix("^")
    if not whole and text == expression:
        raise UnknownValueError(expression, "a regular expression that may match anywhere in the path")
    ends = whole
    if text.endswith("$") and not text.endswith("\\$"):
        text, ends = text[:-1], True
    for below in _BELOW:
        if text.endswith(below):
            base = _literal_segments(text.removesuffix(below), expression)
            return (Pattern(base, None), Pattern(base, ""))
    for rest in _REST:
        if text.endswith(rest):
            text, ends = text.removesuffix(rest), False
            break
    *segments, last = _literal_segments(text, expression) or ("",)
    if ends:
        return (Pattern((*segments, last), None),)
    if last is ANY:
        raise UnknownValueError(expression, "a regular expression that cannot be read")
    return (Pattern(tuple(segments), last),)


def _literal_segments(text: str, expression: str) -> tuple[Segment, ...]:
    if not text:
        return ()
    if not text.startswith("/"):
        raise UnknownValueError(expression, "a regular expression that cannot be read")
    return tuple(_segment(part, expression) for part in _split(text[1:]))


def _split(text: str) -> list[str]:
    """Split at slashes that stand outside brackets."""
    parts = [""]
    depth = 0
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "/" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _segment(text: str, expression: str) -> Segment:
    if text in _SEGMENT:
        return ANY
    literal = _ESCAPED.sub("", text)
    if re.search(r"[\\^$.|?*+()\[\]{}]", literal):
        raise UnknownValueError(expression, "a regular expression that cannot be read")
    return _ESCAPED.sub(r"\1", text)


def meet_all(patterns: Iterable[Pattern], other: Pattern) -> tuple[Pattern, ...]:
    """Return what each of several patterns shares with another."""
    return tuple(found for pattern in patterns if (found := pattern.meet(other)) is not None)


def covered(pattern: Pattern, by: Iterable[Pattern]) -> bool:
    """Say whether some single pattern holds every path of another."""
    return any(pattern.within(other) for other in by)


class ByFirst(Generic[T]):
    """Ordered things by the first segment of the paths they are about, so that a narrow set of paths asks few of them."""

    def __init__(self, items: Iterable[tuple[Iterable[Pattern] | None, T]]) -> None:
        """Index items in their order; None stands for every path."""
        self._all: list[T] = []
        self._by_first: dict[str, list[int]] = {}
        self._anywhere: list[int] = []
        for patterns, item in items:
            firsts = {EVERY.first} if patterns is None else {pattern.first for pattern in patterns}
            if None in firsts:
                self._anywhere.append(len(self._all))
            else:
                for first in firsts:
                    self._by_first.setdefault(first or "", []).append(len(self._all))
            self._all.append(item)

    def about(self, pattern: Pattern) -> Iterable[T]:
        """Return the items that may concern some path of a pattern, in their order."""
        if pattern.first is None:
            return self._all
        found = self._by_first.get(pattern.first, [])
        return [self._all[position] for position in (sorted((*found, *self._anywhere)) if found else self._anywhere)]


# Hosts: `*` is every host, `*.a.b` every host below `a.b`, anything else one host.


def meet_hosts(one: str, two: str) -> str | None:
    """Return the hosts that both patterns match, as a pattern; None where there are none. Case and port do not matter."""
    one, two = _plain_host(one), _plain_host(two)
    if two in {one, "*"}:
        return one
    if one == "*":
        return two
    if one.startswith("*.") and (two.endswith(one[1:])):
        return two
    if two.startswith("*.") and one.endswith(two[1:]):
        return one
    return None


def _plain_host(host: str) -> str:
    host = host.lower().rstrip(".")
    name, colon, port = host.rpartition(":")
    return name if colon and (port.isdigit() or port == "*") else host
