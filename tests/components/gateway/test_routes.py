"""Doors as routes of the Gateway API."""

import re
from datetime import date
from typing import Any

import pytest

from components.gateway import routes
from tests.components.edge.systems import HOST, system
from tests.schemas import validate
from tests.systems import SYSTEMS, topology
from topology.derive.manifest import Manifest
from topology.model.system import Topology

BACKEND = {"group": "", "kind": "Service", "namespace": "istio-ingress", "name": "ingress", "port": 443}


def route(t: Topology, name: str = "door") -> Manifest:
    (found,) = routes.routes(t, name, BACKEND, [])
    return found


def rule(t: Topology) -> dict[str, Any]:
    (found,) = route(t)["spec"]["rules"]
    return found


@pytest.mark.parametrize("name", SYSTEMS)
def test_an_api_server_takes_every_route(name: str) -> None:
    t = topology(name)
    documents = [document for door in t.doors for document in routes.routes(t, door, BACKEND, [])]
    documents += [
        routes.gateway_class("x.example/y"),
        routes.gateway(t),
        routes.grant("n", ["s"], routes.kinds(t)),
        routes.service({"a": "b"}, 1),
    ]
    assert [problem for document in documents for problem in validate(document)] == []


def test_a_route_asks_for_host_methods_and_paths_of_its_door() -> None:
    t = system({"door": {"paths": ["/a", "/b/*", "/c/{*}/d"], "methods": ["GET", "PUT"]}})
    assert route(t)["spec"]["hostnames"] == [HOST]
    assert [(match["method"], *match["path"].values()) for match in rule(t)["matches"]] == [
        ("GET", "Exact", "/a"),
        ("PUT", "Exact", "/a"),
        ("GET", "RegularExpression", "^/b/.*$"),
        ("PUT", "RegularExpression", "^/b/.*$"),
        ("GET", "RegularExpression", "^/c/[^/]+/d$"),
        ("PUT", "RegularExpression", "^/c/[^/]+/d$"),
    ]


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("/a/*", ["/a/", "/a/b", "/a/b/c"], ["/a", "/ab", "/x/a/"]),
        ("/a/{*}", ["/a/b"], ["/a/", "/a/b/c", "/a/b/", "/x/a/b"]),
        ("/v1.2/{*}/x", ["/v1.2/b/x"], ["/v1a2/b/x", "/v1.2/b/xy"]),
    ],
)
def test_an_expression_matches_what_the_pattern_says_wherever_a_gateway_binds_it(
    pattern: str, inside: list[str], outside: list[str]
) -> None:
    expression = routes.path_match(pattern)["value"]
    for path in inside:
        assert re.search(expression, path), path
    for path in outside:
        assert not re.search(expression, path), path


def test_a_version_in_a_header_is_a_condition_of_the_route() -> None:
    apis = {"x": {"versionHeader": "x-version", "versions": {"v2": {}}}}
    t = system({"door": {"paths": ["/a"], "api": {"name": "x", "version": "v2"}}}, apis=apis)
    assert rule(t)["matches"] == [
        {"path": {"type": "Exact", "value": "/a"}, "method": "GET", "headers": [{"type": "Exact", "name": "x-version", "value": "v2"}]}
    ]


def test_a_grpc_service_is_routed_by_its_methods() -> None:
    t = system({"door": {"paths": ["/p.S/Get", "/p.T/*"], "methods": ["POST"]}}, services={"app": {"protocol": "grpc"}})
    assert route(t)["kind"] == "GRPCRoute"
    assert [match["method"] for match in rule(t)["matches"]] == [
        {"type": "Exact", "service": "p.S", "method": "Get"},
        {"type": "Exact", "service": "p.T"},
    ]
    assert validate(route(t)) == []


def test_the_time_of_a_door_bounds_a_request_but_not_a_websocket() -> None:
    assert rule(system({"door": {"paths": ["/a"], "timeout": "90s"}}))["timeouts"] == {"request": "1m30s", "backendRequest": "1m30s"}
    assert "timeouts" not in rule(system({"door": {"paths": ["/a"]}}, services={"app": {"protocol": "websocket"}}))


@pytest.mark.parametrize(
    ("given", "expected"), [("250ms", "250ms"), ("15s", "15s"), ("90s", "1m30s"), ("24h", "24h"), ("3600000ms", "1h"), ("0s", "0s")]
)
def test_a_duration_keeps_its_length(given: str, expected: str) -> None:
    assert routes.duration(given) == expected


def test_a_door_with_many_paths_has_several_rules_and_then_several_routes() -> None:
    t = system({"door": {"paths": [f"/{number}" for number in range(150)]}})
    found = list(routes.routes(t, "door", BACKEND, []))
    assert [document["metadata"]["name"] for document in found] == ["door", "door.2"] == routes.route_names(t, "door")
    assert [[len(rule["matches"]) for rule in document["spec"]["rules"]] for document in found] == [[64, 64], [22]]
    assert [target["name"] for target in routes.targets(t, "door")] == ["door", "door.2"]
    assert [problem for document in found for problem in validate(document)] == []


def test_the_gateway_has_a_listener_for_each_host_and_takes_routes_of_its_own_namespace_alone() -> None:
    t = system({"door": {"paths": ["/a"]}}, hosts=[HOST, "b.test.example"])
    listeners = routes.gateway(t)["spec"]["listeners"]
    assert [(each["name"], each["hostname"], each["protocol"], each["port"]) for each in listeners] == [
        (HOST, HOST, "HTTPS", 443),
        ("b.test.example", "b.test.example", "HTTPS", 443),
    ]
    assert {each["allowedRoutes"]["namespaces"]["from"] for each in listeners} == {"Same"}
    assert route(t)["spec"]["parentRefs"][0]["sectionName"] == HOST


def test_only_the_gateways_routes_may_use_the_ingress() -> None:
    assert routes.grant("istio-ingress", ["ingress"], ["HTTPRoute"])["spec"] == {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "gateway"}],
        "to": [{"group": "", "kind": "Service", "name": "ingress"}],
    }


JWT, KEY, PUBLIC = {"jwt": "login"}, {"apiKey": ["gold"]}, {"public": "Open to everybody."}


@pytest.mark.parametrize(("auth", "kept"), [(JWT, {"authorization"}), (KEY, set[str]()), (PUBLIC, set[str]())])
def test_spent_credentials_end_at_the_gateway(auth: dict[str, Any], kept: set[str]) -> None:
    door = system({"door": {"paths": ["/a"], "auth": auth}}).doors["door"]
    assert {"authorization", "x-api-key"} - set(routes.removed_request_headers(door, ())) == kept


def test_identities_that_the_gateway_does_not_vouch_for_end_there_too() -> None:
    door = system({"door": {"paths": ["/a"], "requestHeaders": {"remove": ["x-mine"]}}}).doors["door"]
    gone = routes.removed_request_headers(door, {"x-perimeter-tier"})
    assert {"x-mine", "x-perimeter-subject", "x-perimeter-consumer"} <= set(gone)
    assert "x-perimeter-tier" not in gone


def lifecycle(**about: Any) -> routes.ResponseChange:
    apis = {"x": {"documentation": "https://docs.example.com/x", "versions": {"v1": about}}}
    door = {"paths": ["/a"], "api": {"name": "x", "version": "v1"}, "responseHeaders": {"set": {"x-mine": "1"}, "remove": ["server"]}}
    t = system({"door": door}, apis=apis)
    return routes.response_change(t, t.doors["door"])


def test_a_deprecated_version_says_when_it_ends_and_where_to_read_on() -> None:
    change = lifecycle(lifecycle="deprecated", deprecatedSince=date(2026, 1, 15), sunset=date(2027, 1, 15))
    assert change.set == {"x-mine": "1", "deprecation": "@1768435200", "sunset": "Fri, 15 Jan 2027 00:00:00 GMT"}
    assert change.add == {"link": '<https://docs.example.com/x>; rel="deprecation"; type="text/html"'}
    assert change.remove == ("server",)


def test_a_published_version_says_nothing() -> None:
    change = lifecycle()
    assert (change.set, change.add) == ({"x-mine": "1"}, {})
