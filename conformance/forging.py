"""Tokens as attackers write them, from the claims of a good one."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from conformance.credentials import Issuer
from conformance.errors import NotRunError
from topology.derive.probes import Flaw, Token

HOUR: Final = 3600
KEY_SIZE: Final = 2048
OWN_NAME: Final = "perimeter-probe"

Claims = dict[str, Any]


def bearer(token: Token, issuer: Issuer) -> str:
    """Return the text of a token with its flaw.

    Raises:
        NotRunError: where the issuer cannot make what it takes.
    """
    now = int(time.time())
    claims: Claims = {
        "iss": token.issuer,
        "aud": token.audience,
        "sub": token.subject,
        "iat": now,
        "exp": now + HOUR,
        **dict(token.claims),
    }
    if token.flaw in OTHER_CLAIMS:
        return issuer.mint(OTHER_CLAIMS[token.flaw](claims, now))
    if token.flaw in FORGERIES:
        return FORGERIES[token.flaw](issuer.mint(claims), claims, issuer)
    return issuer.mint(claims)


def _without(*gone: str) -> Callable[[Claims, int], Claims]:
    return lambda claims, _now: {key: value for key, value in claims.items() if key not in gone}


def _without_own(claims: Claims, _now: int) -> Claims:
    return {key: value for key, value in claims.items() if key in REGISTERED}


def _other_own(claims: Claims, _now: int) -> Claims:
    return {key: value if key in REGISTERED else OWN_NAME for key, value in claims.items()}


REGISTERED: Final = frozenset({"iss", "aud", "sub", "iat", "exp", "nbf"})
OTHER_CLAIMS: Final[Mapping[Flaw, Callable[[Claims, int], Claims]]] = {
    Flaw.EXPIRED: lambda claims, now: {**claims, "iat": now - 2 * HOUR, "exp": now - HOUR},
    Flaw.NOT_YET: lambda claims, now: {**claims, "nbf": now + HOUR, "exp": now + 2 * HOUR},
    Flaw.NO_EXPIRY: _without("exp"),
    Flaw.NO_SUBJECT: _without("sub"),
    Flaw.NO_AUDIENCE: _without("aud"),
    Flaw.NO_CLAIM: _without_own,
    Flaw.WRONG_CLAIM: _other_own,
}
"""Flaws that the issuer itself would have to sign."""


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _json(value: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _header(good: str) -> dict[str, Any]:
    return json.loads(_decoded(good.split(".", maxsplit=1)[0]))


def _unsigned(name: str) -> Callable[[str, Claims, Issuer], str]:
    return lambda good, _claims, _issuer: f"{_json({**_header(good), 'alg': name})}.{good.split('.')[1]}."


def _tampered(good: str, claims: Claims, _issuer: Issuer) -> str:
    header, _, signature = good.split(".")
    return f"{header}.{_json({**claims, 'sub': 'admin', 'role': 'admin'})}.{signature}"


def _cut(good: str, _claims: Claims, _issuer: Issuer) -> str:
    return good.rsplit(".", 1)[0] + "."


def _hmac(good: str, claims: Claims, issuer: Issuer) -> str:
    keys = issuer.key_set(claims["iss"]).get("keys", [])
    key = next((found for found in keys if found.get("kty") == "RSA"), None)
    if key is None:
        raise NotRunError("the issuer has no RSA key to be taken for a secret")
    signed = f"{_json({**_header(good), 'alg': 'HS256'})}.{good.split('.')[1]}"
    return f"{signed}.{_encoded(hmac.digest(_pem(key), signed.encode(), hashlib.sha256))}"


@cache
def _own_key() -> rsa.RSAPrivateKey:
    """Return a key that nobody trusts."""
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_SIZE)


def _own_public() -> dict[str, str]:
    """Return its public half as a JSON Web Key (RFC 7517)."""
    numbers = _own_key().public_key().public_numbers()
    return {"kty": "RSA", "n": _encoded(numbers.n.to_bytes(KEY_SIZE // 8)), "e": _encoded(numbers.e.to_bytes(3)), "kid": OWN_NAME}


def _foreign(changes: Callable[[], Mapping[str, Any]]) -> Callable[[str, Claims, Issuer], str]:
    """Return the forgery that is signed by our own key, with these fields in its header."""

    def forge(good: str, _claims: Claims, _issuer: Issuer) -> str:
        signed = f"{_json({**_header(good), 'alg': 'RS256', **changes()})}.{good.split('.')[1]}"
        return f"{signed}.{_encoded(_own_key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    return forge


def _pem(key: Mapping[str, str]) -> bytes:
    """Return an RSA public key as the PEM text that servers keep: what a confused verifier takes for a shared secret."""
    exponent, modulus = (int.from_bytes(_decoded(key[part])) for part in ("e", "n"))
    public = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


FORGERIES: Final[Mapping[Flaw, Callable[[str, Claims, Issuer], str]]] = {
    Flaw.ALG_NONE: _unsigned("none"),
    Flaw.ALG_NONE_MIXED: _unsigned("nOnE"),
    Flaw.HMAC_PUBLIC_KEY: _hmac,
    Flaw.TAMPERED: _tampered,
    Flaw.CUT_SIGNATURE: _cut,
    Flaw.OTHER_KEY: _foreign(dict),
    Flaw.UNKNOWN_KEY: _foreign(lambda: {"kid": OWN_NAME}),
    Flaw.EMBEDDED_KEY: _foreign(lambda: {"kid": OWN_NAME, "jwk": _own_public()}),
    Flaw.LINKED_KEY: _foreign(lambda: {"kid": OWN_NAME, "jku": "https://keys.perimeter-probe.example/keys"}),
    Flaw.GARBAGE: lambda _good, _claims, _issuer: "perimeter.probe.garbage",
}
"""Flaws that anybody can make who has seen a token."""
