"""The path grammar: what a pattern matches, said twice, once as an expression and once by hand."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from topology.paths import PathPattern, covers, is_exact, is_prefix, is_template, overlap, regex, rewrite, specificity, stem

PATTERN = TypeAdapter[str](PathPattern)
SCHEMA: str = PATTERN.json_schema()["pattern"]

WORDS = st.sampled_from(["a", "b", "v1.2", "x-y", "a.b", "(c)", "$d", "e+f"])
INNER = st.lists(st.one_of(WORDS, st.just("{*}")), max_size=4)
LAST: st.SearchStrategy[list[str]] = st.sampled_from([[], [""], ["*"]])
PATTERNS = st.tuples(INNER, LAST).map(lambda parts: "/" + "/".join(parts[0] + parts[1])).filter(lambda pattern: "//" not in pattern)
PATHS = st.lists(st.one_of(WORDS, st.sampled_from(["aXb", "ab", "", "{*}", "*"])), min_size=1, max_size=5).map(
    lambda parts: "/" + "/".join(parts)
)


def matches(pattern: str, path: str) -> bool:
    """Return what the table in `topology.paths` says, segment by segment."""
    wanted, found = pattern[1:].split("/"), path[1:].split("/")
    for position, segment in enumerate(wanted):
        if segment == "*":
            return len(found) > position
        if position >= len(found) or not (segment == found[position] or (segment == "{*}" and found[position] != "")):
            return False
    return len(wanted) == len(found)


@given(PATTERNS)
def test_every_pattern_of_the_grammar_is_accepted(pattern: str) -> None:
    assert PATTERN.validate_python(pattern) == pattern


@given(PATTERNS, PATHS)
def test_the_expression_of_a_pattern_matches_what_the_grammar_says(pattern: str, path: str) -> None:
    assert bool(re.fullmatch(regex(pattern), path)) == matches(pattern, path)


@given(PATTERNS, PATTERNS, PATHS)
def test_patterns_that_match_one_path_overlap(one: str, other: str, path: str) -> None:
    assert overlap(one, other) == overlap(other, one)
    if matches(one, path) and matches(other, path):
        assert overlap(one, other)


@given(PATTERNS, PATTERNS)
def test_patterns_overlap_only_if_some_path_matches_both(one: str, other: str) -> None:
    """A witness: take the more definite segment of each pair."""
    if not overlap(one, other):
        return
    left, right = one[1:].split("/"), other[1:].split("/")
    longest = max(len(left), len(right))
    witness: list[str] = []
    for position in range(longest):
        pair = [segments[position] if position < len(segments) else "*" for segments in (left, right)]
        definite = [segment for segment in pair if segment not in {"*", "{*}"}]
        witness.append(definite[0] if definite else "w")
    path = "/" + "/".join(witness)
    assert matches(one, path)
    assert matches(other, path)


@given(PATTERNS, PATTERNS, PATHS)
def test_a_pattern_that_covers_another_matches_all_that_it_matches(wide: str, narrow: str, path: str) -> None:
    if covers(wide, narrow):
        assert overlap(wide, narrow)
        assert matches(wide, path) or not matches(narrow, path)
        assert specificity(narrow) > specificity(wide) or narrow == wide


@pytest.mark.parametrize(
    ("pattern", "flaw"),
    [
        ("", "must begin with '/'"),
        ("a/b", "must begin with '/'"),
        ("https://a.example/", "must begin with '/'"),
        ("//a", "empty segment"),
        ("/a//b", "empty segment"),
        ("/a/./b", "segment '.'"),
        ("/a/..", "segment '..'"),
        ("/a/%2e%2e/b", "escapes are decoded"),
        ("/a*", "'*' stands alone"),
        ("/*/a", "'*' stands alone"),
        ("/a/**", "'*' stands alone"),
        ("/a/{id}", "'{*}' stands alone"),
        ("/a/{**}", "'{*}' stands alone"),
        ("/a/x{*}", "'{*}' stands alone"),
        ("/a b", "use letters"),
        ("/a?b", "use letters"),
        ("/a#b", "use letters"),
        ("/a\\b", "use letters"),
        ("/a\n", "use letters"),
        ("/é", "use letters"),
        ('/a"b', "use letters"),
    ],
)
def test_what_is_no_pattern_is_refused_with_the_reason(pattern: str, flaw: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(flaw)):
        PATTERN.validate_python(pattern)


@given(st.text(max_size=12).map("/".__add__))
def test_the_json_schema_accepts_exactly_the_patterns_that_the_model_accepts(text: str) -> None:
    try:
        PATTERN.validate_python(text)
    except ValidationError:
        assert "\n" in text or not re.search(SCHEMA, text)
    else:
        assert re.search(SCHEMA, text)


@given(PATTERNS)
def test_the_json_schema_accepts_every_pattern_of_the_grammar(pattern: str) -> None:
    assert re.search(SCHEMA, pattern)


@pytest.mark.parametrize(
    ("pattern", "kind", "beginning"),
    [
        ("/a/b", "exact", "/a/b"),
        ("/a/", "exact", "/a/"),
        ("/a/*", "prefix", "/a/"),
        ("/*", "prefix", "/"),
        ("/a/{*}", "template", "/a/{*}"),
    ],
)
def test_a_pattern_has_a_kind_and_a_stem(pattern: str, kind: str, beginning: str) -> None:
    assert (is_exact(pattern), is_prefix(pattern), is_template(pattern)) == (kind == "exact", kind == "prefix", kind == "template")
    assert stem(pattern) == beginning


@pytest.mark.parametrize(
    ("pattern", "prefix", "replacement", "seen"),
    [
        ("/partners/v1/orders/*", "/partners/", "/", "/v1/orders/*"),
        ("/v1.2/portfolio/*", "/v1.2/portfolio/", "/v1/portfolios/", "/v1/portfolios/*"),
        ("/a/{*}/b", "/", "/x/", "/x/a/{*}/b"),
    ],
)
def test_a_rewritten_pattern_is_what_the_service_sees(pattern: str, prefix: str, replacement: str, seen: str) -> None:
    assert rewrite(pattern, prefix, replacement) == seen
