"""Policies of API Management, as XML and against the policy reference."""

from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest

from components.gateway.api_management import policies
from components.gateway.api_management.expressions import literal
from components.headers import REMOVED
from tests.components.azure.reference import SECTIONS, faults
from tests.components.azure.systems import CARRIED, at_api_management
from tests.components.edge.systems import system as written
from topology.derive import names
from topology.model.base import seconds
from topology.model.system import Topology
from topology.preflights import by_door

PARTS = ("allowed-origins/origin", "allowed-methods/method", "allowed-headers/header", "expose-headers/header")

LOGIN: dict[str, Any] = {
    "issuer": "https://login.example.com/",
    "audiences": ["shop", 'a "b" & <c>'],
    "jwksUri": "https://login.example.com/keys",
    "requiredClaims": {"role": ["doctor", "nurse"]},
}


def policy(t: Topology, door: str = "door", **discovery: str) -> Element:
    return fromstring(policies.door(t, door, "a-main", discovery, by_door(t).get(door)))  # noqa: S314 # written by the code under test


DOORS = [(name, door) for name in (*CARRIED, "brokerage") for door in at_api_management(name).doors]


@pytest.mark.parametrize(("name", "door"), DOORS)
def test_every_policy_of_every_system_is_as_the_reference_says(name: str, door: str) -> None:
    t = at_api_management(name)
    assert faults(policies.door(t, door, "backend", {}, by_door(t).get(door))) == []


def test_the_policy_of_all_apis_is_as_the_reference_says_and_forwards_nothing() -> None:
    text = policies.every_api()
    assert faults(text) == []
    root = fromstring(text)  # noqa: S314
    assert len(root.findall("./backend/*")) == 0
    assert not list(root.iter("base"))


def test_the_reference_finds_faults() -> None:
    broken = "<policies><inbound><set-heder/><forward-request/><rate-limit-by-key calls='1' renewal-period='3600'/></inbound></policies>"
    assert set(faults(broken)) == {
        "the sections are others",
        "set-heder: unknown element",
        "forward-request: not in inbound",
        "rate-limit-by-key: no counter-key",
        "rate-limit-by-key: renewal-period is 3600",
    }


def test_the_reference_knows_that_one_policy_alone_stands_in_backend() -> None:
    assert faults("<policies><inbound/><backend><base/><forward-request/></backend><outbound/><on-error/></policies>") == [
        "backend: 2 policies"
    ]


@pytest.mark.parametrize(
    ("header", "action", "said"),
    [
        ("Keep-Alive", "delete", ["set-header: name is Keep-Alive"]),
        ("transfer-encoding", "override", ["set-header: name is transfer-encoding"]),
        ("X-Forwarded-For", "delete", ["set-header: deletes X-Forwarded-For"]),
        ("X-Forwarded-For", "override", []),
        ("Server", "delete", ["set-header: deletes Server"]),
        ("x-forwarded-host", "delete", []),
    ],
)
def test_the_reference_knows_headers_that_no_policy_may_touch(header: str, action: str, said: list[str]) -> None:
    changed = f"<set-header name='{header}' exists-action='{action}'/>"
    assert faults(f"<policies><inbound>{changed}</inbound><backend/><outbound/><on-error/></policies>") == said


@pytest.mark.parametrize(("name", "door"), DOORS)
def test_every_door_keeps_the_outer_policy_first_in_each_section_and_forwards_once(name: str, door: str) -> None:
    root = policy(at_api_management(name), door)
    # Before it stands `cors`, which works only where nothing does (Learn, `cors-policy`).
    first = {section: next(each.tag for each in root.find(section) if each.tag != "cors") for section in SECTIONS}  # type: ignore[union-attr] # the sections are there
    assert {section for section, tag in first.items() if tag == "base"} == {*SECTIONS} - {"backend"}
    assert len(list(root.iter("forward-request"))) == 1
    assert root.find("./inbound/authentication-certificate").get("certificate-id") == "gateway-client"  # type: ignore[union-attr]


def test_a_door_tells_browsers_before_anything_is_asked_and_keeps_answers_for_each_origin() -> None:
    t = at_api_management("payments")
    for door, answer in by_door(t).items():
        inbound = policy(t, door).find("inbound")
        assert inbound is not None
        cors = inbound[0]
        assert (cors.tag, cors.get("allow-credentials"), cors.get("terminate-unmatched-request")) == ("cors", "false", "false")
        said = {part: tuple(each.text for each in cors.findall(part)) for part in PARTS}
        headers = answer.headers or ("accept",)  # one is required
        assert said == dict(zip(PARTS, (answer.cors.origins, answer.methods, headers, answer.cors.expose), strict=True))
        assert [each.get("preflight-result-max-age") for each in cors.findall("allowed-methods")] == [
            str(int(seconds(answer.cors.max_age)))
        ]
    assert [each.text for each in policy(t, "catalogue").findall("./inbound/cache-lookup/vary-by-header")] == ["Origin", "accept-language"]
    assert policy(t, "partner-orders").find("./inbound/cors") is None


def test_what_clients_say_of_themselves_ends_before_any_door() -> None:
    root = fromstring(policies.every_api())  # noqa: S314
    gone = {e.get("name") for e in root.findall("./inbound/set-header") if e.get("exists-action") == "delete"}
    assert gone == set(REMOVED) - policies.FIXED
    made = root.find(f"./inbound/set-header[@name='{names.REQUEST_ID_HEADER}']")
    assert made is not None
    assert (made.get("exists-action"), made.findtext("value")) == ("override", "@(context.RequestId.ToString())")


def test_a_token_door_asks_for_issuer_audience_signature_end_and_claims() -> None:
    root = policy(written({"door": {"paths": ["/a"], "auth": {"jwt": "login"}}}, issuers={"login": LOGIN}))
    check = root.find("./inbound/validate-jwt")
    assert check is not None
    assert (check.get("require-expiration-time"), check.get("require-signed-tokens"), check.get("require-scheme")) == (
        "true",
        "true",
        "Bearer",
    )
    assert check.find("openid-config").attrib == {"url": "https://login.example.com/.well-known/openid-configuration"}  # type: ignore[union-attr]
    assert [e.text for e in check.findall("./audiences/audience")] == ["shop", 'a "b" & <c>']
    assert [e.text for e in check.findall("./issuers/issuer")] == ["https://login.example.com/"]
    (claim,) = check.findall("./required-claims/claim")
    assert (claim.attrib, [e.text for e in claim]) == ({"name": "role", "match": "any"}, ["doctor", "nurse"])


def test_a_stack_file_may_say_where_an_issuer_publishes_its_configuration() -> None:
    root = policy(written({"door": {"paths": ["/a"], "auth": {"jwt": "login"}}}, issuers={"login": LOGIN}), login="https://idp.example/c")
    assert root.find("./inbound/validate-jwt/openid-config").get("url") == "https://idp.example/c"  # type: ignore[union-attr]


def test_the_token_goes_on_to_the_mesh_and_every_other_credential_ends() -> None:
    def removed(root: Element) -> set[str | None]:
        return {e.get("name") for e in root.findall("./inbound/set-header") if e.get("exists-action") == "delete"}

    token = policy(at_api_management("payments"), "users")
    key = policy(at_api_management("payments"), "partner-orders")
    public = policy(at_api_management("payments"), "catalogue")
    assert removed(token) == {names.API_KEY_HEADER}
    assert removed(key) == removed(public) == {names.API_KEY_HEADER, "authorization"}


def test_a_door_of_several_tiers_refuses_whoever_is_of_none() -> None:
    root = policy(at_api_management("brokerage"), "orders")
    (choose,) = [choose for choose in root.findall("./inbound/choose") if choose.find("otherwise") is not None]
    assert [when.get("condition", "").rpartition("== ")[2] for when in choose.findall("when")] == ['"retail")', '"institutional")']
    assert choose.find("./otherwise/return-response/set-status").get("code") == "403"  # type: ignore[union-attr]
    assert all(len(when) for when in choose.findall("when"))


def test_limits_longer_than_five_minutes_are_quotas_and_answer_like_limits() -> None:
    root = policy(at_api_management("brokerage"), "partner-instruments")
    (quota,) = root.iter("quota-by-key")
    assert (quota.get("calls"), quota.get("renewal-period")) == ("1000", "3600")
    assert root.find("./on-error/choose/when/set-status").get("code") == "429"  # type: ignore[union-attr]


def test_counters_of_doors_tiers_and_windows_are_apart() -> None:
    keys = [
        element.get("counter-key")
        for name in (*CARRIED, "brokerage")
        for door in at_api_management(name).doors
        for tag in ("rate-limit-by-key", "quota-by-key")
        for element in policy(at_api_management(name), door).iter(tag)
        if name == "brokerage"
    ]
    assert len(keys) == len(set(keys)) > 0


def test_a_public_door_counts_by_the_first_address_which_is_the_one_that_the_edge_has_written() -> None:
    keys = {limit.get("counter-key") for limit in policy(at_api_management("payments"), "catalogue").iter("rate-limit-by-key")}
    assert len(keys) > 0
    assert all(str(key).endswith("""+ context.Request.Headers.GetValueOrDefault("x-forwarded-for", "").Split(',')[0])""") for key in keys)


def test_a_policy_takes_out_of_answers_what_a_door_says_and_leaves_server_to_the_edge() -> None:
    root = policy(at_api_management("payments"), "catalogue")
    assert at_api_management("payments").doors["catalogue"].response_headers.remove == ("server", "x-powered-by")
    gone = [element.get("name") for element in root.iter("set-header") if element.get("exists-action") == "delete"]
    assert "x-powered-by" in gone
    assert "server" not in gone


def test_a_cache_behind_a_credential_keeps_one_answer_for_each_client() -> None:
    door = {"paths": ["/a"], "auth": {"jwt": "login"}, "cache": {"ttl": "90s", "vary": ["accept"]}}
    root = policy(written({"door": door}, issuers={"login": LOGIN}))
    lookup = root.find("./inbound/cache-lookup")
    assert lookup is not None
    assert [e.text for e in lookup] == ["Authorization", "accept"]
    assert lookup.get("allow-private-response-caching") == "true"
    assert root.find("./outbound/cache-store").attrib == {"duration": "90"}  # type: ignore[union-attr]


def test_an_answer_is_looked_up_only_after_the_client_was_known_and_counted() -> None:
    order = [element.tag for element in policy(at_api_management("payments"), "catalogue").iterfind("./inbound/*")]
    assert order.index("rate-limit-by-key") < order.index("cache-lookup") < order.index("set-backend-service")


def test_only_a_request_that_changes_nothing_is_sent_again() -> None:
    assert policy(at_api_management("payments"), "catalogue").find("./backend/retry/forward-request") is not None
    assert policy(at_api_management("payments"), "orders").find("./backend/retry") is None


def test_the_mesh_is_asked_by_the_host_that_the_client_asked() -> None:
    root = policy(at_api_management("brokerage"), "partner-prices")
    assert root.find("./inbound/set-header[@name='Host']/value").text == "partners.brokerage.example"  # type: ignore[union-attr]
    refused = root.find("./inbound/choose/when")
    assert refused is not None
    assert '"partners.brokerage.example"' in refused.get("condition", "")


@pytest.mark.parametrize("text", ["plain", 'with "quotes"', "back\\slash", "a@b(c)"])
def test_text_of_a_topology_is_a_literal_in_an_expression(text: str) -> None:
    assert literal(text)[1:-1].replace('\\"', '"').replace("\\\\", "\\") == text
