import base64
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from lab.issuer import Algorithm, Forgery, Issuer


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    folder = tmp_path_factory.mktemp("internet")
    made = Issuer(folder=folder, outage=folder / "outage", rotated=folder / "rotated")
    made.prepare()
    return made


@pytest.fixture
def issuer(prepared: Issuer) -> Iterator[Issuer]:
    yield prepared
    prepared.start()
    prepared.restore()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    head, body, signature = token.split(".")
    return json.loads(decoded(head)), json.loads(decoded(body)), decoded(signature)


def number(text: str) -> int:
    return int.from_bytes(decoded(text), "big")


def public(issuer: Issuer, kid: str) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    key = next(key for key in issuer.key_set()["keys"] if key["kid"] == kid)
    if key["kty"] == "RSA":
        return rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
    return ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), ec.SECP256R1()).public_key()


def verify(issuer: Issuer, token: str) -> None:
    head, _, signature = parts(token)
    signed = token.rsplit(".", 1)[0].encode()
    key = public(issuer, head["kid"])
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        key.verify(
            encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")),
            signed,
            ec.ECDSA(hashes.SHA256()),
        )


@pytest.mark.parametrize("alg", list(Algorithm))
def test_an_honest_token_verifies_with_the_key_set(issuer: Issuer, alg: Algorithm) -> None:
    token = issuer.token("https://login.example", "shop", "user-1", alg=alg)
    verify(issuer, token)
    assert parts(token)[0]["alg"] == alg


def test_claims_can_be_added_replaced_and_left_out(issuer: Issuer) -> None:
    _, body, _ = parts(issuer.token("https://login.example", ["a", "b"], "user-1", exp=None, scope="read", iat=1))
    assert body == {"iss": "https://login.example", "aud": ["a", "b"], "sub": "user-1", "iat": 1, "scope": "read"}


@pytest.mark.parametrize("kind", [Forgery.OTHER_KEY, Forgery.TAMPERED])
def test_a_forged_signature_does_not_verify(issuer: Issuer, kind: Forgery) -> None:
    with pytest.raises(InvalidSignature):
        verify(issuer, issuer.forged(kind, "https://login.example", "shop", "user-1"))


def test_an_unsigned_token_says_so(issuer: Issuer) -> None:
    token = issuer.forged("none", "https://login.example", "shop", "user-1")
    assert parts(token)[0]["alg"] == "none"
    assert token.endswith(".")


def test_a_symmetric_forgery_is_signed_with_what_everybody_knows(issuer: Issuer) -> None:
    token = issuer.forged("hs256", "https://login.example", "shop", "user-1")
    key = public(issuer, "lab-rs256").public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert parts(token)[2] == hmac.digest(key, token.rsplit(".", 1)[0].encode(), "sha256")


def test_an_unknown_key_is_in_no_key_set(issuer: Issuer) -> None:
    kid = parts(issuer.forged("unknown-kid", "https://login.example", "shop", "user-1"))[0]["kid"]
    assert kid not in {key["kid"] for key in issuer.key_set()["keys"]}


def test_keys_are_made_once(issuer: Issuer) -> None:
    before = issuer.key_set()
    issuer.prepare()
    assert issuer.key_set() == before


def test_only_their_owner_reads_the_keys(issuer: Issuer) -> None:
    assert {path.stat().st_mode & 0o777 for path in Path(issuer.folder).glob("*.key")} == {0o600}


def test_an_outage_begins_and_ends(issuer: Issuer) -> None:
    issuer.stop()
    assert issuer.outage.exists()
    issuer.start()
    assert not issuer.outage.exists()


def kids(issuer: Issuer) -> list[str]:
    return [key["kid"] for key in issuer.key_set()["keys"]]


@pytest.mark.parametrize("alg", list(Algorithm))
def test_a_new_key_is_published_beside_the_old_one_and_signs_from_then_on(issuer: Issuer, alg: Algorithm) -> None:
    old = issuer.token("https://login.example", "shop", "user-1", alg=alg)
    issuer.rotate()
    new = issuer.token("https://login.example", "shop", "user-1", alg=alg)
    assert parts(old)[0]["kid"] != parts(new)[0]["kid"]
    for token in (old, new):
        verify(issuer, token)


def test_a_key_that_was_withdrawn_is_in_the_set_no_more(issuer: Issuer) -> None:
    first = kids(issuer)
    issuer.rotate()
    both = kids(issuer)
    issuer.withdraw()
    assert len(set(both)) == len(both) == 2 * len(first)
    assert kids(issuer) == [kid for kid in both if kid not in first]
    verify(issuer, issuer.token("https://login.example", "shop", "user-1"))


def test_keys_change_as_often_as_one_likes(issuer: Issuer) -> None:
    seen = set(kids(issuer))
    for _ in range(2):
        issuer.rotate()
        issuer.withdraw()
        assert not seen & set(kids(issuer))
        seen |= set(kids(issuer))
    issuer.rotate()
    assert len(kids(issuer)) == 2 * len(Algorithm)


def test_the_only_keys_cannot_be_withdrawn(issuer: Issuer) -> None:
    before = issuer.key_set()
    issuer.withdraw()
    assert issuer.key_set() == before


def test_an_issuer_goes_back_to_its_first_keys(issuer: Issuer) -> None:
    before = issuer.key_set()
    issuer.rotate()
    issuer.withdraw()
    issuer.restore()
    assert issuer.key_set() == before
    verify(issuer, issuer.token("https://login.example", "shop", "user-1"))


def test_forgeries_name_the_key_that_is_in_use(issuer: Issuer) -> None:
    issuer.rotate()
    with pytest.raises(InvalidSignature):
        verify(issuer, issuer.forged("other-key", "https://login.example", "shop", "user-1"))
    head = parts(issuer.forged("hs256", "https://login.example", "shop", "user-1"))[0]
    assert head["kid"] == parts(issuer.token("https://login.example", "shop", "user-1"))[0]["kid"]


def test_only_their_owner_reads_keys_that_came_later(issuer: Issuer) -> None:
    issuer.rotate()
    assert {path.stat().st_mode & 0o777 for path in issuer.rotated.glob("*/*.key")} == {0o600}
