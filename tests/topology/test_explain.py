"""Every kind of error that the model can make has words of ours."""

import copy
from collections.abc import Iterator
from typing import Annotated, Any, cast, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from topology.explain import SUGGESTIONS, WORDING, explain
from topology.model import base
from topology.model.system import Topology
from topology.model.text import Text
from topology.schema import EXAMPLE

VOCABULARY = {
    name: (value, metadata)
    for name, value in vars(base).items()
    if get_origin(value) is Annotated
    for metadata in get_args(value)[1:]
    if isinstance(metadata, Text)
}


@pytest.mark.parametrize("name", VOCABULARY)
def test_the_examples_of_a_word_are_accepted(name: str) -> None:
    word, text = VOCABULARY[name]
    for example in text.examples:
        assert TypeAdapter(word).validate_python(example) == example


@pytest.mark.parametrize("name", sorted(VOCABULARY.keys() - {"Reason"}))
@pytest.mark.parametrize("flaw", ["\n", "\r\n", "\x00", "\u2028", "\t"])
def test_no_word_but_a_reason_takes_a_line_break_at_its_end(name: str, flaw: str) -> None:
    word, text = VOCABULARY[name]
    with pytest.raises(ValidationError):
        TypeAdapter(word).validate_python(text.examples[0] + flaw)


@pytest.mark.parametrize(
    ("word", "refused"),
    [
        ("Name", ["", "-a", "a-", "1a", "A", "a_b", "a.b", "a" * 54, "é"]),
        ("VersionName", ["", ".1", "1.", "v1..2", "V1", "v" * 21]),
        (
            "HostName",
            ["localhost", "*.a.example", "a.example.", "10.0.0.1", "https://a.example", "a.example:443", "a..example", "-a.example"],
        ),
        ("TrustDomain", ["", "a/b", "A.example", "a..example"]),
        ("Duration", ["0s", "5", "5 s", "5sec", "-5s", "1m30s", "1000000s", "00s", "5S", "25h", "1441m", "86401s", "100000s"]),
        ("Size", ["0", "-1", "1G", "1 Mi", "1m", "01", "1e3", "1025Mi", "1100M", "1048577Ki"]),
        ("HeaderName", ["", "X-Canary", "x_canary", "x canary", ":path"]),
        ("HeaderValue", ["", "a\nb", "é"]),
        (
            "HttpsUrl",
            ["http://a.example", "https://", "https://a.example?x", "https://a.example#x", "https://user@a.example", "https://A.example"],
        ),
        ("Image", ["nginx", "nginx:", "Nginx:1", "nginx@sha256:abc", "nginx:1 --privileged"]),
        ("Directory", ["tmp", "/", "/a/", "/a//b", "/a/../b", "/.ssh"]),
        ("Rpc", ["Get", "/a.B/Get", "a.B/", "a.B/Get*", "a.B/Get/x", "*/Get"]),
        ("PathPrefix", ["a/", "/a", "/a//", "/a b/", "/*/"]),
        ("Variable", ["path", "A-B", "1A", ""]),
    ],
)
def test_a_word_refuses_what_it_is_not(word: str, refused: list[str]) -> None:
    adapter = TypeAdapter[Any](VOCABULARY[word][0])
    for value in refused:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every value inside a document."""
    yield path
    if isinstance(value, dict):
        for key, item in cast(dict[str, Any], value).items():
            yield from places(item, (*path, key))
    if isinstance(value, list):
        for index, item in enumerate(cast(list[Any], value)):
            yield from places(item, (*path, index))


def with_value(document: Any, path: Path, value: object) -> Any:
    """Return the document with another value at a path."""
    if not path:
        return value
    changed = copy.copy(document)
    changed[path[0]] = with_value(document[path[0]], path[1:], value)
    return changed


WHOLE: dict[str, Any] = EXAMPLE | {
    "issuers": {
        "login": {"issuer": "https://l.example", "audiences": ["a"], "jwksUri": "https://l.example/k", "requiredClaims": {"r": ["x"]}}
    },
    "apis": {"shop": {"versions": {"v1": {"lifecycle": "deprecated", "sunset": "2027-01-01"}}}},
    "compositions": {"sum": {"parts": {"a": {"service": "web", "path": "/a"}, "b": {"service": "web", "path": "/b"}}}},
    "services": {
        "web": {
            "protocol": "http",
            "versions": {"v1": {"image": "a:1", "env": {"A": "b"}, "weight": 100}},
            "calls": {"catalogue": [{"methods": ["GET"], "paths": ["/items/*"]}], "index": [{"rpcs": ["a.B/C"]}]},
            "mirror": {"version": "v1", "percent": 5},
            "resilience": {"retries": {"attempts": 2, "perTry": "1s", "retryOn": ["5xx"]}},
            "faults": [{"percent": 1, "abort": 500, "callers": ["a"]}],
            "audit": True,
        }
    },
}
WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        10**30,
        1.5,
        float("nan"),
        float("inf"),
        "",
        "x",
        "X y",
        "/..",
        [],
        ["x"],
        ["x", 1],
        [{}],
        {},
        {"x": 1},
        {"X y": {}},
        "2026-13-01",
    ]
)


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(places(WHOLE), key=str)), WRONG)
def test_whatever_is_wrong_is_told_in_words_of_this_product(path: Path, value: object) -> None:
    error = error_of(with_value(WHOLE, path, value))
    if error:
        assert {item["type"] for item in error.errors()} <= set(WORDING)
        for finding in explain(error):
            assert finding.path[: len(path)] == path or path[: len(finding.path)] == finding.path
            assert "Input should" not in finding.reason


def error_of(document: object) -> ValidationError | None:
    try:
        Topology.model_validate(document)
    except ValidationError as error:
        return error
    return None


def test_every_suggestion_belongs_to_a_kind_of_error() -> None:
    assert set(SUGGESTIONS) <= set(WORDING)


def models(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    if model not in seen:
        seen.add(model)
        for field in model.model_fields.values():
            for found in inside(field.annotation):
                models(found, seen)
    return seen


def inside(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from inside(argument)


def test_every_part_of_the_model_is_frozen_and_refuses_unknown_keys() -> None:
    found = models(Topology, set())
    assert len(found) > 30
    for model in found:
        assert model.model_config.get("frozen")
        assert model.model_config.get("extra") == "forbid"
        assert model.__doc__
