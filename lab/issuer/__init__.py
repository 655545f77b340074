"""A token issuer: what it signs, and what a forger would make of it."""

import base64
import hmac
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from lab.certificates import Authority, Pair, secret
from lab.settings import CACHE, STATE

LIFE: Final = 3600
"""Seconds for which a token holds unless it says otherwise."""
RSA_BITS: Final = 2048
COORDINATE: Final = 32
"""Bytes of a number of P-256."""
FIRST: Final = 1
"""Number of the keys that an issuer begins with."""


class Algorithm(StrEnum):
    """How an honest token is signed (RFC 7518)."""

    RS256 = "RS256"
    ES256 = "ES256"


class Forgery(StrEnum):
    """How a dishonest token is made."""

    NONE = "none"
    """Unsigned, and says so (RFC 7519, section 6)."""
    HS256 = "hs256"
    """Signed symmetrically with the public key, which everybody knows (RFC 8725, section 2.1)."""
    OTHER_KEY = "other-key"
    """Signed by a key that is not the issuer's, under the name of one that is."""
    UNKNOWN_KID = "unknown-kid"
    """Signed by a key that is not the issuer's, under a name of its own."""
    TAMPERED = "tampered"
    """Signed by the issuer, changed afterwards."""


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """An issuer for every issuer name: one key of each algorithm, served wherever a key set is asked for.

    Its keys change as those of any issuer do: `rotate` publishes new ones beside the old and signs with them, `withdraw` takes the old ones
    out of the set. Tokens of old keys are good until then, and as long after it as somebody keeps the set that he has fetched.
    """

    folder: Path = CACHE / "internet"
    outage: Path = STATE / "issuer-outage"
    """A file that is there while the issuer is not."""
    rotated: Path = STATE / "issuer-keys"
    """A folder with all keys but the first: one folder for each number, and the lowest number that is still published."""

    @property
    def authority(self) -> Pair:
        """Return the authority that all the lab's images trust."""
        return Pair.at(self.folder, "ca")

    @property
    def ca(self) -> Path:
        """Return the certificate of that authority."""
        return self.authority.certificate

    def prepare(self) -> Authority:
        """Make the keys, unless they are there."""
        _make_keys(self.folder)
        _keep(self.folder / "other.key", rsa_key)
        return Authority.load_or_make(self.authority, "perimeter-lab-internet")

    def key_set(self) -> dict[str, Any]:
        """Return the public keys as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [key for number in self._published() for key in self._public(number)]}

    def token(self, issuer: str, audience: str | list[str], subject: str, *, alg: Algorithm | str = Algorithm.RS256, **claims: Any) -> str:
        """Return an honest token.

        Args:
            issuer: claim `iss`.
            audience: claim `aud`.
            subject: claim `sub`.
            alg: how it is signed.
            claims: further claims, or others in place of `iat` and `exp`; None leaves a claim out.
        """
        alg = Algorithm(alg)
        newest = self._newest()
        signed = _signed({"alg": alg, "typ": "JWT", "kid": _kid(alg, newest)}, _claims(issuer, audience, subject, claims))
        if alg is Algorithm.RS256:
            return _joined(signed, self._rsa(newest).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))
        r, s = decode_dss_signature(self._ec(newest).sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return _joined(signed, r.to_bytes(COORDINATE, "big") + s.to_bytes(COORDINATE, "big"))

    def forged(self, kind: Forgery | str, issuer: str, audience: str | list[str], subject: str, **claims: Any) -> str:
        """Return a dishonest token with the claims of an honest one."""
        body, newest = _claims(issuer, audience, subject, claims), self._newest()
        honest = _kid(Algorithm.RS256, newest)
        match Forgery(kind):
            case Forgery.NONE:
                return _joined(_signed({"alg": "none", "typ": "JWT"}, body), b"")
            case Forgery.HS256:
                key = self._rsa(newest).public_key()
                public = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
                signed = _signed({"alg": "HS256", "typ": "JWT", "kid": honest}, body)
                return _joined(signed, hmac.digest(public, signed.encode(), "sha256"))
            case Forgery.OTHER_KEY | Forgery.UNKNOWN_KID as how:
                kid = honest if how is Forgery.OTHER_KEY else "nobody"
                signed = _signed({"alg": "RS256", "typ": "JWT", "kid": kid}, body)
                return _joined(signed, _load_rsa(self.folder / "other.key").sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))
            case Forgery.TAMPERED:
                head, _, signature = self.token(issuer, audience, subject, **claims).split(".")
                return ".".join((head, _b64(json.dumps({**body, "sub": f"{subject}-admin"}).encode()), signature))

    def stop(self) -> None:
        """Play an outage: nobody gets the key set any more."""
        self.outage.parent.mkdir(parents=True, exist_ok=True)
        self.outage.touch()

    def start(self) -> None:
        """End the outage."""
        self.outage.unlink(missing_ok=True)

    def rotate(self) -> None:
        """Publish new keys beside those in use, and sign with them from now on."""
        draft = self.rotated / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _make_keys(draft)
        draft.rename(self.rotated / str(self._newest() + 1))  # whoever serves the set never sees half of it

    def withdraw(self) -> None:
        """Publish the keys in use alone: whoever fetches the set from now on refuses tokens of older ones."""
        if (newest := self._newest()) > FIRST:
            draft = self._oldest_published.with_suffix(".draft")
            draft.write_text(str(newest))
            draft.replace(self._oldest_published)

    def restore(self) -> None:
        """Go back to the first keys, and forget all others."""
        forgotten = self.rotated.with_suffix(".forgotten")
        shutil.rmtree(forgotten, ignore_errors=True)
        if self.rotated.exists():
            self.rotated.rename(forgotten)  # in one step, as above
            shutil.rmtree(forgotten)

    @property
    def _oldest_published(self) -> Path:
        return self.rotated / "published-from"

    def _newest(self) -> int:
        return max((int(path.name) for path in self.rotated.glob("*") if path.name.isdecimal()), default=FIRST)

    def _published(self) -> range:
        oldest = int(self._oldest_published.read_text()) if self._oldest_published.exists() else FIRST
        return range(oldest, self._newest() + 1)

    def _public(self, number: int) -> list[dict[str, str]]:
        """Return the public keys of a number as JSON Web Keys."""
        numbers, point = self._rsa(number).public_key().public_numbers(), self._ec(number).public_key().public_numbers()
        of_rsa = {"kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
        of_ec = {"kty": "EC", "crv": "P-256", "x": _number(point.x, COORDINATE), "y": _number(point.y, COORDINATE)}
        pairs = ((Algorithm.RS256, of_rsa), (Algorithm.ES256, of_ec))
        return [{"use": "sig", "alg": alg, "kid": _kid(alg, number), **key} for alg, key in pairs]

    def _keys(self, number: int) -> Path:
        return self.folder if number == FIRST else self.rotated / str(number)

    def _rsa(self, number: int) -> rsa.RSAPrivateKey:
        return _load_rsa(self._keys(number) / f"{Algorithm.RS256.lower()}.key")

    def _ec(self, number: int) -> ec.EllipticCurvePrivateKey:
        key = serialization.load_pem_private_key((self._keys(number) / f"{Algorithm.ES256.lower()}.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 # written by `_make_keys`
        return key


def rsa_key() -> bytes:
    """Return a new private RSA key in PEM."""
    return _pem(rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS))


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _make_keys(folder: Path) -> None:
    """Make a key of each algorithm in a folder, unless they are there."""
    _keep(folder / f"{Algorithm.RS256.lower()}.key", rsa_key)
    _keep(folder / f"{Algorithm.ES256.lower()}.key", lambda: _pem(ec.generate_private_key(ec.SECP256R1())))


def _load_rsa(path: Path) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)  # noqa: S101 # written by `prepare` or `_make_keys`
    return key


def _kid(alg: Algorithm, number: int) -> str:
    return f"lab-{alg.lower()}" if number == FIRST else f"lab-{alg.lower()}-{number}"


def _keep(path: Path, make: Callable[[], bytes]) -> None:
    if not path.exists():
        secret(path, make())


def _claims(issuer: str, audience: str | list[str], subject: str, claims: dict[str, Any]) -> dict[str, Any]:
    now = int(time.time())
    body = {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "exp": now + LIFE, **claims}
    return {name: value for name, value in body.items() if value is not None}


def _signed(head: dict[str, Any], body: dict[str, Any]) -> str:
    return ".".join(_b64(json.dumps(part).encode()) for part in (head, body))


def _joined(signed: str, signature: bytes) -> str:
    return f"{signed}.{_b64(signature)}"


def _number(value: int, length: int | None = None) -> str:
    return _b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
