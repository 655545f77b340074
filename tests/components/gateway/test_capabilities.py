"""What a gateway cannot carry is an error that says where, why and what to do."""

from typing import Any

import pytest

from components.binding import GatewayKind
from components.gateway.capabilities import FEATURES, findings
from tests.components.edge.systems import system
from topology.model.system import Topology

LOGIN: dict[str, Any] = {"issuer": "https://login.example.com", "audiences": ["test"], "jwksUri": "https://login.example.com/keys"}
RSA = """-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBALqbHeRLCyOdykC5SDLqI49ArYGYG1mq
aH9/GnWjGavZM02fos4lc2w6tCchcUBNtJvGqKwhC5JEnx3RYoSX2ucCAwEAAQ==
-----END PUBLIC KEY-----"""
TOKEN_DOOR: dict[str, Any] = {"paths": ["/a"], "auth": {"jwt": "login"}}


def found(t: Topology, gateway: GatewayKind) -> list[str]:
    return [str(finding) for finding in findings(t, gateway)]


def login(**more: Any) -> dict[str, Any]:
    return {"issuers": {"login": {**LOGIN, **more}}}


def test_each_feature_is_carried_or_lacking_at_each_gateway() -> None:
    for feature in FEATURES:
        assert {*feature.carried, *feature.lacking} == set(GatewayKind), feature.name
        assert not {*feature.carried} & {*feature.lacking}, feature.name
        assert bool(feature.lacking) == (feature.uses is not None), feature.name


def test_headers_of_single_connections_are_no_policys_of_api_management() -> None:
    door = {**TOKEN_DOOR, "responseHeaders": {"remove": ["x-a", "keep-alive"]}}
    (finding,) = found(system({"door": door}, **login()), GatewayKind.API_MANAGEMENT)
    assert finding.startswith("doors.door.responseHeaders.remove[1]: asks for a header of single connections, such as keep-alive")
    assert found(system({"door": door}, **login()), GatewayKind.ENVOY_GATEWAY) == []


def test_a_finding_names_the_door_the_reason_and_a_gateway_that_can() -> None:
    assert found(system({"door": TOKEN_DOOR}, **login()), GatewayKind.KONG) == [
        'doors.door.auth.jwt: "login" asks for an issuer\'s key set, fetched and fetched again, which kong cannot carry: its open-source '
        "edition knows only keys that it is given (give the issuer `publicKeys`; or set `perimeter:gateway: envoy-gateway` in the stack file)"
    ]


def test_doors_that_ask_for_the_same_are_named_in_one_finding_at_the_first_of_them() -> None:
    doors = {name: {**TOKEN_DOOR, "paths": [f"/{name}"]} for name in ("first", "second", "third")}
    (finding,) = found(system(doors, **login()), GatewayKind.KONG)
    assert finding.startswith("doors.first.auth.jwt: ")
    assert "; so do doors second, third (" in finding


def test_a_gateway_is_not_praised_without_saying_what_else_it_lacks() -> None:
    door = {**TOKEN_DOOR, "cache": {"ttl": "1m"}}
    (finding,) = found(system({"door": door}, **login()), GatewayKind.ENVOY_GATEWAY)
    assert finding.endswith(
        "(remove the cache; or `perimeter:gateway: kong` carries this, but not an issuer's key set, fetched and fetched again)"
    )


def test_a_pinned_key_is_enough_for_kong() -> None:
    assert found(system({"door": TOKEN_DOOR}, **login(publicKeys=[RSA])), GatewayKind.KONG) == []


@pytest.mark.parametrize(
    ("gateway", "door", "more", "path", "said"),
    [
        (GatewayKind.KONG, TOKEN_DOOR, login(publicKeys=[RSA, RSA]), "doors.door.auth.jwt", "several keys of one issuer"),
        (GatewayKind.KONG, TOKEN_DOOR, login(publicKeys=["no key"]), "doors.door.auth.jwt", "a public key that is no PEM"),
        (GatewayKind.KONG, TOKEN_DOOR, login(publicKeys=[RSA], tierClaim="plan"), "doors.door.tiers", "tiers told by a claim"),
        (
            GatewayKind.ENVOY_GATEWAY,
            {"paths": ["/a"], "auth": {"apiKey": ["gold"]}, "cache": {"ttl": "1m"}},
            {},
            "doors.door.cache",
            "a cache",
        ),
        (GatewayKind.ENVOY_GATEWAY, TOKEN_DOOR, login(audiences=[f"a{n}" for n in range(9)]), "doors.door.auth.jwt", "more audiences"),
        (
            GatewayKind.KONG,
            {"paths": ["/a"], "requestHeaders": {"set": {"x-a": "$(1)"}}},
            {},
            "doors.door.requestHeaders.set.x-a",
            "a header value that begins",
        ),
        (
            GatewayKind.ENVOY_GATEWAY,
            {"paths": ["/a"], "responseHeaders": {"set": {f"x-{n}": "1" for n in range(17)}}},
            {},
            "doors.door.responseHeaders",
            "so many changed headers",
        ),
        (
            GatewayKind.ENVOY_GATEWAY,
            {"paths": ["/a"], "requestHeaders": {"remove": [f"x-{n}" for n in range(17)]}},
            {},
            "doors.door.requestHeaders",
            "so many changed headers",
        ),
        (
            GatewayKind.ENVOY_GATEWAY,
            {"paths": ["/a"], "auth": {"apiKey": [f"t{n}" for n in range(17)]}},
            {"tiers": {f"t{n}": {"limits": [{"requests": 1, "per": "second"}]} for n in range(17)}},
            "doors.door.auth.apiKey",
            "so many tiers and limits",
        ),
    ],
)
def test_what_is_lacking_is_said(gateway: GatewayKind, door: dict[str, Any], more: dict[str, Any], path: str, said: str) -> None:
    t = system({"door": door}, **more)
    (finding,) = found(t, gateway)
    assert finding.startswith(f"{path}: ")
    assert f"asks for {said}" in finding
    other = next(kind for kind in GatewayKind if kind is not gateway)
    assert not [line for line in found(t, other) if f"asks for {said}" in line]


def test_a_cache_of_a_public_door_is_carried_by_the_edge_whatever_the_gateway() -> None:
    t = system({"door": {"paths": ["/a"], "cache": {"ttl": "1m"}}})
    assert [found(t, gateway) for gateway in GatewayKind] == [[], [], []]


def test_a_preflight_says_no_version_by_which_api_management_could_choose() -> None:
    door = {**TOKEN_DOOR, "cors": "app", "api": {"name": "shop", "version": "v1"}}
    more = {
        "cors": {"app": {"origins": ["https://app.example.com"]}},
        "apis": {"shop": {"versionHeader": "x-version", "versions": {"v1": {}}}},
    }
    (finding,) = found(system({"door": door}, **login(), **more), GatewayKind.API_MANAGEMENT)
    assert finding.startswith('doors.door.cors: "app" asks for `cors` at a door whose API version is told by a header')
    assert found(system({"door": door}, **login(), **more), GatewayKind.ENVOY_GATEWAY) == []
