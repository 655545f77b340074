"""Which routes answer which requests of a door: the more specific door first, one version of an API apart from another."""

from collections.abc import Mapping
from typing import Any

from policies.reading.patterns import ByFirst
from policies.reading.virtual_services import routes_of
from policies.request_kinds import Doors, of_calls
from policies.shares import Shares
from tests.policies.building import resources_of, topology_of
from topology.model.system import Topology

HOST = "api.shop.example"
OPEN = {"methods": ["GET"], "service": "users", "auth": {"public": "Everybody may read them."}, "tiers": ["standard"]}


def shop(doors: Mapping[str, Any], **more: Any) -> Topology:
    return topology_of(
        {
            "system": "shop",
            "hosts": [HOST],
            "meshes": {"main": {"trustDomain": "shop.example"}},
            "tiers": {"standard": {"limits": [{"requests": 20, "per": "second"}]}},
            "services": {
                "users": {
                    "versions": {"v1": {"weight": 90}, "v2": {"weight": 10}},
                    "canary": {"header": "x-canary", "value": "yes", "version": "v2"},
                    "mirror": {"version": "v2", "percent": 5},
                },
            },
            "doors": {name: {**OPEN, **door} for name, door in doors.items()},
            **more,
        }
    )


def answering(t: Topology, *matches: Mapping[str, Any]) -> list[tuple[Shares, list[str]]]:
    """Return what each kind of requests through the doors is promised, and the routes (by number) that answer it."""
    http = [{"name": str(number), "match": [match], "route": [{"destination": {"host": "users"}}]} for number, match in enumerate(matches)]
    spec = {"hosts": [HOST], "gateways": ["ingress/ingress"], "http": http}
    manifest = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "x", "namespace": "ingress"}}
    (resource,) = resources_of([{**manifest, "spec": spec}])
    routes = ByFirst((route.patterns, route) for route in routes_of(resource))
    return [(kind.wanted, [route.name for route in kind.answering(routes)]) for kind in Doors(t).kinds("users", [HOST])]


EVERYBODY = {"v1": 90, "v2": 10, "v2 (copies)": 5}
V2 = {"v2": 100}
CANARY = {"headers": {"x-canary": {"exact": "yes"}}}


def test_a_tester_is_answered_before_everybody_and_gets_no_copies_of_its_own_version() -> None:
    t = shop({"users": {"paths": ["/users/*"]}})
    path = {"uri": {"prefix": "/users/"}, "method": {"exact": "GET"}}
    assert answering(t, {**path, **CANARY}, path) == [(EVERYBODY, ["1"]), (V2, ["0"])]


def test_a_door_within_another_answers_its_own_requests() -> None:
    t = shop({"users": {"paths": ["/users/*"]}, "within": {"paths": ["/users/beta/*"], "version": "v2"}})
    narrow, wide = {"uri": {"prefix": "/users/beta/"}}, {"uri": {"prefix": "/users/"}}
    assert answering(t, narrow, {**wide, **CANARY}, wide) == [(EVERYBODY, ["2"]), (V2, ["1"]), (V2, ["0"])]


def test_a_route_for_a_part_of_a_door_answers_some_of_its_requests() -> None:
    t = shop({"users": {"paths": ["/users/*"]}})
    part, whole = {"uri": {"exact": "/users/me"}}, {"uri": {"prefix": "/users/"}}
    assert answering(t, part, {**whole, **CANARY}, whole) == [(EVERYBODY, ["0", "2"]), (V2, ["0", "1"])]


def test_versions_of_an_api_on_one_path_are_told_apart_by_their_header() -> None:
    t = shop(
        {
            version: {"paths": ["/users/*"], "api": {"name": "people", "version": f"{version}.0"}, "version": version}
            for version in ("v1", "v2")
        },
        apis={"people": {"versionHeader": "api-version", "versions": {"v1.0": {}, "v2.0": {}}}},
    )
    one, two = ({"headers": {"api-version": {"exact": value}}} for value in ("v1.0", "v2.0"))
    assert answering(t, one, two) == [({"v1": 100, "v2 (copies)": 5}, ["0"]), (V2, ["1"])]


def test_requests_of_services_have_any_path() -> None:
    everybody, tester = of_calls(shop({"users": {"paths": ["/users/*"]}}), "users")
    assert (everybody.wanted, tester.wanted) == (EVERYBODY, V2)
    assert (str(everybody.requests), everybody.lacking) == ("any method /*", {("x-canary", "yes")})
