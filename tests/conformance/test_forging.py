"""Tokens as attackers write them: each wrong in one way, the rest as the issuer made it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from conformance.credentials import Nobody
from conformance.errors import NotRunError
from conformance.forging import FORGERIES, OTHER_CLAIMS, bearer
from topology.derive.probes import Flaw, Token


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Signing:
    """An issuer with a key of its own."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def mint(self, claims: Mapping[str, Any]) -> str:
        signed = ".".join(_b64(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "1"}, dict(claims)))
        return f"{signed}.{_b64(self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def key_set(self, issuer: str) -> Mapping[str, Any]:
        numbers = self.key.public_key().public_numbers()
        return {"keys": [{"kty": "EC"}, {"kty": "RSA", "n": _b64(numbers.n.to_bytes(256)), "e": _b64(numbers.e.to_bytes(3))}]}

    def outage(self, down: bool) -> None:
        """Nothing to stop."""


ISSUER = Signing()
TOKEN = Token(issuer="https://login.example", audience="api", subject="anna", claims=(("tier", "retail"),))


def parts(text: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    head, body, signature = text.split(".")
    return json.loads(_decoded(head)), json.loads(_decoded(body)), _decoded(signature)


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def verified(text: str) -> bool:
    signed, _, signature = text.rpartition(".")
    try:
        ISSUER.key.public_key().verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def with_flaw(flaw: Flaw) -> str:
    return bearer(Token(**{**vars(TOKEN), "flaw": flaw}), ISSUER)


def test_a_good_token_says_what_was_asked_for() -> None:
    _, claims, _ = parts(bearer(TOKEN, ISSUER))
    assert {key: claims[key] for key in ("iss", "aud", "sub", "tier")} == {
        "iss": "https://login.example",
        "aud": "api",
        "sub": "anna",
        "tier": "retail",
    }
    assert claims["exp"] > claims["iat"]


@pytest.mark.parametrize("flaw", OTHER_CLAIMS)
def test_a_flaw_of_claims_is_signed_by_the_issuer(flaw: Flaw) -> None:
    assert verified(with_flaw(flaw))
    assert parts(with_flaw(flaw))[1] != parts(with_flaw(Flaw.NONE))[1]


@pytest.mark.parametrize("flaw", [flaw for flaw in FORGERIES if flaw is not Flaw.GARBAGE])
def test_a_forgery_is_not_signed_by_the_issuer(flaw: Flaw) -> None:
    assert not verified(with_flaw(flaw))


def test_a_confused_verifier_would_take_the_public_key_for_the_secret() -> None:
    text = with_flaw(Flaw.HMAC_PUBLIC_KEY)
    pem = ISSUER.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed, _, signature = text.rpartition(".")
    assert parts(text)[0]["alg"] == "HS256"
    assert hmac.digest(pem, signed.encode(), hashlib.sha256) == _decoded(signature)


def test_the_key_that_a_token_brings_fits_it() -> None:
    text = with_flaw(Flaw.EMBEDDED_KEY)
    key = parts(text)[0]["jwk"]
    public = rsa.RSAPublicNumbers(int.from_bytes(_decoded(key["e"])), int.from_bytes(_decoded(key["n"]))).public_key()
    signed, _, signature = text.rpartition(".")
    public.verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_every_flaw_can_be_made() -> None:
    others = {Flaw.NONE, Flaw.WRONG_ISSUER, Flaw.WRONG_AUDIENCE, Flaw.OTHER_TIER}  # said by the token that is asked for
    assert {*OTHER_CLAIMS, *FORGERIES} == set(Flaw) - others


def test_without_an_issuer_nothing_is_minted_and_the_reason_says_what_to_give() -> None:
    with pytest.raises(NotRunError, match="--token-command"):
        bearer(TOKEN, Nobody())
