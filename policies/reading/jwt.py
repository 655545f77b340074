"""What gateways ask of a token, and in which ways what they ask is less than a token's whole proof.

A token is proved when its signature, issuer, audience and expiry are checked and none of that is optional. Envoy checks `exp` where
a token has it and accepts one that has none (jwt_authn; Envoy Gateway 1.9 has no field to ask for it): a rule of authorization has to.
Kong asks for `exp` where `claims_to_verify` names it, and cannot check an audience at all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policies.reading.durations import length
from policies.reading.values import mapping, sequence
from topology.model.base import seconds
from topology.model.door import Door, JwtAuth
from topology.model.system import Topology

ASYMMETRIC: Final = frozenset({"RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA"})
"""Algorithms whose verifier holds no key that could sign."""

_HAS: Final = r"(?:^|&&)\s*has\([^()]*\.%s\)\s*(?=$|&&)"
"""The part of a CEL expression that is false for a token without some claim."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One issuer whose tokens a gateway accepts."""

    name: str
    issuer: str
    audiences: tuple[str, ...]
    keys: str
    """Where the signing keys come from: an address, `inline`, or empty for nowhere."""


def envoy_providers(jwt: Mapping[str, Any]) -> tuple[Provider, ...]:
    """Return the providers of the `jwt` of Envoy Gateway's SecurityPolicy."""
    return tuple(
        Provider(
            name=provider.get("name", ""),
            issuer=provider.get("issuer") or "",
            audiences=tuple(sequence(provider.get("audiences"))),
            keys=_keys(provider),
        )
        for provider in sequence(jwt.get("providers"))
    )


def istio_providers(request_authentication: Mapping[str, Any]) -> tuple[Provider, ...]:
    """Return the providers of the spec of Istio's RequestAuthentication."""
    return tuple(
        Provider(
            name=rule["issuer"],
            issuer=rule["issuer"],
            audiences=tuple(sequence(rule.get("audiences"))),
            keys="inline" if rule.get("jwks") else rule.get("jwksUri") or "",
        )
        for rule in sequence(request_authentication.get("jwtRules"))
    )


def envoy_weaknesses(security_policy: Mapping[str, Any], intent: Topology) -> Iterator[str]:
    """Yield every way in which the `jwt` in the spec of a SecurityPolicy proves less than a whole token of an issuer of the topology."""
    jwt: Mapping[str, Any] = security_policy["jwt"]
    if not asks_for("exp", security_policy.get("authorization") or {}):
        yield "a token without `exp` is accepted, and lasts for ever"
    if jwt.get("optional"):
        yield "`optional: true` lets requests without a token in"
    if jwt.get("failOpen"):
        yield "`failOpen: true` lets requests in while the keys cannot be fetched"
    for provider in jwt.get("providers") or ():
        places: Mapping[str, Any] = provider.get("extractFrom") or {"params": ["access_token"]}
        if places.get("params"):
            yield f"provider `{provider.get('name')}` takes tokens from the query (Envoy Gateway's default), and addresses are logged"
        for header in sequence(places.get("headers")):
            if str(header.get("name")).lower() != "authorization":
                yield f"provider `{provider.get('name')}` takes tokens from {header.get('name')}, and the mesh looks at Authorization"
        yield from _claims(provider, intent)
        yield from _lasting(provider, intent)
    providers = envoy_providers(jwt)
    if not providers:
        yield "it names no provider"
    for provider in providers:
        yield from provider_weaknesses(provider, intent)


def _claims(provider: Mapping[str, Any], intent: Topology) -> Iterator[str]:
    """Yield every claim that a provider writes into a header although it says neither who the client is nor which tier it has."""
    tiers = {issuer.tier_claim for issuer in intent.issuers.values() if issuer.issuer == provider.get("issuer")}
    for each in sequence(provider.get("claimToHeaders")):
        if each.get("claim") not in {"sub", *tiers}:
            yield f"provider `{provider.get('name')}` writes the claim {each.get('claim')} into {each.get('header')}"


def _lasting(provider: Mapping[str, Any], intent: Topology) -> Iterator[str]:
    """Yield that keys are used, or waited for, longer than the topology says: one that its issuer has taken back goes on opening doors."""
    declared = next((issuer for issuer in intent.issuers.values() if issuer.issuer == provider.get("issuer")), None)
    keys = mapping(provider.get("remoteJWKS"))
    waits = mapping(mapping(mapping(keys.get("backendSettings")).get("timeout")).get("http")).get("requestTimeout")
    if declared is not None and waits is not None and not 0 < (length(waits) or 0) <= seconds(declared.fetch_timeout):
        yield f"provider `{provider.get('name')}` waits {waits} for keys; the topology says {declared.fetch_timeout}"
    said = keys.get("cacheDuration")
    if declared is None or said is None:
        return
    if (kept := length(said)) is None or kept > seconds(declared.key_cache):
        yield f"provider `{provider.get('name')}` uses keys for {said} before it asks again; the topology says {declared.key_cache}"


def missing_claims(security_policy: Mapping[str, Any], door: Door, intent: Topology) -> Iterator[str]:
    """Yield every claim that the topology requires of tokens at a door and that some rule of the policy allows requests without."""
    if not isinstance(door.auth, JwtAuth):
        return
    issuer = intent.issuers[door.auth.jwt]
    required = dict(issuer.required_claims)
    if issuer.tier_claim and door.tiers:
        required[issuer.tier_claim] = door.tiers
    rules = sequence(mapping(security_policy.get("authorization")).get("rules"))
    for rule in (each for each in rules if each["action"] == "Allow"):
        jwt: Mapping[str, Any] = mapping(mapping(rule.get("principal")).get("jwt"))
        asked = {claim["name"]: set(claim["values"]) for claim in sequence(jwt.get("claims"))}
        for claim, values in required.items():
            if not asked.get(claim):
                yield f"a token is accepted whatever its claim `{claim}` says; the topology requires one of {', '.join(values)}"
            elif more := sorted(asked[claim] - set(values)):
                yield f"a token whose claim `{claim}` is {', '.join(more)} is accepted; the topology requires one of {', '.join(values)}"


def provider_weaknesses(provider: Provider, intent: Topology) -> Iterator[str]:
    """Yield every way in which what a provider checks is less than, or something else than, what the topology says of its issuer."""
    name = f"provider `{provider.name}`"
    if not provider.issuer:
        yield f"{name} names no issuer, so whose token it is goes unchecked"
    if not provider.audiences:
        yield f"{name} names no audiences, so a token for another API is accepted"
    declared = next((issuer for issuer in intent.issuers.values() if issuer.issuer == provider.issuer), None)
    if provider.issuer and declared is None:
        yield f"{name} trusts {provider.issuer}, which is no issuer of the topology"
    if declared is not None and (more := sorted(set(provider.audiences) - set(declared.audiences))):
        yield f"{name} accepts tokens for {', '.join(more)}, which the topology does not name as audience of this system"
    if not provider.keys:
        yield f"{name} has no keys to check a signature with"
    elif provider.keys != "inline" and not provider.keys.startswith("https://"):
        yield f"{name} fetches its keys from {provider.keys}, which anybody on the way can change"
    elif provider.keys != "inline" and declared is not None and provider.keys != declared.jwks_uri:
        yield f"{name} fetches its keys from {provider.keys}; the topology says {declared.jwks_uri}"


def kong_weaknesses(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield every way in which the configuration of Kong's `jwt` plugin proves less than a token's signature, issuer and expiry."""
    if config.get("anonymous"):
        yield "`anonymous` lets requests without a token in"
    if "exp" not in (config.get("claims_to_verify") or ()):
        yield "`claims_to_verify` does not name exp, so an expired token is accepted"
    if config.get("key_claim_name", "iss") != "iss":
        yield f"`key_claim_name` is {config['key_claim_name']}, so whose token it is is not told by its issuer"
    if config.get("run_on_preflight") is False:
        yield "`run_on_preflight: false` lets every OPTIONS request in"
    if config.get("uri_param_names", ["jwt"]):
        yield "`uri_param_names` is not empty, so tokens may stand in addresses, which are logged"


def kong_credential_weaknesses(credential: Mapping[str, str], intent: Topology) -> Iterator[str]:
    """Yield every way in which a `jwt` credential of a KongConsumer accepts more than an issuer of the topology signs."""
    issuers = {issuer.issuer: issuer for issuer in intent.issuers.values()}
    issuer, key = issuers.get(credential.get("key", "")), credential.get("rsa_public_key")
    if issuer is None:
        yield f"it accepts tokens of {credential.get('key') or 'no issuer'}, which is no issuer of the topology"
    algorithm = credential.get("algorithm") or "HS256"
    if algorithm not in ASYMMETRIC:
        yield f"its algorithm is {algorithm}: whoever can verify a token can also sign one"
    if algorithm in ASYMMETRIC and not key:
        yield "it has no public key to check a signature with"
    elif key and issuer is not None and key.split() not in [each.split() for each in issuer.public_keys]:
        yield f"its public key is none that the topology names for {issuer.issuer}: whoever has the other half signs tokens"


def asks_for(claim: str, authorization: Mapping[str, Any]) -> bool:
    """Say whether every token that opens something has a claim: by a CEL expression of each rule that allows."""
    rules: Sequence[Mapping[str, Any]] = authorization.get("rules") or ()
    allowing = [rule for rule in rules if rule["action"] == "Allow"]
    closed = authorization.get("defaultAction", "Deny") == "Deny"
    return closed and bool(allowing) and all(_fails_without(claim, rule.get("cel") or "") for rule in allowing)


def _fails_without(claim: str, cel: str) -> bool:
    """Say whether a CEL expression is false for a token without a claim; one with alternatives may be true for another reason."""
    return re.search(_HAS % re.escape(claim), cel) is not None and "||" not in cel and "?" not in cel


def _keys(provider: Mapping[str, Any]) -> str:
    remote: Mapping[str, Any] = provider.get("remoteJWKS") or {}
    if remote:
        backends: Sequence[Any] = remote.get("backendRefs") or ()
        return f"backend {backends[0].get('name')}" if backends and not remote.get("uri") else remote.get("uri") or ""
    return "inline" if provider.get("localJWKS") else ""
