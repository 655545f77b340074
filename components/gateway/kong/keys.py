"""Which signatures a pinned public key verifies: Kong wants the algorithm beside the key, and takes tokens of that one alone."""

import base64
import binascii
import re
from typing import Final

_PEM: Final = re.compile(r"\s*-----BEGIN PUBLIC KEY-----\s+(?P<body>[A-Za-z0-9+/=\s]+?)\s*-----END PUBLIC KEY-----\s*")

ALGORITHMS: Final = {
    bytes.fromhex("06092a864886f70d010101"): "RS256",
    bytes.fromhex("06082a8648ce3d030107"): "ES256",
    bytes.fromhex("06052b81040022"): "ES384",
    bytes.fromhex("06052b81040023"): "ES512",
    bytes.fromhex("06032b6570"): "EdDSA",
}
"""JWS algorithm by the object identifier of a key (RFC 8017 rsaEncryption, RFC 5480 P-256, P-384, P-521, RFC 8410 Ed25519).

An RSA key could verify RS384, RS512 and PS256 to PS512 as well and does not say which; RS256 is what RFC 7518 recommends and what
identity providers sign with unless told otherwise. Tokens of another algorithm are refused.
"""

_ALGORITHM_WITHIN: Final = 40
"""Bytes of a SubjectPublicKeyInfo in which its algorithm stands: before the key itself."""


def algorithm(pem: str) -> str | None:
    """Return the JWS algorithm of the signatures that a public key verifies; None for any text but one such key in PEM."""
    found = _PEM.fullmatch(pem)
    if found is None:
        return None
    try:
        key = base64.b64decode("".join(found["body"].split()), validate=True)
    except binascii.Error:
        return None
    return next((name for identifier, name in ALGORITHMS.items() if identifier in key[:_ALGORITHM_WITHIN]), None)
