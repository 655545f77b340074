import pytest

from components.gateway.kong import consumers, limits, plugins
from tests.components.gateway.kong.given import COUNTERS, MARKET
from tests.keys import PUBLIC_KEY

PEOPLE = {document["metadata"]["name"]: document for document in consumers.consumers(MARKET)}
CREDENTIALS = {document["metadata"]["name"]: document for document in consumers.credentials(MARKET)}


def test_kong_knows_the_consumers_and_the_issuers_that_some_door_asks_for() -> None:
    assert list(PEOPLE) == ["acme", "globex", "issuer.shoppers"]


def test_a_consumer_holds_its_key_and_its_tier_and_is_limited() -> None:
    acme = PEOPLE["acme"]
    assert (acme["apiVersion"], acme["kind"], acme["metadata"]["namespace"]) == ("configuration.konghq.com/v1", "KongConsumer", "gateway")
    assert acme["username"] == "acme"
    assert acme["credentials"] == ["api-key-acme", "group.seller"]
    assert acme["metadata"]["annotations"] == {"kubernetes.io/ingress.class": "kong", "konghq.com/plugins": "tier.seller"}


def test_every_limit_that_a_consumer_names_exists() -> None:
    made = {document["metadata"]["name"] for document in plugins.shared(MARKET, COUNTERS)}
    assert {limits.by_consumer(tier) for tier in consumers.keyed(MARKET).values()} <= made


def test_an_issuer_holds_its_public_key_and_a_group_of_its_own() -> None:
    assert PEOPLE["issuer.shoppers"]["credentials"] == ["token.shoppers", "group.issuer.shoppers"]
    assert CREDENTIALS["token.shoppers"]["metadata"]["labels"]["konghq.com/credential"] == "jwt"
    assert CREDENTIALS["token.shoppers"]["stringData"] == {
        "key": "https://login.market.example",
        "algorithm": "ES256",
        "rsa_public_key": MARKET.issuers["shoppers"].public_keys[0],
    }


def test_a_group_is_one_credential_whoever_holds_it() -> None:
    groups = {
        name: document["stringData"]
        for name, document in CREDENTIALS.items()
        if document["metadata"]["labels"]["konghq.com/credential"] == "acl"
    }
    assert groups == {
        "group.seller": {"group": "seller"},
        "group.broker": {"group": "broker"},
        "group.issuer.shoppers": {"group": "issuer.shoppers"},
    }


def test_every_credential_that_somebody_holds_exists() -> None:
    keys = {consumers.key_secret(name) for name in consumers.keyed(MARKET)}
    assert {held for person in PEOPLE.values() for held in person["credentials"]} == {*keys, *CREDENTIALS}


def test_an_api_key_stands_where_it_is_given_and_nowhere_else() -> None:
    key = object()
    document = consumers.api_key("acme", key)
    assert document["stringData"] == {"key": key}
    assert document["metadata"]["labels"]["konghq.com/credential"] == "key-auth"


@pytest.mark.parametrize("keys", [(), (PUBLIC_KEY, PUBLIC_KEY), ("no key",)])
def test_an_issuer_without_exactly_one_key_makes_no_document(keys: tuple[str, ...]) -> None:
    issuer = MARKET.issuers["shoppers"].model_copy(update={"public_keys": keys})
    with pytest.raises(ValueError, match="needs exactly one public key"):
        consumers.credentials(MARKET.model_copy(update={"issuers": {"shoppers": issuer}}))


def test_a_key_that_may_be_private_by_mistake_is_not_repeated() -> None:
    issuer = MARKET.issuers["shoppers"].model_copy(update={"public_keys": ("-----BEGIN PRIVATE KEY-----",)})
    with pytest.raises(ValueError, match="needs exactly one") as caught:
        consumers.credentials(MARKET.model_copy(update={"issuers": {"shoppers": issuer}}))
    assert "PRIVATE" not in str(caught.value)
