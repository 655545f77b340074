"""VirtualServices: routes in order, each with what it matches and where it leads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from policies.reading.patterns import EVERY, Pattern, exact, prefix, regex
from policies.reading.resource import Resource
from policies.reading.services import CLUSTER_DOMAIN
from policies.reading.values import UnknownValueError

MESH: Final = "mesh"
"""The gateway name that means every sidecar."""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a route leads."""

    host: str
    """In full where it is a name inside the cluster."""
    port: int | None
    subset: str = ""
    mirror: bool = False


@dataclass(frozen=True, kw_only=True)
class Rewriting:
    """What a route changes of a request."""

    authority: str = ""
    uri: str = ""
    """Replaces what the route matched; empty where the path stays."""
    expression: bool = False
    """The path is rewritten by a regular expression, which is not read."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Route:
    """One match of one route of a VirtualService."""

    resource: Resource
    name: str
    patterns: tuple[Pattern, ...]
    matched: str
    """The string of an exact or prefix match, for rewriting."""
    method: str | None
    hosts: tuple[str, ...]
    conditional: bool
    """It asks for headers, query parameters or the like, so that a later route may get the same path."""
    gateways: tuple[str, ...]
    """Names as `namespace/name`, or `mesh`."""
    source_labels: Mapping[str, str]
    source_namespace: str
    port: int | None
    destinations: tuple[Destination, ...]
    rewriting: Rewriting
    ends: str = ""
    """What the route answers itself: a redirect or a fixed answer."""
    removed_headers: frozenset[str] = frozenset()

    @property
    def catches_all(self) -> bool:
        """Say whether it matches everything: Istio sorts such a route behind all others of its host."""
        return self.patterns == (EVERY,) and not self.conditional and self.method is None


def full_host(host: str, namespace: str) -> str:
    """Return a host as Istio completes it: a name without dots is a Service of the object's own namespace."""
    if host == "*" or "." in host:
        return host.lower()
    return f"{host}.{namespace}.svc.{CLUSTER_DOMAIN}"


def hosts_of(resource: Resource) -> tuple[str, ...]:
    """Return the hosts of a VirtualService in full."""
    return tuple(full_host(host, resource.namespace) for host in resource.at("spec", "hosts", default=[]))


def gateways_of(resource: Resource, given: Any = None) -> tuple[str, ...]:
    """Return the gateways that a VirtualService, or one of its matches, is bound to; `mesh` where none is given."""
    names = given if given is not None else resource.at("spec", "gateways", default=[])
    return tuple(name if name == MESH or "/" in name else f"{resource.namespace}/{name}" for name in names) or (MESH,)


@lru_cache(maxsize=None)
def routes_of(resource: Resource) -> tuple[Route, ...]:
    """Return the routes of a VirtualService in the order in which they are tried.

    Raises:
        UnknownValueError: for a route that cannot be read (delegates, and expressions of another form).
    """
    if resource.at("spec", "tls") or resource.at("spec", "tcp"):
        raise UnknownValueError(f"{resource}: spec.tls, spec.tcp", "a route below HTTP, in which no operation can be told")
    found = [route for rule in resource.at("spec", "http", default=[]) for route in _routes(resource, rule)]
    return (*(route for route in found if not route.catches_all), *(route for route in found if route.catches_all))


_CONDITIONS: Final = ("headers", "queryParams", "withoutHeaders", "scheme")
_MATCH_KEYS: Final = frozenset(
    {*_CONDITIONS, "uri", "method", "authority", "gateways", "sourceLabels", "sourceNamespace", "port", "name", "statPrefix", "ignoreUriCase"}
)


def _routes(resource: Resource, rule: Mapping[str, Any]) -> Iterator[Route]:
    if rule.get("delegate"):
        raise UnknownValueError(f"{resource}: delegate", "a route in another object")
    destinations = tuple(_destination(resource, each["destination"]) for each in rule.get("route") or ())
    mirrors = [*([{"destination": rule["mirror"]}] if rule.get("mirror") else []), *(rule.get("mirrors") or ())]
    destinations += tuple(_destination(resource, each["destination"], mirror=True) for each in mirrors)
    rewrite = rule.get("rewrite") or {}
    rewriting = Rewriting(
        authority=rewrite.get("authority") or "", uri=rewrite.get("uri") or "", expression=bool(rewrite.get("uriRegexRewrite"))
    )
    ends = "a redirect" if rule.get("redirect") else "a fixed answer" if rule.get("directResponse") else ""
    removed = ((rule.get("headers") or {}).get("request") or {}).get("remove") or ()
    for match in rule.get("match") or ({},):
        if strange := set(match) - _MATCH_KEYS:
            raise UnknownValueError(f"{resource}: {', '.join(sorted(strange))}", "a match that is not known")
        patterns, matched = _patterns(match.get("uri") or {}, resource)
        methods = match.get("method") or {}
        if methods and set(methods) != {"exact"}:
            raise UnknownValueError(f"{resource}: match.method", "a match of methods that cannot be read")
        authority = match.get("authority") or {}
        if authority and not set(authority) <= {"exact"}:
            raise UnknownValueError(f"{resource}: match.authority", "a match of hosts that cannot be read")
        yield Route(
            resource=resource,
            name=rule.get("name") or "",
            patterns=patterns,
            matched=matched,
            method=methods.get("exact"),
            hosts=tuple(authority.values()) or ("*",),
            conditional=any(match.get(key) for key in _CONDITIONS) or bool(match.get("ignoreUriCase")),
            gateways=gateways_of(resource, match.get("gateways")),
            source_labels=match.get("sourceLabels") or {},
            source_namespace=match.get("sourceNamespace") or "",
            port=match.get("port"),
            destinations=destinations,
            rewriting=rewriting,
            ends=ends,
            removed_headers=frozenset(header.lower() for header in removed),
        )


def _patterns(uri: Mapping[str, Any], resource: Resource) -> tuple[tuple[Pattern, ...], str]:
    match list(uri.items()):
        case []:
            return (EVERY,), "/"
        case [("exact", value)]:
            return (exact(value),), value
        case [("prefix", value)]:
            return (prefix(value),), value
        case [("regex", value)]:
            return regex(value, whole=True), ""
        case _:
            raise UnknownValueError(f"{resource}: match.uri", "a match of paths that cannot be read")


def _destination(resource: Resource, given: Mapping[str, Any], *, mirror: bool = False) -> Destination:
    port = (given.get("port") or {}).get("number")
    return Destination(host=full_host(given["host"], resource.namespace), port=port, subset=given.get("subset") or "", mirror=mirror)
