"""A07: no client speaks in the name of a layer."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from policies.checks import attempt
from policies.door_routes import answered
from policies.header_edits import REQUESTS, edits_of
from policies.layers import Layer, layers_of
from policies.reading.controllers import Controller
from policies.reading.door_headers import wrong_in_requests
from policies.reading.gateways import ApiGateway, Listener
from policies.reading.key_headers import KEY_AUTH, asked_in, key_headers
from policies.reading.kong import credential_headers
from policies.reading.nginx_variables import OF_NGINX, Variables
from policies.reading.patterns import ByFirst
from policies.reading.resource import Resource
from policies.reading.spoken_headers import (
    CLIENT_CERTIFICATE,
    ENVOY_INTERNAL,
    FORWARDED,
    KONG_IDENTITY,
    MISTAKEN,
    OVERRIDING,
    identity_headers,
    is_internal,
    written_by,
)
from policies.reading.stack import Stack
from policies.reading.values import mapping, sequence
from policies.reading.virtual_services import Route, gateways_of, routes_of
from policies.reading.waf import Front, Passage, fronts
from policies.request_kinds import Doors
from policies.route_rule import Published, RouteRule
from policies.rule import Finding, Severity
from topology.model.door import ApiKeyAuth, JwtAuth

OF_THE_EDGE: Final = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id", "host", "connection", "upgrade")
"""Headers that the edge alone writes: from its own name, and from what it knows of the connection."""

SAID: Final = {"x-forwarded-for": "$remote_addr", "x-forwarded-proto": "https", FORWARDED: "$host", "x-request-id": "$request_id"}
"""Those of which the client's own would arrive where the edge says nothing, and what to say: limits count by them, and logs are found."""

OF_THE_CLIENT: Final = frozenset({"remote_addr", "realip_remote_addr", "proxy_add_x_forwarded_for"})
"""Variables of nginx in which the address of the client stands."""

KONG_OWN: Final = "x-consumer-"
"""How the names of headers begin that Kong writes from the key it checked."""

TIER: Final = "x-perimeter-tier"
TOKEN: Final = "authorization"  # noqa: S105 # the name of a header

SANITIZED: Final = frozenset({"Sanitize", "SanitizeSet"})
"""Ways of Envoy to treat a client's copy of the certificate header in which nothing of it arrives."""


class A07(RouteRule):
    """No header by which layers speak of identity or steer each other comes from a client.

    Forbids:
        - an edge that passes on a client's `x-forwarded-client-cert`, `x-envoy-*`, a header in which a later layer writes who the
          client is (claims of the token, the API key's owner), or one by which frameworks serve another path or method
          (`x-original-url`, `x-http-method-override`);
        - an edge that says with the client's words where a request comes from or leads to (`x-forwarded-for`, `host`, `upgrade`),
          leaves `x-forwarded-for`, `-proto`, `-host` or `x-request-id` to the client, says the same address of all clients, or writes one thing that the client chose into a header of
          another name;
        - a cloud's firewall that lets such a header pass where its load balancer removes none; a request id that the client said;
        - rewrite rules of an Application Gateway that write anything else into requests, be it under a condition alone;
        - a gateway that does not remove or overwrite the latter on every route;
        - a gateway that passes on an API key, or a token at a door that asks for none: behind it nobody asks for either;
        - a gateway that does not change the headers of requests as the door says (`requestHeaders`), or changes others;
        - a ClientTrafficPolicy that lets `x-forwarded-client-cert` through;
        - a route, plugin or VirtualService that writes such a header itself, instead of a layer that checked a token or key;
        - a route of an egress gateway that passes these headers on to the outside.

    Why:
        Services believe these headers: they are what is left of the client's identity behind the gateway. If a client's own copy
        survives on one route, for example a public one on which no token overwrites it, anybody is anybody there. Both layers
        remove them, so that a mistake in one is not enough. On the way out they say to a stranger who the customer is, and how
        the mesh is built.

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
        for gateway in stack.gateways:
            for listener in gateway.listeners:
                yield from attempt(self, gateway.gateway, self._doors(stack, gateway, listener))
        yield from self.over(stack.of("VirtualService.networking.istio.io"), lambda resource: self._mesh(resource, stack))

    def _doors(self, stack: Stack, gateway: ApiGateway, listener: Listener) -> Iterator[Finding]:
        """Check what becomes of requests' headers on every route that answers a door's requests: as the door says, no credential beside."""
        keys = key_headers(stack)
        for each in answered(stack, gateway, listener):
            spent = keys | (frozenset[str]() if isinstance(each.door.auth, JwtAuth) else {TOKEN})
            for published in each.by:
                edits = edits_of(published, REQUESTS)
                kept = spent - edits.removed - {name for name, _ in edits.alone}
                if kept and (kept := kept - _taken_by_the_lock(published)):
                    yield self.broken(
                        published.route,
                        f"{published}: passes on {', '.join(sorted(kept))} at the door {each.name}, behind which nobody asks for it",
                        f"remove {', '.join(sorted(kept))} from its requests",
                    )
                for wrong in wrong_in_requests(each.door, edits, lambda header: is_internal(header, stack)):
                    yield self.broken(
                        published.route,
                        f"{published}: of requests of the door {each.name}, {wrong}",
                        "change the headers that the door's `requestHeaders` name, and no others",
                    )

    def _mesh(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check what a VirtualService writes into requests, and what it lets out."""
        yield from self._outward(resource, stack)
        given = (header for route in resource.at("spec", "http", default=[]) for header, _ in _written_by_mesh(mapping(route)))
        if not any(is_internal(header, stack) for header in given):
            return
        routes = routes_of(resource)
        tiers = _tiers(routes, resource.at("spec", "hosts", default=[]), stack)
        forged = {
            header
            for route in routes
            for header, value in _written_by_mesh(route.written)
            if is_internal(header, stack) and not (header.lower() == TIER and tiers.get(route) == {(value,)})
        }
        for header in sorted(forged):
            yield self._forged(resource, header)

    def _outward(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check what of the inside a route of an egress gateway passes on."""
        if not (_exits(stack) & {*gateways_of(resource)}):
            return
        wanted = {CLIENT_CERTIFICATE, *ENVOY_INTERNAL, *identity_headers(stack)}
        for route in routes_of(resource):
            if not route.tcp and _exits(stack) & {*route.gateways} and (kept := sorted(wanted - route.removed_headers)):
                more = f" and {len(kept) - 1} more" if len(kept) > 1 else ""
                yield self.broken(
                    resource,
                    f"tells the outside what only the inside may know: {kept[0]}{more} of a request leaves with it",
                    f"remove {kept[0]} in `headers.request.remove` of the egress gateway's route",
                )

    def _forged(self, resource: Resource, header: str) -> Finding:
        return self.broken(
            resource,
            f"writes {header} into requests, by which layers speak of identity or steer each other, and not what a layer verified",
            f"take {header} from a verified token or key, and only remove it elsewhere",
        )

    def _edge(self, front: Front, stack: Stack) -> Iterator[Finding]:
        kong = KONG_IDENTITY if any(gateway.controller is Controller.KONG for gateway in stack.gateways) else ()
        wanted = (CLIENT_CERTIFICATE, *ENVOY_INTERNAL, *kong, *OVERRIDING, *MISTAKEN, *sorted(identity_headers(stack)))
        for passage in front.passages:
            kept = [header for header in wanted if header not in passage.removed_headers]
            if kept:
                more = f" and {len(kept) - 1} more" if len(kept) > 1 else ""
                yield self.broken(
                    front.resource,
                    f"{passage}: passes on a client's own {kept[0]}{more}",
                    f'write `{passage.module}_set_header {kept[0]} "";` beside the others: nginx inherits them as a whole or not at all',
                )

            yield from self._written(front, passage)

    def _written(self, front: Front, passage: Passage) -> Iterator[Finding]:
        """Check what of a client's words the edge writes into which header."""
        values = passage.headers
        for header, known in SAID.items():
            if header not in values:
                yield self.broken(
                    front.resource,
                    f"{passage}: passes on a client's own {header}",
                    f"write `{passage.module}_set_header {header} {known};`",
                )
        variables = Variables(server=passage.server, location=passage.location)
        address = values.get("x-forwarded-for")
        if address is not None and not any(OF_THE_CLIENT & variables.origins(value) for value in address):
            yield self.broken(
                front.resource,
                f"{passage}: says nothing of where a request comes from (x-forwarded-for), so all clients are one for limits and logs",
                f"write `{passage.module}_set_header x-forwarded-for $remote_addr;`",
            )
        for header, given in values.items():
            own = set[str]() if header in OF_THE_EDGE else {f"http_{header.replace('-', '_')}"}
            fine = OF_NGINX | own | ({"host"} if header in {"host", "x-forwarded-host"} and any(passage.server.names) else set[str]())
            chosen = sorted({each for value in given for each in variables.origins(value)} - fine)
            if chosen:
                yield self.broken(
                    front.resource,
                    f"{passage}: writes what the client chose (${', $'.join(chosen)}) into {header}",
                    f"write {header} from what the edge knows itself, or leave it as it came",
                )

    def check(self, published: Published, stack: Stack) -> Iterator[Finding]:
        """Check what the gateway removes on one rule."""
        if not published.rule.backends or published.answers_preflights_alone:
            return
        removed = _removed_by_kong(published) if published.is_kong else _removed_by_envoy(published)
        wanted = {*identity_headers(stack), *((CLIENT_CERTIFICATE,) if published.is_kong else ())}
        for header in sorted(wanted - removed):
            yield self.broken(
                published.route,
                f"{published}: passes on a client's own {header}, in which the mesh says who the client is",
                f"remove {header} on this route, or set it from what was verified",
            )
        for resource, header, value in (*_written_by_kong(published), *_written_by_route(published)):
            if is_internal(header, stack) and not _is_tier_of_key(published, header, value):
                yield self._forged(resource, header)
        policy = None if published.is_kong else published.client_policy
        if (
            policy is not None
            and (mode := policy.at("spec", "headers", "xForwardedClientCert", "mode", default="Sanitize")) not in SANITIZED
        ):
            yield self.broken(policy, f"lets a client's own {CLIENT_CERTIFICATE} through (mode {mode})", "leave the mode at Sanitize")


def _exits(stack: Stack) -> frozenset[str]:
    """Return the names of the Gateways on egress gateways."""
    layers = layers_of(stack)
    return frozenset(each.name for each in stack.mesh_gateways if any(layers.pods.get(pod) is Layer.EGRESS for pod in each.pods))


def _written_by_mesh(route: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield headers that a route of a VirtualService writes into requests, with their values."""
    for part in (route, *map(mapping, sequence(route.get("route")))):
        request = mapping(mapping(part.get("headers")).get("request"))
        yield from (*mapping(request.get("add")).items(), *mapping(request.get("set")).items())


def _tiers(routes: Iterable[Route], hosts: Iterable[str], stack: Stack) -> Mapping[Route, set[tuple[str, ...]]]:
    """Return, for routes of mesh ingresses to hosts, of which tiers the keys are that open the doors before each; none for a door without keys.

    That the gateway asks for those keys, A06 holds.
    """
    doors, found = Doors(stack.intent), defaultdict[Route, set[tuple[str, ...]]](set)
    ingresses = {each.name for each in stack.mesh_gateways if each.pods and stack.mesh_ingress.issuperset(each.pods)}
    indexed = ByFirst((route.patterns, route) for route in routes if ingresses.issuperset(route.gateways))
    for door in stack.intent.doors.values():
        for requests in (part for every in doors.through(door) for part in every.to(hosts)):
            for route in indexed.about(requests.path):
                if any(True for _ in route.taken(requests)):
                    found[route].add(door.auth.api_key if isinstance(door.auth, ApiKeyAuth) else ())
    return found


def _taken_by_the_lock(published: Published) -> frozenset[str]:
    """Return the headers that whoever checks the key takes out by itself: `hide_credentials` of Kong, `sanitize` of Envoy Gateway."""
    if published.is_kong:
        locks = [each for each in published.plugins if each.name == KEY_AUTH and each.config.get("hide_credentials") is True]
        return credential_headers(locks)
    policy = published.policy("SecurityPolicy")
    lock = mapping(policy.at("spec", "apiKeyAuth", default={})) if policy else {}
    return asked_in(lock) if lock.get("sanitize") is True else frozenset()


def _is_tier_of_key(published: Published, header: str, value: str) -> bool:
    """Say whether a written value is the one tier whose keys open the route's door: who showed a key of it is of it."""
    if header.lower() != TIER or not {edge.credential for edge in published.doors} <= {"api-key"}:
        return False
    if published.is_kong:
        locked = published.plugin("key-auth") is not None
    else:
        policy = published.policy("SecurityPolicy")
        locked = policy is not None and bool(policy.at("spec", "apiKeyAuth", "credentialRefs"))
    tiers = {door.auth.api_key for door in published.declared.values() if isinstance(door.auth, ApiKeyAuth)}
    return locked and tiers == {(value,)}


def _written_by_route(published: Published) -> Iterator[tuple[Resource, str, str]]:
    """Yield headers that a route, or the listener's policy, writes into requests, with their values."""
    edits = [(published.route, each["requestHeaderModifier"]) for each in published.filters("RequestHeaderModifier")]
    client = None if published.is_kong else published.client_policy
    if client is not None:
        edits.append((client, client.at("spec", "headers", "earlyRequestHeaders", default={})))
    for resource, edit in edits:
        for each in (*(edit.get("set") or ()), *(edit.get("add") or ())):
            yield resource, each["name"], each["value"]


def _written_by_kong(published: Published) -> Iterator[tuple[Resource, str, str]]:
    """Yield headers that Kong's request-transformer writes; one that it renames from its own identity headers is verified."""
    for plugin in published.plugins if published.is_kong else ():
        if plugin.name != "request-transformer":
            continue
        for verb in ("add", "append", "replace", "rename"):
            edit: Mapping[str, Any] = plugin.config.get(verb) or {}
            for entry in edit.get("headers") or ():
                old, _, new = str(entry).partition(":")
                if verb != "rename":
                    yield plugin.resource, old, new
                elif not old.lower().startswith(KONG_OWN):
                    yield plugin.resource, new, ""


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
    return found | (written_by(policy.spec) if policy else set())


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
