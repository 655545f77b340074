from typing import Any

import pytest

from components.gateway.kong import plugins
from tests.components.edge.systems import system
from tests.components.gateway.kong.given import COUNTERS, MARKET
from topology.derive import names
from topology.model.base import Name
from topology.model.system import Topology
from topology.preflights import preflights


def own(door: Name) -> dict[str, dict[str, Any]]:
    return {document["metadata"]["name"]: document for document in plugins.own_plugins(MARKET, door)}


def config(door: Name, plugin: str) -> dict[str, Any]:
    [found] = [document for document in plugins.own_plugins(MARKET, door) if document["plugin"] == plugin]
    return found["config"]


SHARED = {document["metadata"]["name"]: document for document in plugins.shared(MARKET, COUNTERS)}


def listed(door: Name) -> list[str]:
    return plugins.annotations(MARKET, door)["konghq.com/plugins"].split(",")


LISTED = {
    "basket": ["token", "basket.allow", "basket.body", "basket.request", "tier.shopper.address"],
    "news": ["token", "news.allow", "news.body", "news.request", "news.cache", "tier.shopper.address"],
    "stock": ["key", "stock.allow", "stock.body", "stock.request", "stock.cache"],
    "old-stock": ["key", "old-stock.allow", "old-stock.body", "old-stock.request", "old-stock.response"],
    "window": ["window.body", "window.request", "tier.passer-by.address"],
    "ticker": ["token", "ticker.allow", "ticker.request", "tier.shopper.address"],
    "quotes": ["key", "quotes.allow", "quotes.request"],
}


@pytest.mark.parametrize("door", LISTED)
def test_a_door_names_its_plugins(door: Name) -> None:
    assert listed(door) == LISTED[door]


@pytest.mark.parametrize("door", MARKET.doors)
def test_every_plugin_that_a_door_names_exists(door: Name) -> None:
    assert set(listed(door)) <= {*own(door), *SHARED}


@pytest.mark.parametrize("door", MARKET.doors)
def test_no_door_names_two_plugins_of_one_kind(door: Name) -> None:
    kinds = [{**own(door), **SHARED}[name]["plugin"] for name in listed(door)]
    assert len(kinds) == len(set(kinds))


def test_path_and_host_go_on_as_they_came() -> None:
    annotations = plugins.annotations(MARKET, "quotes")
    assert annotations["konghq.com/strip-path"] == "false"
    assert annotations["konghq.com/preserve-host"] == "true"


def test_a_public_door_says_why_it_is_public_and_no_other_door_does() -> None:
    said = {door: plugins.annotations(MARKET, door).get("perimeter.dev/public") for door in MARKET.doors}
    assert said == {**dict.fromkeys(MARKET.doors), "window": "A shop window is there to be looked at by everybody."}


def test_a_token_is_looked_for_in_one_place_and_must_end() -> None:
    assert SHARED["token"]["plugin"] == "jwt"
    config = SHARED["token"]["config"]
    assert (config["header_names"], config["uri_param_names"], config["cookie_names"]) == (["authorization"], [], [])
    assert config["claims_to_verify"] == ["exp"]
    assert config["run_on_preflight"] is True


def test_a_key_is_looked_for_in_one_place_and_goes_no_further() -> None:
    assert SHARED["key"]["plugin"] == "key-auth"
    assert SHARED["key"]["config"] == {
        "key_names": ["x-api-key"],
        "key_in_header": True,
        "key_in_query": False,
        "key_in_body": False,
        "hide_credentials": True,
        "run_on_preflight": True,
    }


def test_no_credential_is_optional() -> None:
    assert all("anonymous" not in SHARED[name]["config"] for name in ("token", "key"))


def test_a_token_door_admits_the_tokens_of_its_own_issuer_alone() -> None:
    assert config("basket", "acl") == {"allow": ["issuer.shoppers"], "hide_groups_header": True}


def test_a_key_door_admits_the_tiers_that_it_names() -> None:
    assert config("stock", "acl") == {"allow": ["seller", "broker"], "hide_groups_header": False}
    assert config("quotes", "acl") == {"allow": ["broker"], "hide_groups_header": False}


def test_a_body_is_bounded_in_bytes() -> None:
    size = {"allowed_payload_size": 65536, "size_unit": "bytes", "require_content_length": False}
    assert config("basket", "request-size-limiting") == size


@pytest.mark.parametrize("door", ["ticker", "quotes"])
def test_a_stream_is_not_held_back_to_be_measured(door: Name) -> None:
    assert f"{door}.body" not in own(door)


@pytest.mark.parametrize("door", MARKET.doors)
def test_no_door_passes_on_what_only_the_layers_may_say(door: Name) -> None:
    gone = set(config(door, "request-transformer")["remove"]["headers"])
    assert gone >= {*names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS, names.API_KEY_HEADER, "kong-debug", "x-consumer-id"}


def test_a_token_goes_on_to_the_mesh_ingress_and_nowhere_else() -> None:
    kept = {door for door in MARKET.doors if "authorization" not in config(door, "request-transformer")["remove"]["headers"]}
    assert kept == {"basket", "news", "ticker"}


def test_a_key_becomes_the_name_and_tier_of_its_owner() -> None:
    change = config("stock", "request-transformer")
    assert change["rename"] == {"headers": ["x-consumer-username:x-perimeter-consumer", "x-consumer-groups:x-perimeter-tier"]}
    assert not {"x-consumer-username", "x-consumer-groups"} & set(change["remove"]["headers"])


@pytest.mark.parametrize("door", ["basket", "window"])
def test_without_a_key_nobody_is_named(door: Name) -> None:
    change = config(door, "request-transformer")
    assert "rename" not in change
    assert {"x-consumer-username", "x-consumer-groups"} <= set(change["remove"]["headers"])


def test_a_header_is_set_whether_it_was_there_or_not() -> None:
    change = config("basket", "request-transformer")
    assert change["replace"] == change["add"] == {"headers": ["x-channel:shop: front"]}
    assert "x-debug" in change["remove"]["headers"]


def test_an_api_version_that_ends_says_so() -> None:
    given = ["cache-control:no-store", "deprecation:@1768435200", "sunset:Thu, 31 Dec 2026 00:00:00 GMT"]
    assert config("old-stock", "response-transformer") == {
        "remove": {"headers": ["x-powered-by"]},
        "replace": {"headers": given},
        "add": {"headers": given},
        "append": {"headers": ['link:<https://developer.market.example>; rel="deprecation"; type="text/html"']},
    }


def test_answers_behind_a_key_are_kept_for_each_key_by_kong_itself() -> None:
    kept = config("stock", "proxy-cache")
    assert "vary_headers" not in kept
    assert kept["cache_ttl"] == 1
    assert (kept["strategy"], kept["request_method"], kept["response_code"]) == ("memory", ["GET", "HEAD"], [200])
    assert kept["cache_control"] is False
    assert kept["response_headers"] == {"X-Cache-Key": False}


def test_answers_behind_a_token_are_kept_for_each_token() -> None:
    kept = config("news", "proxy-cache")
    assert kept["vary_headers"] == ["accept-language", "authorization"]
    assert kept["cache_ttl"] == 30


def test_answers_of_a_public_door_are_left_to_the_edge() -> None:
    assert "window.cache" not in own("window")


def read_in_browsers(**cors: object) -> Topology:
    policy = {"origins": ["https://app.example.com"], **cors}
    return system({"door": {"paths": ["/a"], "cors": "app"}}, cors={"app": policy})


def test_a_door_for_browsers_names_what_they_are_told_and_its_preflights_end_there() -> None:
    t = read_in_browsers(maxAge="2h", expose=["x-request-id"], headers=["content-type"])
    (answer,) = preflights(t)
    assert "door.cors" in plugins.annotations(t, "door", answer)["konghq.com/plugins"].split(",")
    assert plugins.preflight_annotations(answer)["konghq.com/plugins"] == "door.cors,preflight"
    shared = {document["metadata"]["name"]: document for document in plugins.shared(t, None)}
    assert shared["door.cors"]["config"] == {
        "origins": ["https://app.example.com"],
        "methods": ["GET"],
        "headers": ["content-type"],
        "exposed_headers": ["x-request-id"],
        "credentials": False,
        "max_age": 7200,
        "preflight_continue": False,
    }
    assert shared["preflight"]["plugin"] == "request-termination"


def test_kong_is_never_left_to_grant_whatever_is_asked_for() -> None:
    (answer,) = preflights(read_in_browsers())
    assert answer.headers == ()
    assert plugins.cors(answer)["config"]["headers"] == ["accept"]


def test_without_a_door_for_browsers_nothing_answers_preflights() -> None:
    assert not {"preflight"} & {*SHARED}
