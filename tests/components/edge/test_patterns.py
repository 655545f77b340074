"""Where two path patterns meet, compared with what `topology.paths` says each of them matches."""

import re
from itertools import product

import pytest

from components.edge.patterns import closure, intersection, narrowest_first
from topology.paths import regex

SEGMENTS = ("a", "b", "{*}")
PATTERNS = sorted(
    {"/", "/*"} | {f"/{'/'.join(chosen)}{end}" for count in (1, 2) for chosen in product(SEGMENTS, repeat=count) for end in ("", "/", "/*")}
)
PATHS = sorted({f"/{'/'.join(chosen)}" for count in range(5) for chosen in product(("a", "b", "c", ""), repeat=count)})


def matched(pattern: str) -> frozenset[str]:
    expression = re.compile(regex(pattern))
    return frozenset(path for path in PATHS if expression.fullmatch(path))


MATCHED = {pattern: matched(pattern) for pattern in PATTERNS}


def test_two_patterns_meet_where_both_match() -> None:
    for one, other in product(PATTERNS, repeat=2):
        met = intersection(one, other)
        assert (matched(met) if met else frozenset()) == MATCHED[one] & MATCHED[other], (one, other, met)


def test_no_pattern_comes_after_one_that_covers_it() -> None:
    order = narrowest_first(PATTERNS)
    for position, earlier in enumerate(order):
        for later in order[position + 1 :]:
            assert not MATCHED[later] < MATCHED[earlier], (earlier, later)


@pytest.mark.parametrize(
    ("patterns", "added"),
    [
        (["/a/*", "/b/*"], set[str]()),
        (["/a/*", "/a/b/*", "/a/b"], set[str]()),
        (["/a/*", "/{*}/b"], {"/a/b"}),
        (["/{*}/b/*", "/a/{*}/c", "/a/*"], {"/a/b/*", "/a/b/c"}),
    ],
)
def test_the_closure_adds_the_places_where_patterns_meet_and_nothing_else(patterns: list[str], added: set[str]) -> None:
    assert closure(patterns) == set(patterns) | added
