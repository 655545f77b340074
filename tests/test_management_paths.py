"""What the judge refuses of a door's path, a law refuses before: the two lists are kept apart, and compared here."""

from itertools import product

import pytest

from policies.reading import management as judge
from policies.reading.patterns import parse
from topology.laws import management as law

WORDS = sorted({*judge.MANAGEMENT, *law.MANAGEMENT})
BELOW = ("", "/", "/*", "/{*}", "/x", "/x/*", "/{*}/x", "/x/{*}")


@pytest.mark.parametrize(
    "pattern", [f"/{word}{below}" for word, below in product((*WORDS, "Metrics", "STATUS", "orders", "healthy"), BELOW)]
)
def test_a_path_is_refused_by_the_law_exactly_where_the_judge_refuses_it(pattern: str) -> None:
    assert (law.management(pattern) is not None) == judge.is_management(parse(pattern))


@pytest.mark.parametrize(
    "pattern", ["/live", "/live/", "/live/*", "/status", "/status/*", "/health/{*}", "/ready/x", "/env", "/server-info"]
)
def test_a_page_for_operators_is_refused_in_each_of_its_spellings(pattern: str) -> None:
    assert judge.is_management(parse(pattern))


@pytest.mark.parametrize("pattern", ["/live/{*}", "/live/prices/*", "/status/orders", "/uptime", "/orders/status", "/liveness", "/v1/live"])
def test_a_word_of_an_api_is_let_pass(pattern: str) -> None:
    assert not judge.is_management(parse(pattern))
