import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.reading.patterns import EVERY, Pattern, exact, meet_hosts, parse, prefix, regex, segment_prefix
from policies.reading.values import UnknownValueError
from topology import paths

SEGMENTS = st.sampled_from(["a", "b", "ab", "{*}"])
PATTERNS = st.builds(
    lambda parts, tail: "/" + "/".join([*parts, *tail]) if parts or tail else "/",
    st.lists(SEGMENTS, max_size=3),
    st.sampled_from([[], ["*"], [""]]),
)
PATHS = st.builds(lambda parts: "/" + "/".join(parts), st.lists(st.sampled_from(["a", "b", "ab", "x"]), max_size=4))


def matches(pattern: str, path: str) -> bool:
    return re.fullmatch(paths.regex(pattern), path) is not None


@given(PATTERNS, PATTERNS, PATHS)
def test_a_path_is_in_the_meet_of_two_patterns_when_it_is_in_both(one: str, two: str, path: str) -> None:
    meet = parse(one).meet(parse(two))
    assert (meet is not None and matches(str(meet), path)) == (matches(one, path) and matches(two, path))


@given(PATTERNS, PATTERNS, PATHS)
def test_a_pattern_within_another_matches_nothing_that_the_other_does_not(one: str, two: str, path: str) -> None:
    if parse(one).within(parse(two)) and matches(one, path):
        assert matches(two, path)


@given(PATTERNS, PATTERNS)
def test_the_meet_of_two_patterns_is_within_both(one: str, two: str) -> None:
    if meet := parse(one).meet(parse(two)):
        assert meet.within(parse(one))
        assert meet.within(parse(two))


@given(PATTERNS)
def test_a_pattern_is_spelled_as_it_was_written(pattern: str) -> None:
    assert str(parse(pattern)) == pattern


@given(PATTERNS)
def test_the_expression_made_from_a_pattern_is_read_as_that_pattern(pattern: str) -> None:
    assert regex(paths.regex(pattern), whole=True) == (parse(pattern),)
    assert regex(f"^{paths.regex(pattern)}$", whole=False) == (parse(pattern),)


@pytest.mark.parametrize(
    ("text", "whole", "found"),
    [
        ("/a(/.*)?", True, ["/a", "/a/*"]),
        ("^/a/b", False, ["/a/b*"]),
        ("^/a/", False, ["/a/*"]),
        (r"/v1\.2/[^/]+/x", True, ["/v1.2/{*}/x"]),
        ("/a/(.*)", True, ["/a/*"]),
    ],
)
def test_a_regular_expression_of_a_known_form_is_read(text: str, whole: bool, found: list[str]) -> None:
    assert [str(pattern) for pattern in regex(text, whole=whole)] == found


@pytest.mark.parametrize("text", ["/a|/b", "/a[0-9]+", "/a.b", "a/b", "/a/(b|c)", "/a/?"])
def test_any_other_expression_is_not_decided(text: str) -> None:
    with pytest.raises(UnknownValueError):
        regex(text, whole=True)


def test_an_expression_that_may_match_anywhere_is_not_decided() -> None:
    with pytest.raises(UnknownValueError):
        regex("/a/b", whole=False)


@pytest.mark.parametrize("text", ["*/b", "/a*b", "/a/{x}", "/{**}/b", "a"])
def test_a_pattern_of_another_grammar_is_not_decided(text: str) -> None:
    with pytest.raises(UnknownValueError):
        parse(text)


def test_a_prefix_of_the_gateway_api_holds_the_path_itself_and_what_is_below_it() -> None:
    assert [str(pattern) for pattern in segment_prefix("/a/b")] == ["/a/b", "/a/b/*"]
    assert segment_prefix("/a/b/") == segment_prefix("/a/b")
    assert segment_prefix("/") == (EVERY,)


def test_a_string_prefix_holds_longer_names_too() -> None:
    assert exact("/abc").within(prefix("/ab"))
    assert not exact("/a/abc").within(prefix("/ab"))
    assert prefix("/a/") == parse("/a/*")


def test_patterns_from_narrow_to_wide_are_within_each_other() -> None:
    chain = [exact("/a/b/c"), parse("/a/{*}/c"), parse("/a/*"), EVERY]
    for narrow, wide in pairwise(chain):
        assert narrow.within(wide)
        assert not wide.within(narrow)


def test_a_prefix_is_replaced_at_the_beginning_only() -> None:
    assert str(parse("/v1/users/*").replaced("/v1/", "/")) == "/users/*"
    assert str(parse("/v1/{*}/x").replaced("/v1", "/api")) == "/api/{*}/x"
    with pytest.raises(UnknownValueError):
        parse("/v1/*").replaced("/v1/users/", "/")


def test_an_intersection_that_is_no_pattern_is_not_decided() -> None:
    with pytest.raises(UnknownValueError):
        Pattern(("a", None), None).meet(prefix("/a/b"))


@pytest.mark.parametrize(
    ("one", "two", "both"),
    [
        ("a.example", "A.Example.", "a.example"),
        ("a.example:443", "a.example", "a.example"),
        ("*.example", "a.example", "a.example"),
        ("a.example", "*", "a.example"),
        ("*.example", "example", None),
        ("*.a.example", "*.example", "*.a.example"),
        ("a.example", "b.example", None),
    ],
)
def test_hosts_meet_where_both_patterns_match(one: str, two: str, both: str | None) -> None:
    assert meet_hosts(one, two) == both
    assert meet_hosts(two, one) == both
