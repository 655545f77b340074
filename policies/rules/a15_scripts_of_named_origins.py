"""A15: the scripts of named origins alone read answers."""

from collections.abc import Iterator
from typing import Any, Final

from policies.reading.controllers import Controller
from policies.reading.cors import Said, of_plugin, of_security_policy, wrong
from policies.reading.gateways import ApiGateway, Listener, Rule
from policies.reading.patterns import parse
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError, mapping, sequence
from policies.reading.waf import fronts
from policies.route_rule import Published, RouteRule
from policies.rule import Finding, Severity
from topology.model.cors import PREFLIGHT
from topology.preflights import Preflight

PREFIX: Final = "access-control-"
LIFTED: Final = ("access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers")
"""Headers by which an answer itself says whose scripts may read it (Fetch, 4.10, CORS check)."""
NAME_IT: Final = "say what the topology's `cors` says, and nothing at doors that name none"


class A15(RouteRule):
    """The API gateway tells browsers whose scripts may ask and read answers, exactly as the topology says, and answers preflights alone.

    Forbids:
        - an origin that the topology does not name, `*`, or a pattern of origins (`https://*.abc.example`, an expression of Kong), and
          Kong's `cors` without origins or headers, which means all;
        - CORS at a door without `cors`, and none at a door with it;
        - cookies (`credentials`) that the topology does not grant; other methods, request headers or headers of answers than it grants;
          an answer that browsers keep for another time;
        - a route for `OPTIONS` that lets a request on to a service: without a SecurityPolicy that denies everything, without Kong's
          `request-termination`, or with `preflight_continue`; an operation of API Management with that method;
        - a path at which preflights go unanswered, or are answered where no door has `cors`; a route for them that does anything else;
        - a mesh ingress that passes on what a service says of it (`access-control-allow-origin` and the headers beside it), a VirtualService
          that says it itself (`corsPolicy`), or an edge that does;
        - `cors` of API Management that is not a policy of its own (`set-header access-control-...`), or ends requests of other origins.

    Why:
        A browser lets a page ask any server and read nothing of the answer, unless the server says that it may. Whoever is let read as
        somebody else's page uses what the browser has of its user: its cookies, its place in a network, its address. A pattern names
        origins that do not exist yet: who registers one of them reads along. A preflight bears no credential, so nobody behind the
        gateway may be asked by it.

    Instead:
        A route for preflights that lets nothing on, and the same words at the door::

            kind: SecurityPolicy
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: a.preflight}]
              cors:
                allowOrigins: [https://app.abc.example]
                allowMethods: [GET]
                allowHeaders: [authorization]
                allowCredentials: false
                maxAge: 10m
              authorization: {defaultAction: Deny}
    """

    id = "A15"
    name = "scripts-of-named-origins"
    severity = Severity.HIGH
    frameworks = ("OWASP API8:2023", "CWE-942")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every rule of every route, that preflights are answered, and that nobody else speaks to browsers."""
        yield from super().judge(stack)
        for gateway in stack.gateways:
            if gateway.controller in {Controller.ENVOY_GATEWAY, Controller.KONG}:
                yield from self.over([gateway.gateway], lambda _, gateway=gateway: self._unanswered(gateway, stack))
        yield from self.over(stack.of("VirtualService.networking.istio.io"), lambda each: self._behind(each, stack))
        for front in fronts(stack):
            for directive in front.nginx.main.walk():
                if directive.name in {"add_header", "more_set_headers"} and directive.args[0].lower().startswith(PREFIX):
                    where = f"{directive.file}:{directive.line}: `{directive.name} {directive.args[0]}`"
                    yield self.broken(
                        front.resource, f"{where}: the edge says whose scripts may read answers", "leave it to the API gateway"
                    )

    def check(self, published: Published, stack: Stack) -> Iterator[Finding]:
        """Hold what one rule says to browsers against the doors behind it, and against the preflights that it takes."""
        said, blamed = said_by(published)
        wanted = {name: stack.preflights_by_door.get(name) for name in sorted(published.declared)}
        for name, answer in wanted.items():
            yield from self._held(published, blamed, said, answer, f"the door {name}")
        taken = _taken(published.rule, stack)
        for answer in taken:
            yield from self._held(published, blamed, said, answer, f"preflights for {', '.join(answer.doors)}")
        beyond = _beyond(published.rule, stack) if said is not None else []
        for place in beyond:
            message = f"for {published} of {published.route}: answers preflights for {place}, where no door has `cors`"
            yield self.broken(blamed, message, NAME_IT)
        if said is not None and not wanted and not taken and not beyond:
            yield self.broken(blamed, f"for {published} of {published.route}: speaks to browsers where no door has `cors`", NAME_IT)
        if published.rule.filters and _of_preflights_alone(published.rule):
            kinds = ", ".join(str(each.get("type")) for each in published.rule.filters)
            yield self.broken(published.route, f"{published}: does more than answer preflights ({kinds})", "remove the filters")
        if published.rule.backends and not published.ends and (taken or _takes_preflights(published.rule)):
            methods = {method for door in published.declared.values() for method in door.methods}
            if PREFLIGHT not in methods:
                yield self.broken(
                    published.route,
                    f"{published}: {PREFLIGHT} requests go on to {', '.join(each.name for each in published.rule.backends)}",
                    "deny whatever is no preflight: `authorization: {defaultAction: Deny}`, or request-termination",
                )

    def _held(self, published: Published, blamed: Resource, said: Said | None, answer: Preflight | None, whose: str) -> Iterator[Finding]:
        where = f"for {published} of {published.route}: "
        if answer is None:
            if said is not None:
                yield self.broken(blamed, f"{where}speaks to browsers for {whose}, which has no `cors`", NAME_IT)
        elif said is None:
            yield self.broken(published.route, f"{published}: says nothing to browsers for {whose}, which names `{answer.policy}`", NAME_IT)
        else:
            for each in wrong(said, answer):
                yield self.broken(blamed, f"{where}{each} ({whose})", NAME_IT)

    def _unanswered(self, gateway: ApiGateway, stack: Stack) -> Iterator[Finding]:
        """Check that some rule takes the preflights for each path."""
        for answer in stack.preflights:
            serving = [listener for listener in gateway.listeners if listener.hostname in {"*", answer.host}]
            for path in answer.paths if serving else ():
                if not any(_answers(listener, answer.host, path) for listener in serving):
                    yield self.broken(
                        gateway.gateway,
                        f"no route takes the preflights for {answer.host}{path}, which `{answer.policy}` of the topology answers",
                        f"match {PREFLIGHT} there",
                    )

    def _behind(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        """Check that a mesh says nothing of it, and that no service does through its ingress."""
        mine = {f"{each.namespace}/{each.name}" for each in stack.of("Gateway.networking.istio.io")}
        bound = [each for each in resource.at("spec", "gateways", default=[]) if each in mine or f"{resource.namespace}/{each}" in mine]
        hosts = set(stack.intent.public_hosts()) & set(resource.at("spec", "hosts", default=[]))
        for number, route in enumerate(map(mapping, resource.at("spec", "http", default=[]))):
            name = f"route {route.get('name') or number}"
            if route.get("corsPolicy") is not None:
                yield self.broken(resource, f"{name}: says whose scripts may read answers (corsPolicy)", "leave it to the API gateway")
            response = [
                mapping(mapping(part.get("headers")).get("response")) for part in (route, *map(mapping, sequence(route.get("route"))))
            ]
            written = {str(each).lower() for edit in response for verb in ("set", "add") for each in mapping(edit.get(verb))}
            if strange := sorted(each for each in written if each.startswith(PREFIX)):
                yield self.broken(resource, f"{name}: says whose scripts may read answers ({strange[0]})", "leave it to the API gateway")
            gone = {str(each).lower() for each in sequence(response[0].get("remove"))}
            if bound and hosts and route.get("route") and (kept := [each for each in LIFTED if each not in gone]):
                yield self.broken(
                    resource,
                    f"{name}: a service's own {kept[0]} reaches browsers, which the gateway alone may tell",
                    f"remove {', '.join(LIFTED)} from answers (headers.response.remove)",
                )


def said_by(published: Published) -> tuple[Said | None, Resource]:
    """Return what a rule tells browsers, and the resource that says it.

    Raises:
        UnknownValueError: if a part is not known.
    """
    if published.is_kong:
        found = [each for each in published.plugins if each.name == "cors"]
        if len(found) > 1:
            raise UnknownValueError(", ".join(str(each.resource) for each in found), "several plugins `cors`, of which Kong heeds one")
        return (of_plugin(found[0]), found[0].resource) if found else (None, published.route)
    policy = published.policy("SecurityPolicy")
    spec: dict[str, Any] = mapping(policy.spec) if policy else {}
    return of_security_policy(spec), policy or published.route


def _taken(rule: Rule, stack: Stack) -> list[Preflight]:
    """Return the preflights of which a rule takes some."""
    patterns = [pattern for match in rule.matches if match.method in {None, PREFLIGHT} for pattern in match.patterns]
    entries = [stack.preflights_by_path[host] for host in rule.hosts if host in stack.preflights_by_path]
    found = [
        answer for known in entries for pattern in patterns for entry, answer in known.about(pattern) if pattern.meet(entry) is not None
    ]
    return [each for index, each in enumerate(found) if each not in found[:index]]


def _beyond(rule: Rule, stack: Stack) -> list[str]:
    """Return the places at which a rule takes preflights, and no door has `cors` or not for all of them."""
    patterns = [pattern for match in rule.matches if match.method in {None, PREFLIGHT} for pattern in match.patterns]
    known = stack.preflights_by_path
    return [
        f"{host}{pattern}"
        for host in rule.hosts
        for pattern in patterns
        if host not in known or not any(pattern.within(entry) for entry, _ in known[host].about(pattern))
    ]


def _takes_preflights(rule: Rule) -> bool:
    return any(match.method == PREFLIGHT for match in rule.matches)


def _of_preflights_alone(rule: Rule) -> bool:
    return all(match.method == PREFLIGHT for match in rule.matches)


def _answers(listener: Listener, host: str, path: str) -> bool:
    """Say whether a rule of a listener takes all preflights for a path, whatever else they say."""
    entry = parse(path)
    return any(
        host in rule.hosts
        and rule.backends  # Envoy's filter stands aside on a route that answers by itself
        and match.method == PREFLIGHT
        and not match.headers
        and not match.conditional
        and any(entry.within(pattern) for pattern in match.patterns)
        for match, rule in listener.by_precedence.about(entry)
    )
