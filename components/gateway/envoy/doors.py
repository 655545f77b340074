"""The policies of one door in Envoy Gateway: who may use it, how often, and what is changed on the way."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, Final

from components.gateway import routes
from components.gateway.limits import consumers_of, tiers_of, windows
from topology.derive import names
from topology.derive.manifest import Manifest, manifest
from topology.model.base import Name, size_in_bytes
from topology.model.door import ApiKeyAuth, Door, JwtAuth, PublicAuth
from topology.model.service import Protocol, Scope
from topology.model.system import Topology
from topology.preflights import Preflight

API: Final = "gateway.envoyproxy.io/v1alpha1"
PROVIDER: Final = "token"
"""Name of the JWT provider of every door, under which Envoy keeps the verified claims of a request."""
CLAIMS: Final = f"metadata.filter_metadata['envoy.filters.http.jwt_authn']['{PROVIDER}']"
LASTING: Final = f"has({CLAIMS}.exp) && has({CLAIMS}.sub)"
"""A token must say when it ends and whose it is: Envoy accepts one without `exp`, and limits are counted by `sub`."""
PUBLIC_ANNOTATION: Final = "perimeter.dev/public"
"""On the policy of a public door: why it is public."""
MOST_LOCAL_RULES: Final = 16
"""Limits of a route that each proxy counts by itself, at most (LocalRateLimit.rules)."""
MOST_AUDIENCES: Final = 8
"""Audiences of a JWT provider, at most (JWTProvider.audiences)."""
CONNECTIONS: Final = 1024
"""Connections, waiting and running requests of one door's route in one proxy, beyond which it answers 503 at once."""


def key_secret(consumer: Name) -> Name:
    """Return the name of the Secret with a consumer's API key."""
    return f"api-key-{consumer}"


def vouched(t: Topology, door: Door) -> set[str]:
    """Return the identity headers that the gateway sets from a door's credential."""
    match door.auth:
        case JwtAuth():
            return {names.SUBJECT_HEADER, *([names.TIER_HEADER] if t.issuers[door.auth.jwt].tier_claim else [])}
        case ApiKeyAuth():
            return {names.CONSUMER_HEADER, *([names.TIER_HEADER] if door.auth.only_tier else [])}
        case PublicAuth():
            return set()


def filters(t: Topology, door: Door) -> list[dict[str, Any]]:
    """Return what a door's routes change in requests and answers. They run after authentication and limits."""
    given = dict(door.request_headers.set)
    if isinstance(door.auth, ApiKeyAuth) and door.auth.only_tier:
        given[names.TIER_HEADER] = door.auth.only_tier
    gone = routes.removed_request_headers(door, vouched(t, door))
    found: list[dict[str, Any]] = [
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {**_headers("set", given), "remove": list(dict.fromkeys(gone))}}
    ]
    change = routes.response_change(t, door)
    gone_too = {"remove": list(change.remove)} if change.remove else {}
    modifier = {**_headers("set", change.set), **_headers("add", change.add), **gone_too}
    if modifier:
        found.append({"type": "ResponseHeaderModifier", "responseHeaderModifier": modifier})
    return found


def security(t: Topology, name: Name, answer: Preflight | None = None) -> Manifest:
    """Return who may use a door. It replaces the Gateway's own policy, which refuses everything.

    Args:
        t: the system.
        name: the door.
        answer: what browsers are told there.
    """
    door = t.doors[name]
    spec: dict[str, Any] = {"targetRefs": routes.targets(t, name)}
    annotations: dict[str, str] = {}
    match door.auth:
        case JwtAuth():
            spec |= {"jwt": {"providers": [_provider(t, door.auth.jwt)]}, "authorization": _authorization(t, door, door.auth.jwt)}
        case ApiKeyAuth():
            consumers = [consumer for tier in door.auth.api_key for consumer in consumers_of(t, tier)]
            spec["apiKeyAuth"] = {
                "credentialRefs": [{"group": "", "kind": "Secret", "name": key_secret(consumer)} for consumer in consumers],
                "extractFrom": [{"headers": [names.API_KEY_HEADER]}],
                "forwardClientIDHeader": names.CONSUMER_HEADER,
                "sanitize": True,
            }
        case PublicAuth():
            spec["authorization"] = {"defaultAction": "Allow"}
            annotations[PUBLIC_ANNOTATION] = door.auth.public
    if answer is not None:
        spec["cors"] = _cors(answer)
    return manifest(API, "SecurityPolicy", name, names.GATEWAY_NAMESPACE, spec, annotations=annotations)


def preflight(answer: Preflight) -> Manifest:
    """Return what answers preflights, and lets nothing pass.

    Envoy's filter answers whatever is a preflight, of an origin that is not listed without `Access-Control-Allow-Origin`, before anybody
    asks for a credential (Envoy Gateway sets `forward_not_matching_preflights: false`, internal/xds/translator/cors.go). It needs a route
    that leads somewhere: on one that answers by itself it stands aside (source/extensions/filters/http/cors/cors_filter.cc). What it
    leaves, an OPTIONS request that is no preflight, is denied.
    """
    spec = {"targetRefs": routes.preflight_targets(answer), "cors": _cors(answer), "authorization": {"defaultAction": "Deny"}}
    return manifest(API, "SecurityPolicy", routes.preflight_name(answer), names.GATEWAY_NAMESPACE, spec)


def _cors(answer: Preflight) -> dict[str, Any]:
    cors = answer.cors
    return {
        "allowOrigins": list(cors.origins),
        "allowMethods": list(answer.methods),
        **({"allowHeaders": list(answer.headers)} if answer.headers else {}),
        **({"exposeHeaders": list(cors.expose)} if cors.expose else {}),
        "allowCredentials": cors.credentials,
        "maxAge": routes.duration(cors.max_age),
    }


def deny_everything() -> Manifest:
    """Return the Gateway's own policy: a route that has lost its policy is refused, not open."""
    target = {"group": routes.GROUP, "kind": "Gateway", "name": names.GATEWAY}
    spec = {"targetRefs": [target], "authorization": {"defaultAction": "Deny"}}
    return manifest(API, "SecurityPolicy", "deny-everything", names.GATEWAY_NAMESPACE, spec)


def traffic(t: Topology, name: Name, *, first: bool = False) -> Manifest:
    """Return how often and how much clients may ask at a door, and how long the gateway waits. It never tries again: the mesh does.

    Args:
        t: the system.
        name: the door.
        first: whether no edge has bounded a gRPC request before. It is read whole then, so that a client cannot stream.
    """
    door = t.doors[name]
    protocol = routes.speaks(t, door)
    timeout: dict[str, Any] = {"tcp": {"connectTimeout": "5s"}}
    if protocol is Protocol.GRPC:
        timeout["http"] = {"requestTimeout": routes.duration(door.timeout)}
    spec: dict[str, Any] = {
        "targetRefs": routes.targets(t, name),
        "rateLimit": _rate_limit(t, door),
        "circuitBreaker": dict.fromkeys(("maxConnections", "maxPendingRequests", "maxParallelRequests"), CONNECTIONS),
        "timeout": timeout,
    }
    if protocol is Protocol.HTTP or (first and protocol is Protocol.GRPC):
        spec["requestBuffer"] = {"limit": size_in_bytes(door.max_body)}
    return manifest(API, "BackendTrafficPolicy", name, names.GATEWAY_NAMESPACE, spec)


def rate_rules(t: Topology, door: Door, scope: Scope) -> list[dict[str, Any]]:
    """Return the limits of a door that are counted in that scope: one for each tier and window, each client counted by itself."""
    tiers = tiers_of(door)
    return [
        {
            "clientSelectors": [_clients(t, door, tier, alone=len(tiers) == 1)],
            "limit": {"requests": window.requests, "unit": window.unit.capitalize()},
            # One count for all methods and paths of the door. Proxies that count by themselves cannot: each route counts its own.
            **({"shared": True} if scope is Scope.GLOBAL else {}),
        }
        for tier in tiers
        if t.tiers[tier].scope is scope
        for window in windows(t.tiers[tier])
    ]


def _headers(verb: str, headers: Mapping[str, str]) -> dict[str, Any]:
    return {verb: [{"name": header, "value": value} for header, value in headers.items()]} if headers else {}


def _provider(t: Topology, issuer_name: Name) -> dict[str, Any]:
    issuer = t.issuers[issuer_name]
    claims = {names.SUBJECT_HEADER: "sub", **({names.TIER_HEADER: issuer.tier_claim} if issuer.tier_claim else {})}
    return {
        "name": PROVIDER,
        "issuer": issuer.issuer,
        "audiences": list(issuer.audiences),
        "remoteJWKS": {
            "uri": issuer.jwks_uri,
            "cacheDuration": routes.duration(issuer.key_cache),
            "backendSettings": {"timeout": {"http": {"requestTimeout": routes.duration(issuer.fetch_timeout)}}},
        },
        "claimToHeaders": [{"header": header, "claim": claim} for header, claim in claims.items()],
        "extractFrom": {"headers": [{"name": "Authorization", "valuePrefix": "Bearer "}]},
    }


def _authorization(t: Topology, door: Door, issuer_name: Name) -> dict[str, Any]:
    rules: list[dict[str, Any]] = []
    for number, claims in enumerate(_claims(t, door, issuer_name)):
        rule: dict[str, Any] = {"name": f"token-{number + 1}", "action": "Allow", "cel": LASTING}
        if claims:
            rule["principal"] = {"jwt": {"provider": PROVIDER, "claims": claims}}
        rules.append(rule)
    return {"defaultAction": "Deny", "rules": rules}


def _claims(t: Topology, door: Door, issuer_name: Name) -> Iterator[list[dict[str, Any]]]:
    """Yield what the claims of a token may look like: issuers write a claim as one text or as a list, and a rule knows one of them.

    The tier is always one text: a list could not be told by a header.
    """
    issuer = t.issuers[issuer_name]
    wanted = {claim: list(values) for claim, values in issuer.required_claims.items()}
    if issuer.tier_claim:
        wanted[issuer.tier_claim] = list(door.tiers)
    shapes = [("String",) if claim == issuer.tier_claim else ("String", "StringArray") for claim in wanted]
    for chosen in product(*shapes):
        yield [{"name": claim, "valueType": shape, "values": values} for (claim, values), shape in zip(wanted.items(), chosen, strict=True)]


def _rate_limit(t: Topology, door: Door) -> dict[str, Any]:
    kept = {"local": rate_rules(t, door, Scope.LOCAL), "global": rate_rules(t, door, Scope.GLOBAL)}
    return {scope: {"rules": rules} for scope, rules in kept.items() if rules}


def _clients(t: Topology, door: Door, tier: Name, *, alone: bool) -> dict[str, Any]:
    """Return which requests a limit counts, and which of them together."""
    match door.auth:
        case JwtAuth():
            told = [] if alone else [{"type": "Exact", "name": names.TIER_HEADER, "value": tier}]
            return {"headers": [*told, {"type": "Distinct", "name": names.SUBJECT_HEADER}]}
        case ApiKeyAuth():
            members = "|".join(consumers_of(t, tier))
            told = [] if alone else [{"type": "RegularExpression", "name": names.CONSUMER_HEADER, "value": f"^({members})$"}]
            return {"headers": [*told, {"type": "Distinct", "name": names.CONSUMER_HEADER}]}
        case PublicAuth():
            return {"sourceCIDR": {"type": "Distinct", "value": "0.0.0.0/0"}}
