"""VirtualServices: routes in order, each with what it matches and where it leads."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from policies.reading.patterns import EVERY, Pattern, exact, prefix, regex
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.services import CLUSTER_DOMAIN
from policies.reading.values import UnknownValueError, mapping, sequence
from topology.edges import ANY_METHOD

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
    old: str = ""
    new: str = ""
    """The beginning of the path that is replaced, and by what; both empty where the path stays."""
    whole: bool = False
    """The whole path is replaced by `new`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Route:
    """One match of one route of a VirtualService."""

    resource: Resource
    name: str
    patterns: tuple[Pattern, ...]
    methods: tuple[str, ...] | None
    hosts: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    """Headers that must have exactly these values; and what else it asks for, by names that no header can have (`x-a prefix`)."""
    conditional: bool
    """It asks for something else besides, so that a later route may get the same requests."""
    gateways: tuple[str, ...]
    """Names as `namespace/name`, or `mesh`."""
    source_labels: Mapping[str, str]
    """Labels of the pods that it is for, and their namespace; empty: of all. Of a route over HTTP whose match names gateways, Istio looks at
    neither (`sourceMatchHTTP` in pilot/pkg/networking/core/route/route.go)."""
    source_namespace: str
    port: int | None
    destinations: tuple[Destination, ...]
    rewriting: Rewriting
    ends: str = ""
    """What the route answers itself: a redirect or a fixed answer."""
    removed_headers: frozenset[str] = frozenset()
    tcp: bool = False
    """The route is below HTTP."""
    written: Mapping[str, Any]
    """The whole route as it is written: for weights, timeouts and whatever else moves no request to another place."""

    @property
    def catches_all(self) -> bool:
        """Say whether it matches everything: Istio sorts such a route behind all others of its host."""
        return self.patterns == (EVERY,) and not self.conditional and not self.headers and self.methods is None

    def taken(self, requests: Requests) -> Iterator[Requests]:
        """Yield the requests that it may take.

        Raises:
            UnknownValueError: where an intersection of paths cannot be written as a pattern.
        """
        for by_host in requests.to(self.hosts):
            for by_method in by_host.by(self.methods):
                if (having := by_method.having(self.headers)) is not None:
                    yield from having.at(self.patterns)

    def left(self, requests: Requests) -> Requests | None:
        """Return what it leaves to the routes after it; everything, where it asks for more than the paths."""
        takes = (
            not self.conditional
            and (self.methods is None or (requests.method != ANY_METHOD and requests.method in self.methods))
            and set(self.headers) <= set(requests.headers)
            and (self.hosts == ("*",) or requests.host in self.hosts)
        )
        return requests.minus(self.patterns) if takes else requests


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
    names = given or resource.at("spec", "gateways", default=[])
    return tuple(name if name == MESH or "/" in name else f"{resource.namespace}/{name}" for name in names) or (MESH,)


@cache
def routes_of(resource: Resource) -> tuple[Route, ...]:
    """Return the routes of a VirtualService in the order in which they are tried.

    Raises:
        UnknownValueError: for a route that cannot be read (delegates, routes by SNI, expressions of another form).
    """
    if resource.at("spec", "tls"):
        raise UnknownValueError(f"{resource}: spec.tls", "a route by SNI, in which no operation can be told")
    found = [route for rule in resource.at("spec", "http", default=[]) for route in _routes(resource, rule)]
    found = [*(route for route in found if not route.catches_all), *(route for route in found if route.catches_all)]
    return (*found, *(route for rule in resource.at("spec", "tcp", default=[]) for route in _routes(resource, rule, tcp=True)))


_CONDITIONS: Final = ("queryParams", "withoutHeaders", "scheme")
_MATCH_KEYS: Final = frozenset(
    {*_CONDITIONS, "headers", "uri", "method", "authority", "gateways", "sourceLabels", "sourceNamespace", "port", "name", "statPrefix"}
)


def _routes(resource: Resource, rule: Mapping[str, Any], *, tcp: bool = False) -> Iterator[Route]:
    if rule.get("delegate"):
        raise UnknownValueError(f"{resource}: delegate", "a route in another object")
    destinations = tuple(_destination(resource, each["destination"]) for each in sequence(rule.get("route")))
    mirrors = [*([{"destination": rule["mirror"]}] if rule.get("mirror") else []), *sequence(rule.get("mirrors"))]
    destinations += tuple(_destination(resource, each["destination"], mirror=True) for each in mirrors)
    ends = "a redirect" if rule.get("redirect") else "a fixed answer" if rule.get("directResponse") else ""
    removed = sequence(mapping(mapping(rule.get("headers")).get("request")).get("remove"))
    for match in map(mapping, sequence(rule.get("match")) or [{}]):
        if strange := set(match) - _MATCH_KEYS:
            raise UnknownValueError(f"{resource}: {', '.join(sorted(strange))}", "a match that is not known")
        patterns, matched, prefixed = _patterns(mapping(match.get("uri")), resource)
        headers = mapping(match.get("headers"))
        plain = {name.lower(): value["exact"] for name, value in headers.items() if "exact" in mapping(value)}
        others = dict(_others(match, headers))
        sources = {} if match.get("gateways") and not tcp else match
        yield Route(
            resource=resource,
            name=rule.get("name") or "",
            patterns=patterns,
            methods=_texts(match.get("method"), resource, "match.method"),
            hosts=_texts(match.get("authority"), resource, "match.authority") or ("*",),
            headers=tuple(sorted({**plain, **others}.items())),
            conditional=bool(others),
            gateways=gateways_of(resource, match.get("gateways")),
            source_labels=mapping(sources.get("sourceLabels")),
            source_namespace=sources.get("sourceNamespace") or "",
            port=match.get("port"),
            destinations=destinations,
            rewriting=_rewriting(mapping(rule.get("rewrite")), matched, resource, prefixed=prefixed),
            ends=ends,
            removed_headers=frozenset(header.lower() for header in removed),
            tcp=tcp,
            written=rule,
        )


def _others(match: Mapping[str, Any], headers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a match asks for beside paths, methods and headers of one value."""
    for name, value in headers.items():
        if "exact" not in mapping(value):
            yield f"{name.lower()} {' '.join(mapping(value)) or 'present'}", ", ".join(map(str, mapping(value).values()))
    yield from ((f"match {key}", str(match[key])) for key in _CONDITIONS if match.get(key))


def _patterns(uri: Mapping[str, Any], resource: Resource) -> tuple[tuple[Pattern, ...], str, bool]:
    """Return the paths of a match, its text, and whether the text is a beginning only."""
    match list(uri.items()):
        case []:
            return (EVERY,), "/", True
        case [("exact", value)]:
            return (exact(value),), value, False
        case [("prefix", value)]:
            return (prefix(value),), value, True
        case [("regex", value)]:
            return regex(value, whole=True), "", False
        case _:
            raise UnknownValueError(f"{resource}: match.uri", "a match of paths that cannot be read")


_ALTERNATIVES = re.compile(r"^[\w.-]+(\|[\w.-]+)*$")


def _texts(match: Mapping[str, str] | None, resource: Resource, where: str) -> tuple[str, ...] | None:
    """Return the texts that a match allows: one, or the alternatives of `A|B`."""
    match list(mapping(match).items()):
        case []:
            return None
        case [("exact", value)]:
            return (value,)
        case [("regex", value)] if _ALTERNATIVES.match(value):
            return tuple(value.split("|"))
        case _:
            raise UnknownValueError(f"{resource}: {where}", "a match that cannot be read")


_LITERAL_PREFIX = re.compile(r"^\^((?:[A-Za-z0-9_~/-]|\\[^A-Za-z0-9])*)$")


def _rewriting(given: Mapping[str, Any], matched: str, resource: Resource, *, prefixed: bool) -> Rewriting:
    authority = given.get("authority") or ""
    if expression := given.get("uriRegexRewrite"):
        literal = _LITERAL_PREFIX.match(expression["match"])
        if literal is None or "\\" in expression["rewrite"]:
            raise UnknownValueError(f"{resource}: rewrite.uriRegexRewrite", "a rewrite that cannot be read")
        return Rewriting(authority=authority, old=re.sub(r"\\(.)", r"\1", literal[1]), new=expression["rewrite"])
    if uri := given.get("uri"):
        return Rewriting(authority=authority, old=matched, new=uri, whole=not prefixed)
    return Rewriting(authority=authority)


def _destination(resource: Resource, given: Mapping[str, Any], *, mirror: bool = False) -> Destination:
    port = mapping(given.get("port")).get("number")
    return Destination(host=full_host(given["host"], resource.namespace), port=port, subset=given.get("subset") or "", mirror=mirror)
