"""What a client shows to be let in, and what may be wrong with it."""

from dataclasses import dataclass
from enum import StrEnum

from topology.model.base import Name


class Flaw(StrEnum):
    """What is wrong with a token."""

    NONE = ""
    EXPIRED = "expired"
    NOT_YET = "not yet valid"
    NO_EXPIRY = "without exp"
    NO_SUBJECT = "without sub"
    WRONG_ISSUER = "of another issuer"
    WRONG_AUDIENCE = "for another audience"
    NO_AUDIENCE = "without aud"
    NO_CLAIM = "without a required claim"
    WRONG_CLAIM = "with another value of a required claim"
    OTHER_TIER = "of a tier that the door has not"
    ALG_NONE = "alg none"
    ALG_NONE_MIXED = "alg nOnE"
    HMAC_PUBLIC_KEY = "HS256 with the public key"
    TAMPERED = "claims changed after signing"
    CUT_SIGNATURE = "without signature"
    OTHER_KEY = "signed by another key"
    UNKNOWN_KEY = "signed by an unknown key id"
    EMBEDDED_KEY = "brings its own key (jwk)"
    LINKED_KEY = "links its own keys (jku)"
    GARBAGE = "no token at all"


class Carried(StrEnum):
    """Where a credential is shown."""

    USUAL = "where it belongs"
    QUERY = "in the query"
    COOKIE = "in a cookie"
    BASIC = "as Basic"
    TWICE = "twice"
    OTHER_HEADER = "in X-Authorization"


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token of an issuer for one subject."""

    issuer: str
    audience: str
    subject: str
    claims: tuple[tuple[str, str], ...] = ()
    flaw: Flaw = Flaw.NONE
    carried: Carried = Carried.USUAL


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A consumer's API key; without consumer, one that was never given out."""

    consumer: Name = ""
    carried: Carried = Carried.USUAL


Credential = Token | ApiKey | None


class Certificate(StrEnum):
    """The client certificate that is shown."""

    NONE = "no certificate"
    SELF_MADE = "a self-made certificate with the right name"
    EDGE = "the edge's certificate"
    GATEWAY = "the gateway's certificate"
