"""Which nginx location serves which path, and what it lets through."""

import re
from typing import Any

import pytest

from components.edge.nginx.locations import Cached, Credential, Location, locations
from tests.components.edge.systems import HOST, system
from topology.model.service import Protocol


def chosen(places: list[Location], path: str) -> Location | None:
    """Choose as nginx does: an exact match, else the first expression in the file, else the longest prefix."""
    if exact := [place for place in places if place.modifier == "=" and place.match == path]:
        return exact[0]
    if expression := [place for place in places if place.modifier == "~" and re.search(place.match, path)]:
        return expression[0]
    prefixes = [place for place in places if place.modifier == "" and path.startswith(place.match)]
    return max(prefixes, key=lambda place: len(place.match), default=None)


def at(doors: dict[str, dict[str, Any]], path: str, **more: Any) -> Location | None:
    place = chosen(locations(system(doors, **more), HOST), path)
    return place if place and place.doors else None


def methods(doors: dict[str, dict[str, Any]], path: str) -> tuple[str, ...]:
    place = at(doors, path)
    return place.methods if place else ()


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("/a/b", ["/a/b"], ["/a/b/", "/a/bc", "/a"]),
        ("/a/*", ["/a/", "/a/b", "/a/b/c"], ["/a", "/ab"]),
        ("/a/{*}/c", ["/a/b/c"], ["/a//c", "/a/b/c/", "/a/b/x", "/a/b/x/c"]),
        ("/a/{*}/c/*", ["/a/b/c/", "/a/b/c/d"], ["/a/b/c", "/a/b/x"]),
        ("/x.y", ["/x.y"], ["/xzy"]),
    ],
)
def test_a_location_serves_the_paths_of_its_pattern(pattern: str, inside: list[str], outside: list[str]) -> None:
    for path in inside:
        assert at({"door": {"paths": [pattern]}}, path), path
    for path in outside:
        assert at({"door": {"paths": [pattern]}}, path) is None, path


def test_a_path_of_two_doors_takes_the_methods_of_both() -> None:
    doors = {"read": {"paths": ["/a/*"], "methods": ["GET"]}, "write": {"paths": ["/a/b"], "methods": ["POST"]}}
    assert methods(doors, "/a/b") == ("GET", "POST")
    assert methods(doors, "/a/c") == ("GET",)


def test_doors_that_cross_share_only_the_paths_where_they_meet() -> None:
    doors = {"read": {"paths": ["/a/*"], "methods": ["GET"]}, "write": {"paths": ["/{*}/b/*"], "methods": ["POST"]}}
    assert methods(doors, "/a/b/x") == ("GET", "POST")
    assert methods(doors, "/a/c") == ("GET",)
    assert methods(doors, "/c/b/x") == ("POST",)


def test_a_prefix_inside_a_template_wins_over_it() -> None:
    doors = {"one": {"paths": ["/a/b/*"], "methods": ["GET"], "maxBody": "2Ki"}, "any": {"paths": ["/a/{*}/*"], "methods": ["POST"]}}
    place = at(doors, "/a/b/c")
    assert place is not None
    assert place.doors == ("one", "any")
    assert place.methods == ("GET", "POST")


def test_the_narrowest_door_is_named_first() -> None:
    doors = {"wide": {"paths": ["/a/*"]}, "narrow": {"paths": ["/a/b"], "methods": ["POST"]}}
    place = at(doors, "/a/b")
    assert place is not None
    assert place.doors == ("narrow", "wide")


def test_a_path_without_its_final_slash_is_nobodys_and_not_redirected() -> None:
    places = locations(system({"door": {"paths": ["/a/*"]}}), HOST)
    assert chosen(places, "/a") == Location(modifier="=", match="/a", doors=())


def test_a_path_without_its_final_slash_stays_with_the_door_around_it() -> None:
    assert methods({"in": {"paths": ["/a/b/*"]}, "around": {"paths": ["/a/*"], "methods": ["POST"]}}, "/a/b") == ("POST",)


def test_the_largest_body_and_the_longest_wait_of_the_doors_hold() -> None:
    doors = {
        "small": {"paths": ["/a/*"], "maxBody": "1Ki", "timeout": "2s"},
        "large": {"paths": ["/a/*"], "methods": ["POST"], "maxBody": "3Mi", "timeout": "1s"},
    }
    place = at(doors, "/a/b")
    assert place is not None
    assert (place.max_body, place.timeout) == (3 * 1024 * 1024, 2.0)


@pytest.mark.parametrize(
    ("auth", "credential"),
    [
        ({"jwt": "login"}, Credential.JWT),
        ({"apiKey": ["gold"]}, Credential.API_KEY),
        ({"public": "Open to everybody."}, Credential.NONE),
    ],
)
def test_a_location_passes_on_the_credential_its_door_asks_for(auth: dict[str, Any], credential: Credential) -> None:
    place = at({"door": {"paths": ["/a"], "auth": auth}}, "/a")
    assert place is not None
    assert place.credential is credential


def test_doors_that_ask_for_different_credentials_get_both() -> None:
    doors: dict[str, dict[str, Any]] = {
        "one": {"paths": ["/a"], "auth": {"jwt": "login"}},
        "two": {"paths": ["/a"], "methods": ["POST"], "auth": {"apiKey": ["gold"]}},
    }
    place = at(doors, "/a")
    assert place is not None
    assert place.credential is Credential.ANY


def test_answers_of_a_public_door_are_kept() -> None:
    place = at({"door": {"paths": ["/a"], "cache": {"ttl": "1m", "vary": ["accept-language"]}}}, "/a")
    assert place is not None
    assert place.cache == Cached(ttl="1m", vary=("accept-language",))


def test_answers_of_a_door_that_asks_for_a_credential_are_never_kept_at_the_edge() -> None:
    place = at({"door": {"paths": ["/a"], "auth": {"jwt": "login"}, "cache": {"ttl": "1m"}}}, "/a")
    assert place is not None
    assert place.cache is None


def test_answers_are_not_kept_where_another_reader_of_the_path_needs_a_credential() -> None:
    versions = {"apis": {"x": {"versionHeader": "x-version", "versions": {"v1": {}, "v2": {}}}}}
    doors: dict[str, dict[str, Any]] = {
        "open": {"paths": ["/a"], "cache": {"ttl": "1m"}, "api": {"name": "x", "version": "v1"}},
        "closed": {"paths": ["/a"], "auth": {"jwt": "login"}, "api": {"name": "x", "version": "v2"}},
    }
    place = at(doors, "/a", **versions)
    assert place is not None
    assert place.cache is None


def test_kept_answers_of_two_versions_are_told_apart() -> None:
    versions = {"apis": {"x": {"versionHeader": "x-version", "versions": {"v1": {}, "v2": {}}}}}
    doors: dict[str, dict[str, Any]] = {
        "one": {"paths": ["/a"], "cache": {"ttl": "1m"}, "api": {"name": "x", "version": "v1"}},
        "two": {"paths": ["/a"], "cache": {"ttl": "10s"}, "api": {"name": "x", "version": "v2"}},
    }
    place = at(doors, "/a", **versions)
    assert place is not None
    assert place.cache == Cached(ttl="10s", vary=("x-version",))


@pytest.mark.parametrize(("protocol", "method"), [("websocket", "GET"), ("grpc", "POST"), ("http", "GET")])
def test_a_location_speaks_the_protocol_of_its_service(protocol: str, method: str) -> None:
    services = {"app": {"protocol": protocol}}
    place = at({"door": {"paths": ["/a.B/C"], "methods": [method]}}, "/a.B/C", services=services)
    assert place is not None
    assert place.protocol is Protocol(protocol)


def test_doors_of_another_host_are_elsewhere() -> None:
    assert locations(system({"door": {"paths": ["/a"], "host": "other.test.example"}}), HOST) == []


def test_preflights_pass_where_a_door_has_some_answered_and_nowhere_else() -> None:
    doors: dict[str, dict[str, Any]] = {
        "a": {"paths": ["/a/*"], "methods": ["POST"], "cors": "app"},
        "b": {"paths": ["/b/*"]},
        "inside": {"paths": ["/a/b"], "methods": ["GET"]},
    }
    app = {"app": {"origins": ["https://app.example.com"]}}
    found = {path: at(doors, path, cors=app) for path in ("/a/x", "/b/x", "/a/b")}
    assert {path: place.methods if place else () for path, place in found.items()} == {
        "/a/x": ("OPTIONS", "POST"),
        "/b/x": ("GET",),
        "/a/b": ("GET", "OPTIONS", "POST"),
    }


def test_answers_that_say_whose_scripts_may_read_them_are_kept_for_each_origin() -> None:
    doors: dict[str, dict[str, Any]] = {"a": {"paths": ["/a/*"], "cache": {"ttl": "1m"}, "cors": "app"}}
    place = at(doors, "/a/x", cors={"app": {"origins": ["https://app.example.com"]}})
    assert place is not None
    assert place.cache == Cached(ttl="1m", vary=("origin",))
