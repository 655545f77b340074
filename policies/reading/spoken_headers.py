"""Headers by which layers speak of identity or steer each other: none of them may come from a client."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from policies.reading.stack import Stack

CLIENT_CERTIFICATE: Final = "x-forwarded-client-cert"

CREDENTIALS: Final = frozenset({"authorization", "cookie"})
"""Headers by which clients prove who they are, beside those of API keys."""

ENVOY_INTERNAL: Final = tuple(
    f"x-envoy-{name}"
    for name in (
        *("decorator-operation", "downstream-service-cluster", "expected-rq-timeout-ms", "force-trace", "internal", "ip-tags"),
        *("max-retries", "original-path", "retry-on", "upstream-alt-stat-name", "upstream-rq-timeout-ms"),
    )
)
"""Headers by which Envoy proxies steer each other (Envoy 1.40, `header_sanitizing`)."""

KONG_IDENTITY: Final = ("x-consumer-id", "x-consumer-username", "x-consumer-custom-id", "x-credential-identifier", "x-anonymous-consumer")
"""Headers by which Kong tells services who is calling (Kong 3.9, `kong/constants.lua`)."""

OVERRIDING: Final = (
    *("x-original-url", "x-original-uri", "x-rewrite-url", "x-http-method-override", "x-http-method", "x-method-override"),
    *("forwarded", "x-real-ip"),
)
"""Headers by which frameworks serve another path or method than every layer has checked, or take somebody else for the client."""

MISTAKEN: Final = (
    *("x-original-host", "x-host"),
    *("true-client-ip", "x-client-ip", "x-cluster-client-ip", "cf-connecting-ip", "fastly-client-ip"),
)
"""Headers that some frameworks take for the host that was asked for, or for the client's address, as certain products in front would say it.
The boundary says the latter in `x-forwarded-for` alone."""

FORWARDED: Final = "x-forwarded-host"
"""The header by which a layer tells the next which host a client asked for."""

INTERNAL_PREFIXES: Final = ("x-perimeter-", "x-envoy-")


def identity_headers(stack: "Stack") -> set[str]:
    """Return the headers in which gateway or mesh write who the client is, in small letters."""
    found: set[str] = set()
    for authentication in stack.of("RequestAuthentication.security.istio.io"):
        for rule in authentication.at("spec", "jwtRules", default=[]):
            found |= {each["header"].lower() for each in rule.get("outputClaimToHeaders") or ()}
            found |= {rule["outputPayloadToHeader"].lower()} if rule.get("outputPayloadToHeader") else set()
    for policy in stack.of("SecurityPolicy.gateway.envoyproxy.io"):
        found |= written_by(policy.spec)
    return found - {"authorization"}


def written_by(security_policy: Mapping[str, Any]) -> set[str]:
    """Return the headers that a SecurityPolicy of Envoy Gateway writes from what it verified."""
    jwt: Mapping[str, Any] = security_policy.get("jwt") or {}
    keys: Mapping[str, Any] = security_policy.get("apiKeyAuth") or {}
    found = {claim["header"].lower() for provider in jwt.get("providers") or () for claim in provider.get("claimToHeaders") or ()}
    return found | ({keys["forwardClientIDHeader"].lower()} if keys.get("forwardClientIDHeader") else set())


def is_internal(header: str, stack: "Stack") -> bool:
    """Say whether layers believe a header."""
    name = header.lower()
    known = {CLIENT_CERTIFICATE, "authorization", *KONG_IDENTITY, *identity_headers(stack)}
    return name in known or name.startswith(INTERNAL_PREFIXES)
