"""What a topology may ask of a gateway, and which gateway carries it: one table, from which the check of a topology follows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from components.binding import NEIGHBOURS, EdgeKind, GatewayKind
from components.gateway.api_management import carries as api_management
from components.gateway.envoy.doors import MOST_AUDIENCES, MOST_LOCAL_RULES, filters, rate_rules
from components.gateway.kong.carries import unsayable_headers
from components.gateway.kong.keys import algorithm
from components.gateway.routes import MOST_EDITS
from topology.findings import Finding, KeyPath, spell
from topology.model.base import HostName, Name
from topology.model.door import ApiKeyAuth, Door, Issuer, JwtAuth, PublicAuth
from topology.model.service import Protocol, Scope
from topology.model.system import Topology

ENVOY: Final = GatewayKind.ENVOY_GATEWAY
KONG: Final = GatewayKind.KONG
APIM: Final = GatewayKind.API_MANAGEMENT


@dataclass(frozen=True, kw_only=True)
class Use:
    """One place in a topology that asks for a feature."""

    path: KeyPath
    given: object = None


@dataclass(frozen=True, kw_only=True)
class Feature:
    """Something that doors ask for."""

    name: str
    carried: Mapping[GatewayKind, str]
    """How, by the gateways that carry it (or by the layer that does, whatever the gateway)."""
    lacking: Mapping[GatewayKind, str] = field(default_factory=dict[GatewayKind, str])
    """Why not, by the gateways that do not carry it."""
    uses: Callable[[Topology], Iterator[Use]] | None = None
    """Where a topology asks for it; None where every gateway carries it."""
    instead: str = ""
    """What to change in the topology; empty where only another gateway helps."""


def findings(t: Topology, gateway: GatewayKind, key: str = "gateway") -> list[Finding]:
    """Return each feature that is asked for and that the gateway does not carry, at its first use, with the other doors that ask for it.

    Args:
        t: what the gateway serves.
        gateway: the product.
        key: of the stack file, where another product could be named in its place.
    """
    return [
        Finding(
            path=uses[0].path,
            given=uses[0].given,
            reason=_reason(feature, gateway, uses),
            suggestion="; or ".join(_suggestions(t, feature, gateway, key, uses)),
        )
        for feature in FEATURES
        if (uses := [*_missed(t, feature, gateway)])
    ]


def _missed(t: Topology, feature: Feature, gateway: GatewayKind) -> Iterator[Use]:
    if gateway in feature.lacking and feature.uses is not None:
        yield from feature.uses(t)


def _reason(feature: Feature, gateway: GatewayKind, uses: Sequence[Use]) -> str:
    reason = f"asks for {feature.name}, which {gateway} cannot carry: {feature.lacking[gateway]}"
    _, *others = dict.fromkeys(spell(use.path[1:2]) for use in uses)
    return f"{reason}; so {'does door' if len(others) == 1 else 'do doors'} {', '.join(others)}" if others else reason


def _suggestions(t: Topology, feature: Feature, gateway: GatewayKind, key: str, uses: Sequence[Use]) -> Iterator[str]:
    """Yield what to change, and each gateway that carries the feature, with what else that it would serve keeps it from being chosen.

    Where no gateway can take the place of this one behind its edge, one behind another edge of the same cloud serves the hosts in question.
    """
    if feature.instead:
        yield feature.instead
    exchangeable = _exchangeable(gateway)
    hosts = set(t.public_hosts()) if exchangeable else {_host(t, use) for use in uses}
    for able in feature.carried:
        if exchangeable and able not in exchangeable:
            continue
        obstacle = next((other.name for other in FEATURES for use in _missed(t, other, able) if _host(t, use) in hosts), None)
        setting = f"`perimeter:{key}: {able}`"
        if not exchangeable:
            setting = f"`perimeter:alternative: {{edge: {_edge_for(able, beside=gateway)}, gateway: {able}}}`"
        yield f"{setting} carries this, but not {obstacle}" if obstacle else f"set {setting} in the stack file"


def _host(t: Topology, use: Use) -> HostName:
    return t.host_of(t.doors[str(use.path[1])])


def _exchangeable(gateway: GatewayKind) -> frozenset[GatewayKind]:
    """Return the gateways that can stand where this one does."""
    return frozenset(other for around in NEIGHBOURS.values() if gateway in around.gateways for other in around.gateways) - {gateway}


def _edge_for(able: GatewayKind, *, beside: GatewayKind) -> EdgeKind:
    """Return the edge that stands in front of a gateway in the clusters of another one."""
    clusters = {cluster for around in NEIGHBOURS.values() if beside in around.gateways for cluster in around.clusters}
    return next(edge for edge, around in NEIGHBOURS.items() if able in around.gateways and around.clusters & clusters)


def _token_doors(t: Topology) -> Iterator[tuple[Name, Door, Name, Issuer]]:
    for name, door in t.doors.items():
        if isinstance(door.auth, JwtAuth):
            yield name, door, door.auth.jwt, t.issuers[door.auth.jwt]


def _at_auth(name: Name) -> KeyPath:
    return ("doors", name, "auth", "jwt")


def _fetched_keys(t: Topology) -> Iterator[Use]:
    yield from (Use(path=_at_auth(name), given=login) for name, _, login, issuer in _token_doors(t) if not issuer.public_keys)


def _several_keys(t: Topology) -> Iterator[Use]:
    for name, _, login, issuer in _token_doors(t):
        if len(issuer.public_keys) > 1:
            yield Use(path=_at_auth(name), given=login)


def _unread_keys(t: Topology) -> Iterator[Use]:
    for name, _, login, issuer in _token_doors(t):
        if any(algorithm(pem) is None for pem in issuer.public_keys):
            yield Use(path=_at_auth(name), given=login)


def _told_tiers(t: Topology) -> Iterator[Use]:
    yield from (Use(path=("doors", name, "tiers")) for name, _, _, issuer in _token_doors(t) if issuer.tier_claim)


def _kept_behind_credentials(t: Topology) -> Iterator[Use]:
    for name, door in t.doors.items():
        if door.cache and not isinstance(door.auth, PublicAuth):
            yield Use(path=("doors", name, "cache"))


def _many_edits(t: Topology) -> Iterator[Use]:
    for name, door in t.doors.items():
        for change in filters(t, door):
            side = "requestHeaders" if "requestHeaderModifier" in change else "responseHeaders"
            edits = change.get("requestHeaderModifier") or change["responseHeaderModifier"]
            if any(len(headers) > MOST_EDITS for headers in edits.values()):
                yield Use(path=("doors", name, side))


def _unsayable(t: Topology) -> Iterator[Use]:
    for name, side, header in unsayable_headers(t):
        yield Use(path=("doors", name, side, "set", header))


def _many_limits(t: Topology) -> Iterator[Use]:
    for name, door in t.doors.items():
        if (count := len(rate_rules(t, door, Scope.LOCAL))) > MOST_LOCAL_RULES:
            path = ("doors", name, "auth", "apiKey") if isinstance(door.auth, ApiKeyAuth) else ("doors", name, "tiers")
            yield Use(path=path, given=count)


def _many_audiences(t: Topology) -> Iterator[Use]:
    for name, _, login, issuer in _token_doors(t):
        if len(issuer.audiences) > MOST_AUDIENCES:
            yield Use(path=_at_auth(name), given=login)


def _two_ways(t: Topology) -> Iterator[Use]:
    yield from (Use(path=("doors", name, "api")) for name in api_management.mixed_versions(t))


def _two_kinds_of_credential(t: Topology) -> Iterator[Use]:
    yield from (Use(path=("doors", name, "auth", "apiKey")) for name in api_management.mixed_credentials(t))


def _told_by_host(t: Topology) -> Iterator[Use]:
    yield from (Use(path=("doors", name, "host"), given=t.host_of(t.doors[name])) for name, _ in api_management.same_on_two_hosts(t))


def _crowded_hosts(t: Topology) -> Iterator[Use]:
    yield from (Use(path=("doors", name, "host"), given=t.host_of(t.doors[name])) for name in api_management.crowded_hosts(t))


def _long_waits(t: Topology) -> Iterator[Use]:
    yield from (Use(path=("doors", name, "timeout"), given=timeout) for name, timeout in api_management.long_waits(t))


def _unasked_versions(t: Topology) -> Iterator[Use]:
    yield from (Use(path=("doors", name, "cors"), given=t.doors[name].cors) for name in api_management.unasked_versions(t))


def _expressions(t: Topology) -> Iterator[Use]:
    yield from (Use(path=path) for path in api_management.expressions(t))


def _fixed_headers(t: Topology) -> Iterator[Use]:
    yield from (Use(path=path) for path in api_management.fixed_headers(t))


def _doors_to(protocol: Protocol) -> Callable[[Topology], Iterator[Use]]:
    def uses(t: Topology) -> Iterator[Use]:
        yield from (Use(path=("doors", name, "service"), given=service) for name, service in api_management.doors_of(t, protocol))

    return uses


def _both(how: str) -> dict[GatewayKind, str]:
    return {ENVOY: how, KONG: how}


def _all(how: str) -> dict[GatewayKind, str]:
    return {ENVOY: how, KONG: how, APIM: how}


FEATURES: Final = (
    Feature(
        name="hosts, methods, paths and API versions by header",
        carried={**_both("routes of the Gateway API"), APIM: "operations, version sets, and a check of the host in each door's policy"},
    ),
    Feature(name="path rewriting, canaries, weights, versions of a service", carried=_all("the mesh ingress")),
    Feature(name="compositions", carried=_all("a workload in the mesh, which is a service like others to the gateway")),
    Feature(
        name="a door to a WebSocket service",
        carried=_both("routes of the Gateway API"),
        lacking={
            APIM: "its WebSocket APIs cannot set the Host header, by which the mesh ingress chooses the door, and Azure documents no client "
            "certificate for them, by which it knows the gateway"
        },
        uses=_doors_to(Protocol.WEBSOCKET),
    ),
    Feature(
        name="a door to a gRPC service",
        carried=_both("routes of the Gateway API"),
        lacking={APIM: "only its self-hosted gateway speaks gRPC, and Application Gateway speaks HTTP/1.1 to whatever is behind it"},
        uses=_doors_to(Protocol.GRPC),
    ),
    Feature(
        name="an issuer's key set, fetched and fetched again",
        carried={
            ENVOY: "SecurityPolicy with remoteJWKS, cached as the issuer's keyCache says",
            APIM: "validate-jwt with the issuer's OpenID configuration, kept for an hour; the mesh ingress keeps to keyCache",
        },
        lacking={KONG: "its open-source edition knows only keys that it is given"},
        uses=_fetched_keys,
        instead="give the issuer `publicKeys`",
    ),
    Feature(
        name="several keys of one issuer",
        carried={ENVOY: "the key set", APIM: "the OpenID configuration"},
        lacking={KONG: "it keeps one key for an issuer"},
        uses=_several_keys,
        instead="keep one of `publicKeys`",
    ),
    Feature(
        name="a public key that is no PEM of an RSA, P-256, P-384, P-521 or Ed25519 key",
        carried={ENVOY: "the key set, in place of `publicKeys`", APIM: "the OpenID configuration, in place of `publicKeys`"},
        lacking={KONG: "it must be told the algorithm that goes with the key"},
        uses=_unread_keys,
        instead="write the key as `-----BEGIN PUBLIC KEY-----`",
    ),
    Feature(
        name="audience and required claims of a token",
        carried={
            ENVOY: "SecurityPolicy",
            KONG: "the mesh ingress, which verifies the token again; Kong checks signature, issuer and end",
            APIM: "validate-jwt",
        },
    ),
    Feature(
        name="more audiences than Envoy Gateway's API takes",
        carried={KONG: "the mesh ingress", APIM: "validate-jwt"},
        lacking={ENVOY: f"a JWT provider has at most {MOST_AUDIENCES} audiences"},
        uses=_many_audiences,
        instead="give the doors issuers of their own",
    ),
    Feature(
        name="tiers told by a claim of the token",
        carried={ENVOY: "the claim becomes a header, by which limits choose", APIM: "its policy reads the claim"},
        lacking={KONG: "its open-source edition passes no claim on, so it could neither tell tiers apart nor refuse a token of none"},
        uses=_told_tiers,
        instead="remove the issuer's `tierClaim`",
    ),
    Feature(
        name="limits for each client of a token door",
        carried={
            ENVOY: "counted by the token's `sub`",
            KONG: "counted by the client's address, as at a public door",
            APIM: "counted by the token's `sub`",
        },
    ),
    Feature(
        name="limits for each consumer of an API key",
        carried={ENVOY: "counted for each door", KONG: "counted for all doors together", APIM: "counted for each door"},
    ),
    Feature(name="limits for each address at a public door", carried=_all("counted by the address that the edge has seen")),
    Feature(
        name="limits counted once for all instances",
        carried={
            ENVOY: "its rate-limit service with Redis",
            KONG: "its rate-limiting plugin with Redis",
            APIM: "its instances count together",
        },
    ),
    Feature(
        name="so many tiers and limits at one door",
        carried={KONG: "one plugin for each tier", APIM: "one rule for each"},
        lacking={ENVOY: f"a route has at most {MOST_LOCAL_RULES} limits that each proxy counts by itself"},
        uses=_many_limits,
        instead="give the tiers `scope: global`",
    ),
    Feature(
        name="a body limit",
        carried={
            **_both("the gateway for HTTP; for gRPC and WebSocket, which it must not hold back, the edge"),
            APIM: "its policy, by the length that a request says; one that says none is refused",
        },
    ),
    Feature(
        name="a cache of a public door",
        carried={ENVOY: "the edge, where it keeps answers", KONG: "the edge, or its proxy-cache plugin", APIM: "its own cache"},
    ),
    Feature(
        name="a cache behind a credential",
        carried={
            KONG: "its proxy-cache plugin, which runs after authentication",
            APIM: "its own cache, after authentication, one answer for each client",
        },
        lacking={ENVOY: "it keeps no answers, and the edge, which does, does not know who is asking"},
        uses=_kept_behind_credentials,
        instead="remove the cache",
    ),
    Feature(name="headers set and removed, and those that announce the end of an API version", carried=_all("the gateway")),
    Feature(
        name="`server` taken out of answers",
        carried={**_both("the gateway"), APIM: "the edge's rewrite rules, on the paths of the door, since its own policies cannot"},
    ),
    Feature(
        name="a header of single connections, such as keep-alive, set or removed",
        carried=_both("the gateway"),
        lacking={APIM: "it lets no policy touch these"},
        uses=_fixed_headers,
        instead="leave it to the layers",
    ),
    Feature(
        name="a header value that begins with ':', or a request header with '$('",
        carried={
            ENVOY: "filters of the Gateway API, which take values as they are",
            APIM: "its policies, which take these as they are",
        },
        lacking={KONG: "its transformers read ':' as the end of the header's name and '$(' as a program"},
        uses=_unsayable,
        instead="change the value",
    ),
    Feature(
        name="so many changed headers",
        carried={KONG: "its transformer plugins", APIM: "its policies"},
        lacking={ENVOY: f"a filter of the Gateway API sets at most {MOST_EDITS} headers, and removes as many"},
        uses=_many_edits,
        instead="change fewer",
    ),
    Feature(
        name="an API key at a path that begins like one for other credentials",
        carried=_both("routes of the Gateway API"),
        lacking={APIM: "an API asks for keys or it does not, and is chosen by the beginning of the path"},
        uses=_two_kinds_of_credential,
        instead="give these doors a path of their own, such as /partners/",
    ),
    Feature(
        name="a version by header at a path where other doors tell it otherwise, or not at all",
        carried=_both("routes of the Gateway API"),
        lacking={APIM: "all versions of a path are told in one way"},
        uses=_two_ways,
        instead="give these doors a path of their own",
    ),
    Feature(
        name="doors that only their host tells apart",
        carried=_both("routes of the Gateway API"),
        lacking={APIM: "an operation is chosen by path and method"},
        uses=_told_by_host,
        instead="give one of them another path",
    ),
    Feature(
        name=f"a host beside {api_management.MOST_HOSTS} others",
        carried=_both("routes of the Gateway API"),
        lacking={APIM: f"a service has at most {api_management.MOST_HOSTS} names"},
        uses=_crowded_hosts,
        instead="serve several from one host, told apart by their paths",
    ),
    Feature(
        name="so long a wait",
        carried=_both("routes of the Gateway API"),
        lacking={APIM: f"its network drops a connection that is silent for {api_management.LONGEST_WAIT} seconds"},
        uses=_long_waits,
        instead="answer sooner, and let clients ask again",
    ),
    Feature(
        name="scripts of other origins, and preflights that go no further than the gateway",
        carried={
            ENVOY: "SecurityPolicy, and routes for preflights that let nothing on",
            KONG: "its cors plugin, and routes for preflights that let nothing on",
            APIM: "its cors policy, which answers before any operation is asked",
        },
    ),
    Feature(
        name="`cors` at a door whose API version is told by a header",
        carried=_both("routes for preflights, which ask for no version"),
        lacking={APIM: "it chooses the API by that header, and a preflight has none"},
        uses=_unasked_versions,
        instead="tell the version by the path",
    ),
    Feature(
        name="a header value with '@(', '@{' or '{{'",
        carried=_both("filters and transformers, which take these as they are"),
        lacking={APIM: "its policies read these as the beginning of an expression"},
        uses=_expressions,
        instead="change the value",
    ),
)
"""Every feature of a door."""
