"""Certificates of hops that leave the cluster."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from components.authority import LEAF_LIFE, RENEWAL, AuthorityProvider, LeafProvider, der, new_authority

AUTHORITY = new_authority("perimeter boundary test")


def leaf(**more: Any) -> dict[str, Any]:
    props = {
        "commonName": "gateway-server",
        "dnsNames": ["api.shop.example"],
        "uris": [],
        "usage": "server",
        "authorityCertificate": AUTHORITY["certificate"],
        "authorityKey": AUTHORITY["key"],
        **more,
    }
    return LeafProvider().create(props).outs or {}


def certificate(outs: dict[str, Any]) -> x509.Certificate:
    return x509.load_pem_x509_certificate(outs["certificate"].encode())


def test_a_server_certificate_is_verified_by_its_authority_for_its_names_and_no_other() -> None:
    store = Store([x509.load_pem_x509_certificate(AUTHORITY["certificate"].encode())])
    made = certificate(leaf())
    PolicyBuilder().store(store).build_server_verifier(x509.DNSName("api.shop.example")).verify(made, [])
    with pytest.raises(VerificationError):
        PolicyBuilder().store(store).build_server_verifier(x509.DNSName("other.shop.example")).verify(made, [])


def test_another_authority_does_not_verify_it() -> None:
    store = Store([x509.load_pem_x509_certificate(new_authority("another")["certificate"].encode())])
    with pytest.raises(VerificationError):
        PolicyBuilder().store(store).build_server_verifier(x509.DNSName("api.shop.example")).verify(certificate(leaf()), [])


def test_a_client_certificate_says_an_identity_and_is_no_server() -> None:
    made = certificate(leaf(usage="client", dnsNames=[], uris=["spiffe://boundary/ns/gateway/sa/gateway"]))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://boundary/ns/gateway/sa/gateway"]
    usages = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [usage._name for usage in usages] == ["clientAuth"]


def test_the_bundle_holds_certificate_key_and_authority() -> None:
    made = leaf()
    key, found, others = pkcs12.load_key_and_certificates(base64.b64decode(made["pfx"]), None)
    assert key is not None
    assert found == certificate(made)
    assert others[0].subject == certificate(made).issuer


def test_a_certificate_stays_while_it_lives_and_says_the_same() -> None:
    made = leaf()
    assert LeafProvider().diff("id", made, made).changes is False


@pytest.mark.parametrize("key", ["dnsNames", "uris", "usage", "authorityCertificate"])
def test_a_certificate_that_is_to_say_something_else_is_made_anew(key: str) -> None:
    made = leaf()
    assert LeafProvider().diff("id", made, {**made, key: "other"}).changes is True


def test_a_certificate_that_ends_soon_is_made_anew_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    made = leaf()

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(UTC) + LEAF_LIFE - RENEWAL + timedelta(days=1)

    monkeypatch.setattr("components.authority.datetime", Later)
    assert LeafProvider().diff("id", made, made).changes is True
    renewed = LeafProvider().update("id", made, made).outs or {}
    assert certificate(renewed).not_valid_after_utc > certificate(made).not_valid_after_utc


def test_an_authority_keeps_its_key_until_it_has_another_name() -> None:
    old = {"commonName": "a", **AUTHORITY}
    assert AuthorityProvider().diff("id", old, old).changes is False
    assert AuthorityProvider().diff("id", old, {**old, "commonName": "b"}).replaces == ["commonName"]


def test_der_is_pem_without_its_frame() -> None:
    assert x509.load_der_x509_certificate(base64.b64decode(der(AUTHORITY["certificate"]))).subject
