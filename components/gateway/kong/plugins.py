"""The plugins of one door: who may use it, how often, how much it takes in, what is kept and what is changed on the way.

Kong runs them in the order of their priorities, whatever the order of their names: `cors` 2000, `jwt` 1450, `key-auth` 1250,
`request-size-limiting` 951, `acl` 950, `rate-limiting` 910, `request-transformer` 801, `response-transformer` 800, `proxy-cache` 100,
`request-termination` 2 (kong/plugins/*/handler.lua, 3.9.3).

What the open-source edition does not check, the mesh ingress does: its RequestAuthentication verifies a token again, with its audience
and `nbf`, and its AuthorizationPolicy asks for the claims that the issuer requires.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from components.contracts import CounterStore
from components.gateway import routes
from components.gateway.cors import named_headers
from components.gateway.kong import limits
from components.gateway.limits import tiers_of
from components.headers import BELIEVED, HIDDEN
from topology.derive import names
from topology.derive.manifest import Manifest, manifest
from topology.model.base import Name, seconds, size_in_bytes
from topology.model.door import ApiKeyAuth, Door, JwtAuth, PublicAuth
from topology.model.service import Protocol
from topology.model.system import Topology
from topology.preflights import Preflight, preflights

API: Final = "configuration.konghq.com/v1"
ANNOTATION: Final = "konghq.com/plugins"
"""On a route or a KongConsumer: its plugins. A name without a KongPlugin is passed over and the route is served without it (seen with
KIC 3.5.13; kongstate.go, `buildPlugins`), so a plugin comes before whatever names it. A door that has lost the check of its credential
still refuses everybody: `acl` admits nobody whom no other plugin has named."""

PUBLIC: Final = "perimeter.dev/public"
"""On the routes of a public door: why it is public."""

TOKEN: Final = "token"  # noqa: S105 # a name
KEY: Final = "key"
ID: Final = "request-id"
END: Final = "preflight"
"""The plugins that are the same for every door. Plugins of a door have a dot in their names; a door has none."""

USERNAME: Final = "x-consumer-username"
GROUPS: Final = "x-consumer-groups"
CONSUMER_HEADERS: Final = (
    USERNAME, GROUPS, "x-consumer-id", "x-consumer-custom-id", "x-credential-identifier", "x-anonymous-consumer", "x-authenticated-groups",
)  # fmt: skip
"""By which Kong tells services who is calling (kong/constants.lua)."""
DEBUG_HEADER: Final = "kong-debug"
"""By which a client asks `proxy-cache` for its cache keys."""

REQUEST_ID: Final = "x-perimeter-request-id"
"""What Kong calls the id that it makes, where the edge makes none: a client's own `x-request-id` is removed before this takes its name."""

IDENTITY: Final = {USERNAME: names.CONSUMER_HEADER, GROUPS: names.TIER_HEADER}
"""What Kong says of an API key's owner, and where the services read it. A consumer is in one group, its tier."""

CACHED_TYPES: Final = (
    "application/json", "application/json; charset=utf-8", "application/problem+json", "application/xml", "application/xml; charset=utf-8",
    "text/plain", "text/plain; charset=utf-8", "text/html", "text/html; charset=utf-8", "text/css", "text/csv", "image/png", "image/jpeg",
    "image/svg+xml",
)  # fmt: skip
"""Kinds of answers that are kept. `proxy-cache` compares type and parameters exactly; it passes on any other kind without keeping it."""


def issuer_group(issuer: Name) -> str:
    """Return the group of whoever shows a token of an issuer. A tier has no dot in its name."""
    return f"issuer.{issuer}"


def annotations(t: Topology, name: Name, answer: Preflight | None = None, *, first: bool = False) -> dict[str, str]:
    """Return the annotations of a door's routes: its plugins, and that path and host go on as they came.

    Args:
        t: the system.
        name: the door.
        answer: what browsers are told there.
        first: as of `shared`.
    """
    door = t.doors[name]
    said = {
        ANNOTATION: ",".join([*([ID] if first else []), *names_of(t, name, answer, first=first)]),
        "konghq.com/strip-path": "false",
        "konghq.com/preserve-host": "true",
    }
    return {**said, PUBLIC: door.auth.public} if isinstance(door.auth, PublicAuth) else said


def preflight_annotations(answer: Preflight) -> dict[str, str]:
    """Return the annotations of the routes on which preflights are answered: what `cors` leaves, ends there."""
    return {
        ANNOTATION: f"{cors_name(answer)},{END}",
        "konghq.com/strip-path": "false",
        "konghq.com/preserve-host": "true",
    }


def cors_name(answer: Preflight) -> str:
    """Return the name of the plugin that tells browsers, at these doors and to their preflights."""
    return f"{answer.doors[0]}.cors"


def cors(answer: Preflight) -> Manifest:
    """Return what browsers are told.

    Of one origin alone Kong says the name to whoever asks, which lets nobody else's scripts read (Fetch, 4.10, CORS check).
    """
    config = {
        "origins": list(answer.cors.origins),
        "methods": list(answer.methods),
        "headers": list(named_headers(answer)),
        **({"exposed_headers": list(answer.cors.expose)} if answer.cors.expose else {}),
        "credentials": answer.cors.credentials,
        "max_age": int(seconds(answer.cors.max_age)),
        "preflight_continue": False,
    }
    return _plugin(cors_name(answer), "cors", config)


def names_of(t: Topology, name: Name, answer: Preflight | None = None, *, first: bool = False) -> list[str]:
    """Return the names of a door's plugins, as its routes list them; arguments as of `annotations`."""
    door = t.doors[name]
    own = [document["metadata"]["name"] for document in own_plugins(t, name, first=first)]
    own += [cors_name(answer)] if answer is not None else []
    match door.auth:
        case JwtAuth():
            return [TOKEN, *own, limits.by_address(door.tiers[0])]
        case ApiKeyAuth():
            return [KEY, *own]  # the limit is its consumers' own
        case PublicAuth():
            return [*own, limits.by_address(door.tiers[0])]


def shared(t: Topology, counters: CounterStore | None, *, first: bool = False) -> Iterator[Manifest]:
    """Yield the plugins that several doors or consumers name: how each credential is checked, and the limits of each tier.

    Args:
        t: the system.
        counters: where limits are counted for all instances together.
        first: whether Kong is the first proxy that changes requests, because the edge outside the cluster cannot.
    """
    if first:
        yield _plugin(ID, "correlation-id", {"header_name": REQUEST_ID, "generator": "uuid", "echo_downstream": True})
    kinds = {type(door.auth) for door in t.doors.values()}
    if JwtAuth in kinds:
        yield _plugin(TOKEN, "jwt", _token())
    if ApiKeyAuth in kinds:
        yield _plugin(KEY, "key-auth", _key())
    answers = preflights(t)
    yield from map(cors, answers)
    if answers:
        yield _plugin(END, "request-termination", {"status_code": 403, "message": "Forbidden"})
    keyed = {tier for door in t.doors.values() if isinstance(door.auth, ApiKeyAuth) for tier in tiers_of(door)}
    others = {tier for door in t.doors.values() if not isinstance(door.auth, ApiKeyAuth) for tier in tiers_of(door)[:1]}
    for tier, about in t.tiers.items():
        if tier in keyed:
            yield _plugin(limits.by_consumer(tier), "rate-limiting", limits.rate_limiting(about, "consumer", counters))
        if tier in others:
            yield _plugin(limits.by_address(tier), "rate-limiting", limits.rate_limiting(about, "ip", counters))


def own_plugins(t: Topology, name: Name, *, first: bool = False) -> Iterator[Manifest]:
    """Yield the plugins of one door; `first` as of `shared`."""
    door = t.doors[name]
    match door.auth:
        case JwtAuth():
            # `jwt` takes the token of any issuer that has a credential; only the group tells whose it was.
            yield _plugin(f"{name}.allow", "acl", {"allow": [issuer_group(door.auth.jwt)], "hide_groups_header": True})
        case ApiKeyAuth():
            yield _plugin(f"{name}.allow", "acl", {"allow": list(door.auth.api_key), "hide_groups_header": False})
        case PublicAuth():
            pass
    if routes.speaks(t, door) is Protocol.HTTP:
        # A stream's body has no end to wait for; nginx bounds it by the largest body of all doors.
        size = {"allowed_payload_size": size_in_bytes(door.max_body), "size_unit": "bytes", "require_content_length": False}
        yield _plugin(f"{name}.body", "request-size-limiting", size)
    yield _plugin(f"{name}.request", "request-transformer", _request(door, first=first))
    if change := _response(t, door, first=first):
        yield _plugin(f"{name}.response", "response-transformer", change)
    if cached(door, first=first):
        yield _plugin(f"{name}.cache", "proxy-cache", _cache(door))


def cached(door: Door, *, first: bool) -> bool:
    """Say whether Kong keeps answers of a door: where a credential is asked for. Those of public doors the edge keeps, where it can."""
    here = first or not isinstance(door.auth, PublicAuth)
    return door.cache is not None and here and bool({"GET", "HEAD"} & set(door.methods))


def _plugin(name: str, plugin: str, config: Mapping[str, Any]) -> Manifest:
    return manifest(API, "KongPlugin", name, names.GATEWAY_NAMESPACE, plugin=plugin, config=dict(config))


def _token() -> dict[str, Any]:
    """Return how tokens are checked: signature, issuer, end of life.

    Naming `nbf` would refuse every token without one, which RFC 7519 leaves to the issuer; the mesh ingress checks it where it is.
    """
    return {
        "header_names": ["authorization"],
        "uri_param_names": [],
        "cookie_names": [],
        "key_claim_name": "iss",
        "claims_to_verify": ["exp"],
        "secret_is_base64": False,
        "run_on_preflight": True,
    }


def _key() -> dict[str, Any]:
    return {
        "key_names": [names.API_KEY_HEADER],
        "key_in_header": True,
        "key_in_query": False,
        "key_in_body": False,
        "hide_credentials": True,
        "run_on_preflight": True,
    }


def _request(door: Door, *, first: bool) -> dict[str, Any]:
    """Return what is changed in requests. Kong removes first, then renames, then sets: a client's own copy never survives."""
    vouched = IDENTITY if isinstance(door.auth, ApiKeyAuth) else {}
    made = {**vouched, **({REQUEST_ID: names.REQUEST_ID_HEADER} if first else {})}
    gone = [
        *([names.REQUEST_ID_HEADER, *BELIEVED] if first else []),
        *routes.removed_request_headers(door, ()),
        *names.TRACE_INTERNAL_HEADERS,
        *(header for header in CONSUMER_HEADERS if header not in vouched),
        DEBUG_HEADER,
    ]
    rename = {"rename": {"headers": [f"{old}:{new}" for old, new in made.items()]}} if made else {}
    return {"remove": {"headers": list(dict.fromkeys(gone))}, **rename, **_set(door.request_headers.set)}


def _response(t: Topology, door: Door, *, first: bool) -> dict[str, Any]:
    change = routes.response_change(t, door, varies=True)
    removed = [*change.remove, *(HIDDEN if first else ())]
    gone = {"remove": {"headers": removed}} if removed else {}
    made = {"rename": {"headers": [f"{REQUEST_ID}:{names.REQUEST_ID_HEADER}"]}} if first else {}
    beside = {"append": {"headers": [f"{header}:{value}" for header, value in change.add.items()]}} if change.add else {}
    return {**gone, **made, **_set(change.set), **beside}


def _set(headers: Mapping[str, str]) -> dict[str, Any]:
    """Return headers to be set whatever they were: `replace` changes one that is there, `add` makes one that is not."""
    pairs = [f"{header}:{value}" for header, value in headers.items()]
    return {"replace": {"headers": pairs}, "add": {"headers": pairs}} if pairs else {}


def _cache(door: Door) -> dict[str, Any]:
    """Return how answers are kept: for each API key apart, because the cache's key has the consumer in it, or for each token apart.

    All tokens of an issuer are one consumer, so the token itself must tell their answers apart.
    """
    if door.cache is None:
        raise ValueError("the door keeps no answers")
    told_by = {*door.cache.vary, *(["origin"] if door.cors else []), *(["authorization"] if isinstance(door.auth, JwtAuth) else [])}
    return {
        "strategy": "memory",
        "request_method": ["GET", "HEAD"],
        "response_code": [200],
        "content_type": list(CACHED_TYPES),
        "cache_ttl": max(1, int(seconds(door.cache.ttl))),  # whole seconds: Kong knows no others here
        "cache_control": False,
        **({"vary_headers": sorted(told_by)} if told_by else {}),
        "response_headers": {"X-Cache-Key": False},
    }
