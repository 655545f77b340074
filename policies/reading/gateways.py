"""API gateways: Gateways of the Gateway API with their listeners, and the routes attached to them, whoever serves them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final

from policies.reading.controllers import GATEWAY_API, Controller, class_of, container_port
from policies.reading.namespaces import Namespace
from policies.reading.patterns import EVERY, ByFirst, Pattern, exact, meet_hosts, regex, segment_prefix
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.selectors import matches
from policies.reading.surroundings import Surroundings
from policies.reading.values import UnknownValueError, mapping, sequence

ROUTE_KINDS: Final = ("HTTPRoute", "GRPCRoute")
OPAQUE_ROUTE_KINDS: Final = ("TCPRoute", "TLSRoute", "UDPRoute")
"""Routes below HTTP: no layer can tell one operation from another on them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Backend:
    """One backend of a rule."""

    namespace: str
    name: str
    kind: str
    port: int | None
    filters: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Match:
    """One match of one rule: requests that the rule takes."""

    patterns: tuple[Pattern, ...]
    matched: str
    """The value of an exact or prefix match, for rewriting."""
    rank: tuple[int, int, int]
    """Precedence, higher first: kind of path match, length of its value, number of headers."""
    method: str | None
    headers: tuple[tuple[str, str], ...]
    """Headers that must have exactly these values."""
    conditional: bool
    """It asks for something else besides: header expressions, query parameters."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """One rule of a route."""

    route: Resource
    name: str
    position: int
    hosts: tuple[str, ...]
    matches: tuple[Match, ...]
    filters: tuple[Mapping[str, Any], ...]
    backends: tuple[Backend, ...]

    def __str__(self) -> str:
        """Name the rule by its route."""
        return f"{self.route} rule {self.name or self.position}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Listener:
    """One listener of a Gateway."""

    name: str
    port: int
    protocol: str
    hostname: str
    spec: Mapping[str, Any]
    rules: tuple[Rule, ...]

    @cached_property
    def by_precedence(self) -> ByFirst[tuple[Match, Rule]]:
        """Return every match of every rule, the one that wins first."""
        found = sorted(((match, rule) for rule in self.rules for match in rule.matches), key=lambda pair: pair[0].rank, reverse=True)
        return ByFirst((match.patterns, (match, rule)) for match, rule in found)


@dataclass(kw_only=True, eq=False)
class ApiGateway:
    """A Gateway of the Gateway API, the pods that serve it, and what is attached to it."""

    gateway: Resource
    controller: Controller
    parameters: Resource | None
    """The EnvoyProxy that applies."""
    pods: tuple[Pod, ...]
    listeners: tuple[Listener, ...]
    ports: Mapping[str, int] = field(default_factory=dict[str, int])
    """Container port by listener name; empty where the proxies' ports do not follow from the listeners (Kong)."""

    def __str__(self) -> str:
        """Name the gateway as people do."""
        return str(self.gateway)

    def listening(self, port: int) -> Iterator[Listener]:
        """Yield the listeners behind a container port."""
        for listener in self.listeners:
            if self.ports.get(listener.name, port) == port:
                yield listener


def rank_of(kind: str, value: str, headers: int) -> tuple[int, int, int]:
    """Return the precedence of a match: exact, then regular expression, then prefix; then length; then headers.

    So Envoy Gateway sorts (internal/gatewayapi/sort.go); the Gateway API leaves the place of regular expressions open.
    """
    order = {"Exact": 2, "RegularExpression": 1, "PathPrefix": 0}[kind]
    return order, 0 if value == "/" and not order else len(value), headers


def read_gateway(gateway: Resource, routes: Iterable[Resource], pods: Iterable[Pod], around: Surroundings) -> ApiGateway:
    """Return the view of a Gateway. A route that cannot be read is noted.

    Raises:
        UnknownValueError: if the Gateway itself cannot be read.
    """
    view = class_of(gateway, around.find)
    listeners: list[Listener] = []
    specs: list[Mapping[str, Any]] = gateway.at("spec", "listeners", default=[])
    routes = tuple(routes)
    for spec in specs:
        rules: list[Rule] = []
        whole = view.controller is not Controller.KONG
        for route in routes:
            rules += around.reading(route, partial(_rules, gateway=gateway, listener=spec, around=around, whole=whole)) or ()
        listeners.append(
            Listener(
                name=spec["name"],
                port=spec["port"],
                protocol=spec["protocol"],
                hostname=spec.get("hostname") or "*",
                spec=spec,
                rules=tuple(rules),
            )
        )
    as_is = bool(view.parameters and view.parameters.at("spec", "provider", "kubernetes", "useListenerPortAsContainerPort", default=False))
    ports: dict[str, int] = {}
    if view.controller is Controller.ENVOY_GATEWAY:
        ports = {each.name: each.port if as_is else container_port(each.port) for each in listeners}
    return ApiGateway(
        gateway=gateway,
        controller=view.controller,
        parameters=view.parameters,
        pods=tuple(pods),
        listeners=tuple(listeners),
        ports=ports,
    )


def _rules(route: Resource, gateway: Resource, listener: Mapping[str, Any], around: Surroundings, *, whole: bool) -> list[Rule]:
    if not any(_refers(parent, route, gateway, listener) for parent in route.at("spec", "parentRefs", default=[])):
        return []
    if not _admits(listener, route, gateway, around.namespace):
        return []
    hosts = [meet_hosts(host, listener.get("hostname") or "*") for host in route.at("spec", "hostnames", default=[]) or ["*"]]
    found = tuple(host for host in hosts if host is not None)
    if not found:
        return []
    read = _grpc_match if route.kind == "GRPCRoute" else _http_match
    return [
        Rule(
            route=route,
            name=rule.get("name") or "",
            position=position,
            hosts=found,
            matches=tuple(read(mapping(match), whole=whole) for match in sequence(rule.get("matches")) or [{}]),
            filters=tuple(sequence(rule.get("filters"))),
            backends=tuple(_backend(backend, route) for backend in sequence(rule.get("backendRefs"))),
        )
        for position, rule in enumerate(route.at("spec", "rules", default=[]))
    ]


def _refers(parent: Mapping[str, Any], route: Resource, gateway: Resource, listener: Mapping[str, Any]) -> bool:
    return (
        parent.get("kind", "Gateway") == "Gateway"
        and parent.get("group", GATEWAY_API) == GATEWAY_API
        and parent["name"] == gateway.name
        and (parent.get("namespace") or route.namespace) == gateway.namespace
        and parent.get("sectionName") in {None, listener["name"]}
        and parent.get("port") in {None, listener["port"]}
    )


def _admits(listener: Mapping[str, Any], route: Resource, gateway: Resource, namespace: Callable[[str], Namespace]) -> bool:
    """Say whether a listener lets a route attach itself (`allowedRoutes`)."""
    allowed = mapping(listener.get("allowedRoutes"))
    kinds = {kind["kind"] for kind in sequence(allowed.get("kinds"))}
    if kinds and route.kind not in kinds:
        return False
    namespaces = mapping(allowed.get("namespaces"))
    match namespaces.get("from", "Same"):
        case "All":
            return True
        case "Selector":
            return matches(namespaces.get("selector"), namespace(route.namespace).labels)
        case "Same":
            return route.namespace == gateway.namespace
        case _:
            return False


def _http_match(match: Mapping[str, Any], *, whole: bool) -> Match:
    path = mapping(match.get("path"))
    kind, value = path.get("type", "PathPrefix"), path.get("value", "/")
    match kind:
        case "Exact":
            patterns: tuple[Pattern, ...] = (exact(value),)
        case "PathPrefix":
            patterns = segment_prefix(value)
        case "RegularExpression":
            # Kong looks for a match at the beginning of the path, Envoy for a match of all of it.
            patterns = regex(value if whole or value.startswith("^") else f"^{value}", whole=whole)
        case _:
            raise UnknownValueError(f"path.type {kind}", "a kind of match that is not known")
    headers = sequence(match.get("headers"))
    plain = tuple(sorted((each["name"].lower(), each["value"]) for each in headers if each.get("type", "Exact") == "Exact"))
    return Match(
        patterns=patterns,
        matched=value,
        rank=rank_of(kind, value, len(headers)),
        method=match.get("method"),
        headers=plain,
        conditional=len(plain) != len(headers) or bool(match.get("queryParams")),
    )


def _grpc_match(match: Mapping[str, Any], *, whole: bool) -> Match:
    del whole  # the same shape as for HTTP
    method = mapping(match.get("method"))
    if method.get("type", "Exact") != "Exact":
        raise UnknownValueError(f"method.type {method['type']}", "a match of gRPC methods that cannot be read")
    service, name = method.get("service"), method.get("method")
    patterns, kind = ((EVERY,), "PathPrefix")
    if service and name:
        patterns, kind = (exact(f"/{service}/{name}"),), "Exact"
    elif service:
        patterns = (Pattern((service,), ""),)
    elif name:
        patterns = (Pattern((None, name), None),)
    headers = sequence(match.get("headers"))
    plain = tuple(sorted((each["name"].lower(), each["value"]) for each in headers if each.get("type", "Exact") == "Exact"))
    return Match(
        patterns=patterns,
        matched="",
        rank=rank_of(kind, f"/{service or ''}/{name or ''}", len(headers)),
        method="POST",
        headers=plain,
        conditional=len(plain) != len(headers),
    )


def _backend(backend: Mapping[str, Any], route: Resource) -> Backend:
    return Backend(
        namespace=backend.get("namespace") or route.namespace,
        name=backend["name"],
        kind=backend.get("kind") or "Service",
        port=backend.get("port"),
        filters=tuple(sequence(backend.get("filters"))),
    )


def is_granted(backend: Backend, route: Resource, grants: Iterable[Resource]) -> bool:
    """Say whether a route may refer to a backend: of its own namespace, or by a ReferenceGrant in the backend's."""
    if backend.namespace == route.namespace:
        return True
    for grant in grants:
        if grant.namespace != backend.namespace:
            continue
        sources = grant.at("spec", "from", default=[])
        targets = grant.at("spec", "to", default=[])
        fits = any(s["kind"] == route.kind and s["namespace"] == route.namespace and s.get("group") == route.group for s in sources)
        if fits and any(t["kind"] == backend.kind and t.get("name") in {None, backend.name} for t in targets):
            return True
    return False
