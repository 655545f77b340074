"""The plugins of one door in Kong, its consumers and their credentials."""

from collections.abc import Iterator
from typing import Any, Final

import pulumi

from components.contracts import CounterStore
from components.gateway import routes
from components.gateway.kong.keys import algorithm
from components.gateway.limits import tiers_of, windows
from topology.derive import names
from topology.derive.manifest import Manifest, manifest
from topology.model.base import Name, seconds, size_in_bytes
from topology.model.door import ApiKeyAuth, Door, JwtAuth, PublicAuth
from topology.model.service import Protocol, Scope
from topology.model.system import Topology

API: Final = "configuration.konghq.com/v1"
CLASS: Final = "perimeter"
"""The ingress class by which Kong's controller knows its own consumers."""
CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
PLUGINS_ANNOTATION: Final = "konghq.com/plugins"
CREDENTIAL_LABEL: Final = "konghq.com/credential"
PUBLIC_ANNOTATION: Final = "perimeter.dev/public"
"""On the routes of a public door: why it is public."""

KEY_AUTH: Final = "api-key"
JWT: Final = "token"

LIMIT_BY: Final = {
    "consumer": {"limit_by": "consumer"},
    "token": {"limit_by": "header", "header_name": "authorization"},
    "address": {"limit_by": "ip"},
}
"""Who one client is, by the word in a limit's name. Kong passes no claims on, so at JWT doors each token is counted by itself."""

KONG_HEADERS: Final = (
    "x-consumer-id", "x-consumer-username", "x-consumer-custom-id", "x-consumer-groups", "x-credential-identifier",
    "x-anonymous-consumer",
)  # fmt: skip
"""By which Kong tells services who is calling. They get the layers' own names, or are removed."""

RENAMED: Final = {"x-consumer-username": names.CONSUMER_HEADER, "x-consumer-groups": names.TIER_HEADER}
"""At API-key doors: the consumer's name, and its only group, which is its tier."""

CACHED_TYPES: Final = tuple(
    f"{kind}{charset}" for kind in ("application/json", "text/plain", "text/html") for charset in ("", "; charset=utf-8")
)
"""Kinds of answers that are kept. Kong compares them whole, with their charset."""


def issuer_group(issuer: Name) -> str:
    """Return the group of the consumer that stands for an issuer's tokens. No tier can have that name."""
    return f"issuer.{issuer}"


def annotations(t: Topology, name: Name) -> dict[str, str]:
    """Return the annotations of a door's routes: its plugins, and the path and host left as they came."""
    door = t.doors[name]
    found = {
        PLUGINS_ANNOTATION: ",".join(plugin["metadata"]["name"] for plugin in plugins(t, name, None)),
        "konghq.com/strip-path": "false",
        "konghq.com/preserve-host": "true",
    }
    if isinstance(door.auth, PublicAuth):
        found[PUBLIC_ANNOTATION] = door.auth.public
    return found


def plugins(t: Topology, name: Name, counters: CounterStore | None) -> Iterator[Manifest]:
    """Yield every plugin of a door; those that doors share come with each of them."""
    door = t.doors[name]
    match door.auth:
        case JwtAuth():
            yield _plugin(
                JWT,
                "jwt",
                {
                    "key_claim_name": "iss",
                    "claims_to_verify": ["exp", "nbf"],
                    "header_names": ["authorization"],
                    "uri_param_names": [],
                    "cookie_names": [],
                    "run_on_preflight": True,
                },
            )
            yield _plugin(f"clients-{name}", "acl", {"allow": [issuer_group(door.auth.jwt)], "hide_groups_header": True})
        case ApiKeyAuth():
            yield _plugin(
                KEY_AUTH,
                "key-auth",
                {
                    "key_names": [names.API_KEY_HEADER],
                    "key_in_header": True,
                    "key_in_query": False,
                    "key_in_body": False,
                    "hide_credentials": True,
                    "run_on_preflight": True,
                },
            )
            yield _plugin(f"clients-{name}", "acl", {"allow": list(door.auth.api_key), "hide_groups_header": False})
        case PublicAuth():
            pass
    if routes.speaks(t, door) is Protocol.HTTP:
        size = {"allowed_payload_size": size_in_bytes(door.max_body), "size_unit": "bytes", "require_content_length": False}
        yield _plugin(f"size-{name}", "request-size-limiting", size)
    yield from (limit(t, tier, _counted(door), counters) for tier in tiers_of(door))
    yield _plugin(f"request-{name}", "request-transformer", _request(door))
    if answer := _answer(t, door):
        yield _plugin(f"response-{name}", "response-transformer", answer)
    if door.cache and not isinstance(door.auth, PublicAuth):
        yield _plugin(f"cache-{name}", "proxy-cache", _cache(door))


def limit(t: Topology, tier: Name, counted: str, counters: CounterStore | None) -> Manifest:
    """Return the limits of a tier as a plugin. Where they cannot be counted, nobody passes."""
    config: dict[str, Any] = {str(window.unit): window.requests for window in windows(t.tiers[tier])}
    config |= {**LIMIT_BY[counted], "policy": "local", "fault_tolerant": False}
    if t.tiers[tier].scope is Scope.GLOBAL:
        config["policy"] = "redis"
        if counters is not None:
            config["redis"] = {"host": counters.host, "port": counters.port}
    return _plugin(limit_name(tier, counted), "rate-limiting", config)


def limit_name(tier: Name, counted: str) -> Name:
    """Return the name of a tier's limit."""
    return f"limit-{tier}-{counted}"


def consumer(t: Topology, name: Name, key: pulumi.Input[str]) -> Iterator[Manifest]:
    """Yield a consumer: its key, its group, which is its tier, and itself with its tier's limit."""
    tier = t.consumers[name].tier
    yield _credential(f"api-key-{name}", "key-auth", {"key": key})
    yield _credential(f"group-{name}", "acl", {"group": tier})
    limited = {PLUGINS_ANNOTATION: limit_name(tier, "consumer")}
    yield _consumer(name, [f"api-key-{name}", f"group-{name}"], limited)


def issuer(t: Topology, name: Name) -> Iterator[Manifest]:
    """Yield the consumer that stands for an issuer's tokens: the issuer's public key, and a group that doors admit."""
    about = t.issuers[name]
    pem = about.public_keys[0]
    key = {"key": about.issuer, "algorithm": algorithm(pem) or "", "rsa_public_key": pem}
    yield _credential(f"issuer-key-{name}", "jwt", key)
    yield _credential(f"issuer-group-{name}", "acl", {"group": issuer_group(name)})
    yield _consumer(f"issuer.{name}", [f"issuer-key-{name}", f"issuer-group-{name}"], {})


def _counted(door: Door) -> str:
    return "consumer" if isinstance(door.auth, ApiKeyAuth) else "token" if isinstance(door.auth, JwtAuth) else "address"


def _request(door: Door) -> dict[str, Any]:
    """Return what is changed in requests, after authentication and limits."""
    renamed = RENAMED if isinstance(door.auth, ApiKeyAuth) else {}
    gone = [*routes.removed_request_headers(door, ()), *names.TRACE_INTERNAL_HEADERS, *(h for h in KONG_HEADERS if h not in renamed)]
    config: dict[str, Any] = {"remove": {"headers": list(dict.fromkeys(gone))}}
    if renamed:
        config["rename"] = {"headers": [f"{old}:{new}" for old, new in renamed.items()]}
    if given := [f"{header}:{value}" for header, value in door.request_headers.set.items()]:
        config |= {"replace": {"headers": given}, "add": {"headers": given}}
    return config


def _answer(t: Topology, door: Door) -> dict[str, Any]:
    change = routes.response_change(t, door)
    config: dict[str, Any] = {}
    if change.remove:
        config["remove"] = {"headers": list(change.remove)}
    if given := [f"{header}:{value}" for header, value in change.set.items()]:
        config |= {"replace": {"headers": given}, "add": {"headers": given}}
    if added := [f"{header}:{value}" for header, value in change.add.items()]:
        config["append"] = {"headers": added}
    return config


def _cache(door: Door) -> dict[str, Any]:
    """Return how answers are kept, behind authentication: for each consumer, and at JWT doors for each token, by itself."""
    assert door.cache is not None
    vary = [*door.cache.vary, *(["authorization"] if isinstance(door.auth, JwtAuth) else [])]
    return {
        "strategy": "memory",
        "request_method": [method for method in ("GET", "HEAD") if method in door.methods],
        "response_code": [200],
        "content_type": list(CACHED_TYPES),
        "cache_ttl": max(1, int(seconds(door.cache.ttl))),
        **({"vary_headers": vary} if vary else {}),
    }


def _plugin(name: Name, plugin: str, config: dict[str, Any]) -> Manifest:
    return manifest(API, "KongPlugin", name, names.GATEWAY_NAMESPACE, annotations={CLASS_ANNOTATION: CLASS}, plugin=plugin, config=config)


def _credential(name: Name, kind: str, data: dict[str, Any]) -> Manifest:
    return manifest("v1", "Secret", name, names.GATEWAY_NAMESPACE, labels={CREDENTIAL_LABEL: kind}, type="Opaque", stringData=data)


def _consumer(name: str, credentials: list[Name], extra: dict[str, str]) -> Manifest:
    marks = {CLASS_ANNOTATION: CLASS, **extra}
    return manifest(API, "KongConsumer", name, names.GATEWAY_NAMESPACE, annotations=marks, username=name, credentials=credentials)
