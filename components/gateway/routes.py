"""The doors as routes of the Gateway API: the same for every gateway, whatever it adds to them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any, Final

from topology.derive import names
from topology.derive.manifest import Manifest, manifest
from topology.model.base import HostName, Name, seconds
from topology.model.cors import PREFLIGHT
from topology.model.door import Door, JwtAuth, Lifecycle
from topology.model.service import Protocol, Service
from topology.model.system import Topology
from topology.paths import is_exact, regex
from topology.preflights import Preflight

API: Final = "gateway.networking.k8s.io/v1"
GROUP: Final = "gateway.networking.k8s.io"
GRANT_API: Final = "gateway.networking.k8s.io/v1beta1"
"""Envoy Gateway 1.9 reads ReferenceGrants in this version, which Gateway API 1.7 stores."""
LARGEST_RULE: Final = 64
"""Matches of a rule, at most (Gateway API, HTTPRouteRule)."""
LARGEST_ROUTE: Final = 128
"""Matches of all rules of an HTTPRoute together, at most (Gateway API, HTTPRouteSpec)."""
MOST_EDITS: Final = 16
"""Headers set, and headers removed, by one filter, at most (Gateway API, HTTPHeaderFilter)."""
LISTENER: Final = "https"
"""Name of the one listener of a Gateway that is asked without a name."""
DOOR_LABEL: Final = "perimeter.dev/door"
HTTP_ROUTE: Final = "HTTPRoute"
GRPC_ROUTE: Final = "GRPCRoute"


def kind(t: Topology, door: Door) -> str:
    """Return the kind of a door's routes: a gRPC service has one of its own, by which the gateway knows to speak HTTP/2 to it."""
    workload = t.workload(door.service)
    return GRPC_ROUTE if isinstance(workload, Service) and workload.protocol is Protocol.GRPC else HTTP_ROUTE


def speaks(t: Topology, door: Door) -> Protocol:
    """Return what the service behind a door speaks; a composition speaks HTTP."""
    workload = t.workload(door.service)
    return workload.protocol if isinstance(workload, Service) else Protocol.HTTP


def kinds(t: Topology) -> list[str]:
    """Return the kinds of all routes of a system, sorted."""
    return sorted({kind(t, door) for door in t.doors.values()})


def route_names(t: Topology, name: Name) -> list[Name]:
    """Return the names of a door's routes: its own name, and more only where it has more paths and methods than one route may hold."""
    return _names(name, len(list(_matches(t, t.doors[name]))))


def targets(t: Topology, name: Name) -> list[dict[str, str]]:
    """Return references to a door's routes, as policies make them."""
    return [{"group": GROUP, "kind": kind(t, t.doors[name]), "name": route} for route in route_names(t, name)]


def routes(  # noqa: PLR0913 # the parts of a route
    t: Topology,
    name: Name,
    backend: Mapping[str, Any],
    filters: Sequence[Mapping[str, Any]],
    annotations: Mapping[str, str] | None = None,
    *,
    by_name: bool = True,
) -> Iterator[Manifest]:
    """Yield a door's routes.

    Args:
        t: the system.
        name: the door.
        backend: the Service that its requests go to.
        filters: what the gateway changes on the way.
        annotations: of each route.
        by_name: as of the Gateway (`gateway`).
    """
    door = t.doors[name]
    common: dict[str, Any] = {"filters": list(filters)} if filters else {}
    if kind(t, door) == HTTP_ROUTE and speaks(t, door) is not Protocol.WEBSOCKET:
        # A WebSocket lives as long as its two ends like; the idle timeouts of the layers end a dead one.
        common["timeouts"] = {"request": duration(door.timeout), "backendRequest": duration(door.timeout)}
    rule = {**common, "backendRefs": [dict(backend)]}
    labels = {DOOR_LABEL: name}
    for route, spec in _chunks(name, list(_matches(t, door)), rule, t.host_of(door), by_name=by_name):
        yield manifest(API, kind(t, door), route, names.GATEWAY_NAMESPACE, spec, labels=labels, annotations=annotations)


def preflight_name(preflight: Preflight) -> Name:
    """Return the name of the route that answers preflights: that of the first of its doors. A door has no dot in its name."""
    return f"{preflight.doors[0]}.preflight"


def preflight_targets(preflight: Preflight) -> list[dict[str, str]]:
    """Return references to the routes that answer preflights, as policies make them."""
    found = _names(preflight_name(preflight), len(preflight.paths))
    return [{"group": GROUP, "kind": HTTP_ROUTE, "name": route} for route in found]


def preflight_routes(
    preflight: Preflight, backend: Mapping[str, Any], annotations: Mapping[str, str] | None = None, *, by_name: bool = True
) -> Iterator[Manifest]:
    """Yield the routes on which the gateway answers preflights itself.

    A route has to match `OPTIONS`, or the gateway has nothing to answer by; who forbids that anything gets past it is the gateway's part.

    Args:
        preflight: what is answered.
        backend: the Service that is never asked.
        annotations: of each route.
        by_name: as of the Gateway (`gateway`).
    """
    matches = [{"path": path_match(path), "method": PREFLIGHT} for path in preflight.paths]
    labels = {DOOR_LABEL: preflight.doors[0]}
    for route, spec in _chunks(preflight_name(preflight), matches, {"backendRefs": [dict(backend)]}, preflight.host, by_name=by_name):
        yield manifest(API, HTTP_ROUTE, route, names.GATEWAY_NAMESPACE, spec, labels=labels, annotations=annotations)


def _names(name: Name, matches: int) -> list[Name]:
    """Return the names of routes with so many matches together: one name, and more only where there are more than one route may hold."""
    count = -(-matches // LARGEST_ROUTE)
    return [name if number == 0 else f"{name}.{number + 1}" for number in range(count)]


def _chunks(
    name: Name, matches: Sequence[Mapping[str, Any]], rule: Mapping[str, Any], host: HostName, *, by_name: bool
) -> Iterator[tuple[Name, dict[str, Any]]]:
    """Yield name and spec of each route of a host that these matches need, each rule of which is otherwise the same."""
    for number, route in enumerate(_names(name, len(matches))):
        chosen = matches[number * LARGEST_ROUTE : (number + 1) * LARGEST_ROUTE]
        spec = {
            "parentRefs": [{"group": GROUP, "kind": "Gateway", "name": names.GATEWAY, "sectionName": host if by_name else LISTENER}],
            "hostnames": [host],
            "rules": [{"matches": chosen[start : start + LARGEST_RULE], **rule} for start in range(0, len(chosen), LARGEST_RULE)],
        }
        yield route, spec


def gateway_class(controller: str, annotations: Mapping[str, str] | None = None) -> Manifest:
    """Return the class by which the gateway's controller knows which Gateway is its own."""
    return manifest(API, "GatewayClass", names.GATEWAY, spec={"controllerName": controller}, annotations=annotations)


def gateway(t: Topology, infrastructure: Mapping[str, Any] | None = None, *, by_name: bool = True) -> Manifest:
    """Return the Gateway: TLS for each public host, and routes of its own namespace alone.

    Args:
        t: the system.
        infrastructure: what the product wants to know of its proxies.
        by_name: whether the edge says in TLS which host it asks for. Otherwise one listener without a name serves all hosts, and their
            routes alone tell them apart.
    """
    if by_name:
        listeners = [{"name": host, "hostname": host, **_serving(kinds_at(t, host))} for host in t.public_hosts()]
    else:
        listeners = [{"name": LISTENER, **_serving(kinds(t) or [HTTP_ROUTE])}]
    spec: dict[str, Any] = {"gatewayClassName": names.GATEWAY, "listeners": listeners}
    if infrastructure:
        spec["infrastructure"] = dict(infrastructure)
    return manifest(API, "Gateway", names.GATEWAY, names.GATEWAY_NAMESPACE, spec)


def _serving(route_kinds: Iterable[str]) -> dict[str, Any]:
    return {
        "port": names.HTTPS_PORT,
        "protocol": "HTTPS",
        "tls": {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": names.GATEWAY_SERVER_SECRET}]},
        "allowedRoutes": {"namespaces": {"from": "Same"}, "kinds": [{"group": GROUP, "kind": known} for known in route_kinds]},
    }


def kinds_at(t: Topology, host: HostName) -> list[str]:
    """Return the kinds of routes of one host, sorted; HTTPRoute where a host has no door."""
    return sorted({kind(t, door) for door in t.doors.values() if t.host_of(door) == host}) or [HTTP_ROUTE]


def grant(namespace: Name, services: Iterable[Name], route_kinds: Iterable[str]) -> Manifest:
    """Return the leave for routes of the gateway's namespace, and no other, to send to these Services of another."""
    spec = {
        "from": [{"group": GROUP, "kind": known, "namespace": names.GATEWAY_NAMESPACE} for known in route_kinds],
        "to": [{"group": "", "kind": "Service", "name": service} for service in services],
    }
    return manifest(GRANT_API, "ReferenceGrant", names.GATEWAY, namespace, spec)


def service(selector: Mapping[str, str], pod_port: int) -> Manifest:
    """Return the gateway's Service, which the edge calls. The product's own Service, if it makes one, is used by nobody."""
    port = {"name": "https", "port": names.HTTPS_PORT, "targetPort": pod_port, "protocol": "TCP", "appProtocol": "https"}
    spec = {"type": "ClusterIP", "selector": dict(selector), "ports": [port]}
    return manifest("v1", "Service", names.GATEWAY, names.GATEWAY_NAMESPACE, spec)


def removed_request_headers(door: Door, vouched: Iterable[str]) -> list[str]:
    """Return the request headers that end at the gateway: spent credentials, and identities that it does not vouch for itself.

    The token of a JWT door goes on to the mesh ingress, which verifies it again. `vouched` are the identity headers that the gateway
    has set from the credential on this door.
    """
    spent = [names.API_KEY_HEADER] if isinstance(door.auth, JwtAuth) else ["authorization", names.API_KEY_HEADER]
    return [*door.request_headers.remove, *spent, *(header for header in names.IDENTITY_HEADERS if header not in set(vouched))]


@dataclass(frozen=True, kw_only=True)
class ResponseChange:
    """What the gateway changes in the headers of answers."""

    set: Mapping[str, str]
    """Whatever was there."""
    add: Mapping[str, str]
    """Beside what was there."""
    remove: tuple[str, ...]


def response_change(t: Topology, door: Door, *, varies: bool = False) -> ResponseChange:
    """Return the headers that a door asks for, and those by which a deprecated API version says that it ends.

    `Deprecation` is a date of RFC 9745, `Sunset` one of RFC 8594; the link leads to the API's documentation. An answer whose
    `Access-Control-Allow-Origin` depends on who asks says so to caches (Fetch, 3.2.5): `Vary: Origin`.

    Args:
        t: the system.
        door: the door.
        varies: whether the gateway says that by itself.
    """
    given, added = dict(door.response_headers.set), dict[str, str]()
    api = t.apis[door.api.name] if door.api else None
    if door.api and api and (about := api.versions[door.api.version]).lifecycle is Lifecycle.DEPRECATED:
        if about.deprecated_since:
            given["deprecation"] = f"@{int(_midnight(about.deprecated_since).timestamp())}"
        if about.sunset:
            given["sunset"] = format_datetime(_midnight(about.sunset), usegmt=True)
        if api.documentation:
            added["link"] = f'<{api.documentation}>; rel="deprecation"; type="text/html"'
    if door.cors and not varies:
        added["vary"] = "Origin"
    return ResponseChange(set=given, add=added, remove=door.response_headers.remove)


def duration(given: str) -> str:
    """Return a duration in the grammar of the Gateway API, which knows at most five digits of a unit (GEP-2257)."""
    whole = round(seconds(given) * 1000)
    parts: list[str] = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _matches(t: Topology, door: Door) -> Iterator[dict[str, Any]]:
    version = t.version_header(door)
    headers = {"headers": [{"type": "Exact", "name": version[0], "value": version[1]}]} if version else {}
    for pattern in door.paths:
        if kind(t, door) == GRPC_ROUTE:
            rpc_service, _, method = pattern.removeprefix("/").partition("/")
            yield {"method": {"type": "Exact", "service": rpc_service, **({} if method == "*" else {"method": method})}, **headers}
            continue
        for verb in door.methods:
            yield {"path": path_match(pattern), "method": verb, **headers}


def path_match(pattern: str) -> dict[str, str]:
    """Return how a route matches the paths of a pattern.

    Never by `PathPrefix`: that of `/a/` matches `/a`, too, which a door for `/a/*` does not open. The expression is bound at both
    ends, because gateways differ in whether an unbound one may match a part of the path.
    """
    if is_exact(pattern):
        return {"type": "Exact", "value": pattern}
    return {"type": "RegularExpression", "value": f"^{regex(pattern)}$"}
