"""Spans against the sets of numbers that they stand for."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from lab.enforcer.spans import Span, addresses, holds, union, without

spans = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda ends: (min(ends), max(ends)))


def numbers(given_spans: tuple[Span, ...] | list[Span]) -> set[int]:
    return {number for first, last in given_spans for number in range(first, last + 1)}


@given(st.lists(spans, max_size=6))
def test_a_union_holds_the_same_numbers_in_spans_that_do_not_touch(given_spans: list[Span]) -> None:
    found = union(given_spans)
    assert numbers(found) == numbers(given_spans)
    assert all(left[1] + 1 < right[0] for left, right in itertools.pairwise(found))
    assert all(holds(found, number) == (number in numbers(given_spans)) for number in range(62))


@given(spans, st.lists(spans, max_size=4))
def test_a_span_without_holes_holds_what_is_left(span: Span, holes: list[Span]) -> None:
    assert numbers(without(span, holes)) == numbers([span]) - numbers(holes)


def test_addresses_are_whole_numbers_and_those_of_ipv6_are_not_meant() -> None:
    assert addresses("10.0.0.0/30") == ((0x0A000000, 0x0A000003),)
    assert addresses("0.0.0.0/0") == ((0, 2**32 - 1),)
    assert addresses("10.0.0.7/30") == ((0x0A000004, 0x0A000007),), "host bits do not matter"
    assert addresses("::/0") == ()
