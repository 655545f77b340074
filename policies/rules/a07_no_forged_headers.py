"""A07: no client speaks in the name of a layer."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.reading.controllers import Controller
from policies.reading.stack import Stack
from policies.reading.waf import Front, Passage, fronts
from policies.route_rule import Published, RouteRule
from policies.rule import Finding, Severity

CLIENT_CERTIFICATE: Final = "x-forwarded-client-cert"

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

SANITIZED: Final = frozenset({"Sanitize", "SanitizeSet"})
"""Ways of Envoy to treat a client's copy of the certificate header in which nothing of it arrives."""


class A07(RouteRule):
    """No header by which layers speak of identity or steer each other comes from a client.

    Forbids:
        - an edge that passes on a client's `x-forwarded-client-cert`, `x-envoy-*`, or a header in which a later layer writes who the
          client is (claims of the token, the API key's owner);
        - a gateway that does not remove or overwrite the latter on every route;
        - a ClientTrafficPolicy that lets `x-forwarded-client-cert` through.

    Why:
        Services believe these headers: they are what is left of the client's identity behind the gateway. If a client's own copy
        survives on one route, for example a public one on which no token overwrites it, anybody is anybody there. Both layers
        remove them, so that a mistake in one is not enough.

    Instead:
        At the edge, an empty value removes a header::

            proxy_set_header x-forwarded-client-cert "";
            proxy_set_header x-perimeter-subject "";

        At the gateway, for each route::

            kind: HTTPRoute
            spec:
              rules:
                - filters:
                    - type: RequestHeaderModifier
                      requestHeaderModifier: {remove: [x-perimeter-subject, x-perimeter-tier]}
    """

    id = "A07"
    name = "clients-forge-no-headers"
    severity = Severity.HIGH
    frameworks = ("Envoy header sanitizing", "ISTIO-SECURITY-2024-006")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check the edge, then every rule of every route."""
        for front in fronts(stack):
            yield from self.over([front.resource], lambda _, front=front: self._edge(front, stack))
        yield from super().judge(stack)

    def _edge(self, front: Front, stack: Stack) -> Iterator[Finding]:
        kong = KONG_IDENTITY if any(gateway.controller is Controller.KONG for gateway in stack.gateways) else ()
        wanted = (CLIENT_CERTIFICATE, *ENVOY_INTERNAL, *kong, *sorted(_identity_headers(stack)))
        for passage in front.passages:
            kept = [header for header in wanted if header not in _removed(passage)]
            if kept:
                more = f" and {len(kept) - 1} more" if len(kept) > 1 else ""
                yield self.broken(
                    front.resource,
                    f"{passage}: passes on a client's own {kept[0]}{more}",
                    f'write `{passage.module}_set_header {kept[0]} "";` beside the others: nginx inherits them as a whole or not at all',
                )

    def check(self, published: Published, stack: Stack) -> Iterator[Finding]:
        """Check what the gateway removes on one rule."""
        if not published.rule.backends:
            return
        removed = _removed_by_kong(published) if published.is_kong else _removed_by_envoy(published)
        wanted = {*_identity_headers(stack), *((CLIENT_CERTIFICATE,) if published.is_kong else ())}
        for header in sorted(wanted - removed):
            yield self.broken(
                published.route,
                f"{published}: passes on a client's own {header}, in which the mesh says who the client is",
                f"remove {header} on this route, or set it from what was verified",
            )
        policy = None if published.is_kong else published.client_policy
        if (
            policy is not None
            and (mode := policy.at("spec", "headers", "xForwardedClientCert", "mode", default="Sanitize")) not in SANITIZED
        ):
            yield self.broken(policy, f"lets a client's own {CLIENT_CERTIFICATE} through (mode {mode})", "leave the mode at Sanitize")


def _identity_headers(stack: Stack) -> set[str]:
    """Return the headers in which gateway or mesh write who the client is, in small letters."""
    found: set[str] = set()
    for authentication in stack.of("RequestAuthentication.security.istio.io"):
        for rule in authentication.at("spec", "jwtRules", default=[]):
            found |= {each["header"].lower() for each in rule.get("outputClaimToHeaders") or ()}
            found |= {rule["outputPayloadToHeader"].lower()} if rule.get("outputPayloadToHeader") else set()
    for policy in stack.of("SecurityPolicy.gateway.envoyproxy.io"):
        found |= _written_by(policy.spec)
    return found - {"authorization"}


def _written_by(security_policy: Mapping[str, Any]) -> set[str]:
    jwt: Mapping[str, Any] = security_policy.get("jwt") or {}
    keys: Mapping[str, Any] = security_policy.get("apiKeyAuth") or {}
    found = {claim["header"].lower() for provider in jwt.get("providers") or () for claim in provider.get("claimToHeaders") or ()}
    return found | ({keys["forwardClientIDHeader"].lower()} if keys.get("forwardClientIDHeader") else set())


def _removed(passage: Passage) -> set[str]:
    """Return the headers of which nothing that a client wrote is passed on."""
    # A variable may hold what the client wrote, directly or by a map; what nobody knows yet at the edge needs none.
    values: dict[str, list[str]] = {}
    for directive in passage.every(f"{passage.module}_set_header"):
        values.setdefault(directive.args[0].lower(), []).append(directive.args[1] if len(directive.args) > 1 else "")
    return {name for name, given in values.items() if not any("$" in value for value in given)}


def _removed_by_envoy(published: Published) -> set[str]:
    found: set[str] = set()
    edits: list[Mapping[str, Any]] = [each["requestHeaderModifier"] for each in published.filters("RequestHeaderModifier")]
    client = published.client_policy
    if client is not None:
        edits.append(client.at("spec", "headers", "earlyRequestHeaders", default={}))
    for edit in edits:
        found |= {name.lower() for name in edit.get("remove") or ()}
        found |= {each["name"].lower() for each in edit.get("set") or ()}
    policy = published.policy("SecurityPolicy")
    return found | (_written_by(policy.spec) if policy else set())


def _removed_by_kong(published: Published) -> set[str]:
    found: set[str] = set()
    for plugin in published.plugins:
        if plugin.name == "request-transformer":
            removed: Mapping[str, Any] = plugin.config.get("remove") or {}
            replaced: Mapping[str, Any] = plugin.config.get("replace") or {}
            found |= {name.lower() for name in removed.get("headers") or ()}
            found |= {entry.partition(":")[0].lower() for entry in replaced.get("headers") or ()}
    for edit in published.filters("RequestHeaderModifier"):
        modifier: Mapping[str, Any] = edit["requestHeaderModifier"]
        found |= {name.lower() for name in modifier.get("remove") or ()}
        found |= {each["name"].lower() for each in modifier.get("set") or ()}
    return found
