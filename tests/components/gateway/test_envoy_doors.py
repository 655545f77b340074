"""The policies of a door in Envoy Gateway."""

from typing import Any

import pytest

from components.gateway import routes
from components.gateway.envoy import doors
from components.gateway.envoy.doors import LASTING
from tests.components.edge.systems import system
from tests.schemas import validate
from tests.systems import SYSTEMS, topology
from topology.derive import names
from topology.model.service import Scope
from topology.model.system import Topology
from topology.preflights import by_door, preflights

TIERS = {
    "gold": {"limits": [{"requests": 9, "per": "second"}]},
    "silver": {"limits": [{"requests": 3, "per": "second"}]},
    "shared": {"limits": [{"requests": 1000, "per": "minute"}], "scope": "global"},
}
LOGIN: dict[str, Any] = {"issuer": "https://login.example.com", "audiences": ["test"], "jwksUri": "https://login.example.com/keys"}


def one_door(auth: dict[str, Any] | None = None, issuer: dict[str, Any] | None = None, **door: Any) -> Topology:
    more: dict[str, Any] = {
        "tiers": TIERS,
        "issuers": {"login": {**LOGIN, **(issuer or {})}},
        "consumers": {"acme": {"tier": "gold"}, "globex": {"tier": "silver"}, "initech": {"tier": "silver"}},
    }
    return system({"door": {"paths": ["/a"], **({"auth": auth} if auth else {}), **door}}, **more)


def security(t: Topology) -> dict[str, Any]:
    return doors.security(t, "door")["spec"]


@pytest.mark.parametrize("name", SYSTEMS)
def test_an_api_server_takes_the_policies_of_every_door(name: str) -> None:
    t = topology(name)
    documents = [doors.deny_everything(), *(build(t, door) for door in t.doors for build in (doors.security, doors.traffic))]
    assert [problem for document in documents for problem in validate(document)] == []


def test_a_route_without_a_policy_of_its_own_is_refused() -> None:
    spec = doors.deny_everything()["spec"]
    assert spec["targetRefs"] == [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "gateway"}]
    assert spec["authorization"] == {"defaultAction": "Deny"}


def test_a_token_door_verifies_issuer_audience_and_signature_from_the_header_alone() -> None:
    (provider,) = security(one_door({"jwt": "login"}, {"keyCache": "10m", "fetchTimeout": "2s"}))["jwt"]["providers"]
    assert provider["issuer"] == "https://login.example.com"
    assert provider["audiences"] == ["test"]
    assert provider["remoteJWKS"] == {
        "uri": "https://login.example.com/keys",
        "cacheDuration": "10m",
        "backendSettings": {"timeout": {"http": {"requestTimeout": "2s"}}},
    }
    assert provider["extractFrom"] == {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]}
    assert provider["claimToHeaders"] == [{"header": names.SUBJECT_HEADER, "claim": "sub"}]


def test_a_token_must_say_when_it_ends_and_whose_it_is() -> None:
    authorization = security(one_door({"jwt": "login"}))["authorization"]
    assert authorization == {"defaultAction": "Deny", "rules": [{"name": "token-1", "action": "Allow", "cel": LASTING}]}


def test_a_required_claim_may_be_a_text_or_a_list() -> None:
    rules = security(one_door({"jwt": "login"}, {"requiredClaims": {"role": ["doctor", "nurse"]}}))["authorization"]["rules"]
    assert [rule["principal"]["jwt"]["claims"] for rule in rules] == [
        [{"name": "role", "valueType": "String", "values": ["doctor", "nurse"]}],
        [{"name": "role", "valueType": "StringArray", "values": ["doctor", "nurse"]}],
    ]
    assert {rule["cel"] for rule in rules} == {LASTING}


def test_a_token_that_names_none_of_the_doors_tiers_is_refused() -> None:
    t = one_door({"jwt": "login"}, {"tierClaim": "plan", "requiredClaims": {"plan": ["gold", "silver"]}}, tiers=["silver"])
    (rule,) = security(t)["authorization"]["rules"]
    assert rule["principal"]["jwt"]["claims"] == [{"name": "plan", "valueType": "String", "values": ["silver"]}]


def test_an_api_key_door_knows_the_keys_of_its_tiers_and_no_other() -> None:
    spec = security(one_door({"apiKey": ["silver"]}))
    assert spec["apiKeyAuth"] == {
        "credentialRefs": [{"group": "", "kind": "Secret", "name": f"api-key-{name}"} for name in ("globex", "initech")],
        "extractFrom": [{"headers": ["x-api-key"]}],
        "forwardClientIDHeader": names.CONSUMER_HEADER,
        "sanitize": True,
    }
    assert spec.keys() == {"targetRefs", "apiKeyAuth"}


def test_a_public_door_says_why() -> None:
    document = doors.security(one_door({"public": "Prices are public by law."}), "door")
    assert document["spec"]["authorization"] == {"defaultAction": "Allow"}
    assert document["metadata"]["annotations"] == {"perimeter.dev/public": "Prices are public by law."}


def selectors(t: Topology, scope: Scope = Scope.LOCAL) -> list[Any]:
    return [rule["clientSelectors"] for rule in doors.rate_rules(t, t.doors["door"], scope)]


def test_the_clients_of_a_token_door_are_counted_by_subject() -> None:
    t = one_door({"jwt": "login"}, tiers=["gold"])
    assert selectors(t) == [[{"headers": [{"type": "Distinct", "name": names.SUBJECT_HEADER}]}]]


def test_several_tiers_of_a_token_door_are_told_by_the_claim() -> None:
    t = one_door({"jwt": "login"}, {"tierClaim": "plan"}, tiers=["gold", "silver"])
    subject = {"type": "Distinct", "name": names.SUBJECT_HEADER}
    assert [rule["limit"] for rule in doors.rate_rules(t, t.doors["door"], Scope.LOCAL)] == [
        {"requests": 9, "unit": "Second"},
        {"requests": 3, "unit": "Second"},
    ]
    assert selectors(t) == [
        [{"headers": [{"type": "Exact", "name": names.TIER_HEADER, "value": tier}, subject]}] for tier in ("gold", "silver")
    ]


def test_several_tiers_of_an_api_key_door_are_told_by_their_consumers() -> None:
    t = one_door({"apiKey": ["gold", "silver"]})
    told = {"gold": "^(acme)$", "silver": "^(globex|initech)$"}
    assert selectors(t) == [
        [
            {
                "headers": [
                    {"type": "RegularExpression", "name": names.CONSUMER_HEADER, "value": told[tier]},
                    {"type": "Distinct", "name": names.CONSUMER_HEADER},
                ]
            }
        ]
        for tier in ("gold", "silver")
    ]


def test_the_clients_of_a_public_door_are_counted_by_address() -> None:
    assert selectors(one_door(tiers=["gold"])) == [[{"sourceCIDR": {"type": "Distinct", "value": "0.0.0.0/0"}}]]


def test_a_global_limit_is_one_count_for_the_whole_door() -> None:
    t = one_door(tiers=["shared"])
    assert selectors(t) == []
    (rule,) = doors.rate_rules(t, t.doors["door"], Scope.GLOBAL)
    assert rule["shared"] is True
    assert rule["limit"] == {"requests": 1000, "unit": "Minute"}
    assert doors.traffic(t, "door")["spec"]["rateLimit"].keys() == {"global"}


def test_a_body_is_bounded_where_the_gateway_may_hold_it_back() -> None:
    assert doors.traffic(one_door(tiers=["gold"], maxBody="4Ki"), "door")["spec"]["requestBuffer"] == {"limit": 4096}
    stream = system({"door": {"paths": ["/a"]}}, services={"app": {"protocol": "websocket"}})
    assert "requestBuffer" not in doors.traffic(stream, "door")["spec"]


def test_the_gateway_never_tries_again() -> None:
    assert "retry" not in doors.traffic(one_door(tiers=["gold"]), "door")["spec"]


def changes(t: Topology) -> dict[str, Any]:
    return {change["type"]: next(value for key, value in change.items() if key != "type") for change in doors.filters(t, t.doors["door"])}


def test_a_door_changes_headers_as_it_says() -> None:
    edits = {
        "requestHeaders": {"set": {"x-in": "1"}, "remove": ["x-gone"]},
        "responseHeaders": {"set": {"x-out": "2"}, "remove": ["server"]},
    }
    found = changes(one_door(tiers=["gold"], **edits))
    assert found["RequestHeaderModifier"]["set"] == [{"name": "x-in", "value": "1"}]
    assert "x-gone" in found["RequestHeaderModifier"]["remove"]
    assert found["ResponseHeaderModifier"] == {"set": [{"name": "x-out", "value": "2"}], "remove": ["server"]}


def test_services_learn_the_tier_of_a_key_where_the_door_has_one() -> None:
    assert changes(one_door({"apiKey": ["silver"]}))["RequestHeaderModifier"]["set"] == [{"name": names.TIER_HEADER, "value": "silver"}]
    several = changes(one_door({"apiKey": ["gold", "silver"]}))["RequestHeaderModifier"]
    assert "set" not in several
    assert names.TIER_HEADER in several["remove"]


BROWSERS: dict[str, Any] = {
    "app": {"origins": ["https://app.example.com"], "headers": ["content-type"], "expose": ["x-request-id"], "maxAge": "90m"},
}


def read_in_browsers(**door: Any) -> Topology:
    return system({"door": {"paths": ["/a"], "cors": "app", **door}}, cors=BROWSERS)


def test_a_door_and_its_preflights_tell_browsers_the_same() -> None:
    t = read_in_browsers(methods=["GET", "POST"])
    (answer,) = preflights(t)
    said = doors.preflight(answer)
    assert said["spec"]["cors"] == {
        "allowOrigins": ["https://app.example.com"],
        "allowMethods": ["GET", "POST"],
        "allowHeaders": ["content-type"],
        "exposeHeaders": ["x-request-id"],
        "allowCredentials": False,
        "maxAge": "1h30m",
    }
    assert doors.security(t, "door", answer)["spec"]["cors"] == said["spec"]["cors"]
    assert "cors" not in doors.security(t, "door")["spec"]


def test_whatever_is_no_preflight_is_denied_on_the_route_for_preflights() -> None:
    t = read_in_browsers()
    (answer,) = preflights(t)
    spec = doors.preflight(answer)["spec"]
    assert spec["authorization"] == {"defaultAction": "Deny"}
    assert [target["name"] for target in spec["targetRefs"]] == ["door.preflight"]
    (route,) = routes.preflight_routes(answer, {"name": "ingress", "port": 443})
    assert route["metadata"]["name"] == "door.preflight"
    assert [match["method"] for rule in route["spec"]["rules"] for match in rule["matches"]] == ["OPTIONS"]


def test_an_api_server_takes_what_answers_preflights() -> None:
    t = topology("payments")
    found = [doors.preflight(answer) for answer in preflights(t)]
    found += [route for answer in preflights(t) for route in routes.preflight_routes(answer, {"name": "ingress", "port": 443})]
    found += [doors.security(t, name, answer) for name, answer in by_door(t).items()]
    assert [problem for document in found for problem in validate(document)] == []


def test_answers_of_a_door_for_browsers_tell_caches_by_what_they_differ() -> None:
    t = read_in_browsers()
    (change,) = [each["responseHeaderModifier"] for each in doors.filters(t, t.doors["door"]) if "responseHeaderModifier" in each]
    assert change == {"add": [{"name": "vary", "value": "Origin"}]}
