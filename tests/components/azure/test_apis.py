"""Doors as APIs and operations, and what API Management cannot carry."""

from collections import Counter
from typing import Any

import pytest

from components.binding import GatewayKind
from components.gateway.api_management.apis import VersionSet, apis, groups
from components.gateway.capabilities import findings
from tests.components.azure.systems import CARRIED, UNCARRIED, at_api_management
from tests.components.edge.systems import system as written
from tests.systems import topology
from topology.paths import overlap

KEYS: dict[str, Any] = {"tiers": {"gold": {"limits": [{"requests": 1, "per": "second"}]}}, "consumers": {"bob": {"tier": "gold"}}}


@pytest.mark.parametrize("name", [*CARRIED, "brokerage"])
def test_each_door_has_one_operation_for_each_path_and_method(name: str) -> None:
    t = at_api_management(name)
    said = sorted((o.door, o.method, f"/{api.begins}{o.template}" if api.begins else o.template) for api in apis(t) for o in api.operations)
    wanted = sorted((door, method, path) for door, about in t.doors.items() for path in about.paths for method in about.methods)
    assert [(door, method) for door, method, _ in said] == [(door, method) for door, method, _ in wanted]
    assert [path.count("/") for _, _, path in said] == [path.count("/") for _, _, path in wanted]


@pytest.mark.parametrize("name", [*CARRIED, "brokerage"])
def test_no_api_answers_for_doors_of_another(name: str) -> None:
    t = at_api_management(name)
    found = groups(t)
    for wide, doors in found.items():
        for narrow in found:
            if narrow != wide and narrow[: len(wide)] == wide:
                below = "/" + "/".join(narrow)
                assert not any(overlap(path, f"{below}/*") or overlap(path, below) for door in doors for path in t.doors[door].paths)


@pytest.mark.parametrize("name", [*CARRIED, "brokerage"])
def test_names_are_unique_and_no_operation_is_the_whole_path_of_its_api(name: str) -> None:
    found = apis(at_api_management(name))
    assert len({api.name for api in found}) == len(found)
    for api in found:
        assert len({operation.name for operation in api.operations}) == len(api.operations)
        # For `/` the path would go on to the mesh with a slash that the client did not send.
        assert all(operation.template.startswith("/") and operation.template != "/" for operation in api.operations)


def test_an_operation_keeps_its_id_when_its_door_is_renamed_and_paths_before_it_come_and_go() -> None:
    """API Management refuses a second operation of one method and template, and the old one is deleted after the new one is made."""

    def ids(door: str, *paths: str) -> dict[tuple[str, str, str], str]:
        t = written({door: {"methods": ["GET", "PATCH"], "paths": list(paths)}})
        return {(api.path, operation.method, operation.template): operation.name for api in apis(t) for operation in api.operations}

    before = ids("users", "/v1/users", "/v1/users/*")
    assert before.items() < ids("people", "/v1/orders", "/v1/users/*", "/v1/users").items()


def test_templates_of_the_same_words_have_ids_of_their_own() -> None:
    (api,) = apis(written({"a": {"methods": ["GET"], "paths": ["/v1/a-b", "/v1/a/b", "/v1/A/b", "/v1/p1/b", "/v1/{*}/b"]}}))
    assert len({operation.name for operation in api.operations}) == len(api.operations) == 5


def test_doors_that_could_answer_for_one_another_share_an_api() -> None:
    t = written({"wide": {"paths": ["/v1/*"]}, "narrow": {"paths": ["/v1/orders/*"]}, "other": {"paths": ["/v2/*"]}})
    assert groups(t) == {("v1",): ["wide", "narrow"], ("v2",): ["other"]}


def test_versions_by_header_are_a_set_of_apis_with_one_path() -> None:
    prices = [api for api in apis(at_api_management("brokerage")) if api.path == "prices"]
    assert [(api.version, api.begins) for api in prices] == [("v2.0", "prices"), ("v1.2", "prices")]
    assert {api.version_set for api in prices} == {VersionSet(name="prices", title="/prices", header="x-api-version")}


SHOP: dict[str, Any] = {"apis": {"shop": {"title": "Shop", "versions": {"v1": {}, "v2": {}}}}}


def of(version: str, *paths: str) -> dict[str, Any]:
    return {"paths": list(paths), "api": {"name": "shop", "version": version}}


def test_versions_by_path_are_a_set_of_apis_that_the_segment_tells_apart() -> None:
    t = written({"a": of("v1", "/shop/v1/carts"), "b": of("v2", "/shop/v2/carts/{*}"), "c": of("v2", "/shop/v2/orders/*")}, **SHOP)
    found = apis(t)
    assert [(api.name, api.path, api.version, api.begins, api.doors) for api in found] == [
        ("shop-v1", "shop", "v1", "shop/v1", ("a",)),
        ("shop-v2", "shop", "v2", "shop/v2", ("b", "c")),
    ]
    assert {api.version_set for api in found} == {VersionSet(name="shop", title="Shop", header=None)}
    assert [operation.template for api in found for operation in api.operations] == ["/carts", "/carts/{p1}", "/orders/*"]


def test_an_api_keeps_its_names_when_it_is_renamed_in_the_topology() -> None:
    """API Management refuses a second API on one path outside of its set of versions, and the old one is deleted after the new one is made."""

    def made(api: str) -> list[tuple[str, VersionSet | None]]:
        title = {"title": "Shop"}
        t = written(
            {"a": {"paths": ["/shop/v1/carts"], "api": {"name": api, "version": "v1"}}}, apis={api: {**title, "versions": {"v1": {}}}}
        )
        return [(each.name, each.version_set) for each in apis(t)]

    assert made("shop") == made("store")


@pytest.mark.parametrize(
    "beside",
    [
        {"paths": ["/shop/x/y"]},  # its API would be /shop/x, which is narrower: no obstacle
        {"paths": ["/shop/*"]},
    ],
)
def test_a_path_has_one_set_of_versions_or_none(beside: dict[str, Any]) -> None:
    found = apis(written({"a": of("v1", "/shop/v1/carts"), "b": of("v2", "/shop/v2/carts"), "z": beside}, **SHOP))
    of_path = Counter(path for path, _ in {(api.path, api.version_set) for api in found})
    assert set(of_path.values()) == {1}


def test_doors_that_ask_for_other_credentials_keep_an_api_of_their_own() -> None:
    keyed = {**of("v1", "/shop/v1/stock/{*}"), "auth": {"apiKey": ["gold"]}}
    t = written({"a": of("v1", "/shop/v1/carts/{*}"), "b": keyed}, **SHOP, **KEYS)
    assert groups(t) == {("shop", "v1", "carts"): ["a"], ("shop", "v1", "stock"): ["b"]}
    assert findings(t, GatewayKind.API_MANAGEMENT) == []


@pytest.mark.parametrize("name", CARRIED)
def test_systems_that_are_carried_have_no_finding(name: str) -> None:
    assert findings(topology(name), GatewayKind.API_MANAGEMENT) == []


def test_the_brokerage_is_refused_for_its_websocket_and_its_grpc_door_with_a_gateway_that_can() -> None:
    found = findings(topology("brokerage"), GatewayKind.API_MANAGEMENT)
    assert {finding.path[:2] for finding in found} == {("doors", name) for name in UNCARRIED}
    assert all(
        "set `perimeter:alternative: {edge: load-balancer, gateway: envoy-gateway}` in the stack file" in finding.suggestion
        for finding in found
    )
    assert findings(at_api_management("brokerage"), GatewayKind.API_MANAGEMENT) == []


@pytest.mark.parametrize(
    ("doors", "more", "path"),
    [
        ({"a": {"paths": ["/v1/a"]}, "b": {"paths": ["/v1/b"], "auth": {"apiKey": ["gold"]}}}, KEYS, ("doors", "b", "auth", "apiKey")),
        (
            {"a": {"paths": ["/p"]}, "b": {"paths": ["/p"], "host": "b.example.com"}},
            {"hosts": ["a.example.com", "b.example.com"]},
            ("doors", "b", "host"),
        ),
        ({"a": {"paths": ["/a"], "timeout": "5m"}}, {}, ("doors", "a", "timeout")),
        (
            {"a": {"paths": ["/a"], "requestHeaders": {"set": {"x-a": "{{secret}}"}}}},
            {},
            ("doors", "a", "requestHeaders", "set", "x-a"),
        ),
        (
            {"a": {"paths": ["/p/a"]}, "b": {"paths": ["/p/b"], "api": {"name": "api", "version": "v1"}}},
            {"apis": {"api": {"versionHeader": "x-v", "versions": {"v1": {}}}}},
            ("doors", "b", "api"),
        ),
    ],
)
def test_what_cannot_be_carried_is_found_where_it_is_asked_for(doors: dict[str, Any], more: dict[str, Any], path: tuple[str, ...]) -> None:
    assert [finding.path for finding in findings(written(doors, **more), GatewayKind.API_MANAGEMENT)] == [path]
