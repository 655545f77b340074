"""W11: the edge lets the doors' requests through, and answers all others by itself."""

import re
from collections.abc import Iterator
from typing import Final

from policies.edge_rule import EdgeRule
from policies.reading.compare import pattern_of
from policies.reading.door_samples import asked
from policies.reading.nginx import Directive, Location, Server
from policies.reading.nginx_conditions import methods_of
from policies.reading.nginx_doors import Places, refused
from policies.reading.nginx_variables import OF_NGINX, Variables
from policies.reading.patterns import Pattern
from policies.reading.stack import Stack
from policies.reading.waf import Front, Passage
from policies.rule import Finding, Severity
from topology.edges import ANY_METHOD, Direction
from topology.model.cors import PREFLIGHT

OUR_HOST: Final = re.compile(r"^https://(?P<host>[^/$]+|\$\{?(?:host|server_name)\}?)(?:/[^$]*)?(?:\$\{?request_uri\}?)?$")
"""Where a redirect may lead: to a host of the topology, over TLS."""

TELLING: Final = frozenset({"location", "refresh", "set-cookie", "content-type", "content-security-policy"})
"""Headers of an answer by which browsers go elsewhere, keep something, or run something."""


class W11(EdgeRule):
    """The edge lets the requests of the topology's doors through, and nothing else.

    Forbids:
        - a place in a public nginx, on whatever port, that sends on a host, a path or a method that no door of the topology has
          (`OPTIONS`, where a door has `cors`: browsers ask first by it);
        - a redirect to another host than the topology's, or to one that the request names;
        - an answer, or one of its headers, in which the edge writes what the client chose;
        - the same of rules of a cloud's gateway or load balancer, as far as it can tell requests apart: methods by all doors together,
          hosts by its firewall, too, and a redirect whether it is used or not;
        - a load balancer of AWS, or its firewall, that answers itself with anything but an empty refusal;
        - a place, a condition or a firewall that refuses what a door takes, be it `OPTIONS` at a door with `cors`, and a core rule set
          that was not set up, which refuses everything.

    Why:
        The gateway refuses what no route takes, and each route asks for its credential. An edge that sends everything on leaves
        that to one layer: one route too wide there, and nothing in front of it says no. And an edge that answers with what it
        was asked lends its name and certificate to whoever writes the link.

    Instead:
        One location for each door, with its methods; for the rest an answer of the edge's own::

            location /a/ {
              if ($request_method !~ "^(?:GET|POST)$") { return 405; }
              proxy_pass https://gateway;
            }
            location / { return 404; }
    """

    id = "W11"
    name = "edge-opens-doors-alone"
    severity = Severity.HIGH
    frameworks = ("OWASP API9:2023", "CWE-601")

    def check(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Hold every place that sends requests on against the doors, then look at what the edge answers."""
        for passage in front.passages:
            yield from self.over([front.resource], lambda _, passage=passage: self._passage(front, passage, stack))
        yield from self.over([front.resource], lambda _: self._refused(front, stack))
        for server in front.listening:
            for directive in server.directive.walk():
                if directive.name == "return":
                    yield from self._answer(front, server, directive, stack)
        for directive in front.nginx.main.walk():
            if directive.name == "add_header":
                yield from self._header(front, directive)

    def _passage(self, front: Front, passage: Passage, stack: Stack) -> Iterator[Finding]:
        doors = [edge for edge in stack.expected if edge.direction is Direction.NORTH_SOUTH]
        methods = _methods(passage)
        for host in _hosts(front, passage.server):
            for pattern in passage.location.patterns:
                entries = [edge for edge in doors if edge.host == host and pattern.within(pattern_of(edge.entry))]
                asked_first = {PREFLIGHT} if _asked_first(host, pattern, stack) else set[str]()
                beyond = sorted(methods - {edge.method for edge in entries} - asked_first)
                if beyond:
                    what = "any method" if ANY_METHOD in beyond else ", ".join(beyond)
                    yield self.broken(
                        front.resource,
                        f"{passage}: sends on {what} of {'every host' if host == '*' else host}{pattern}, which no door of the topology has",
                        "name host, path and methods of one door; answer 404 or 405 for the rest",
                    )

    def _refused(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Tell of requests that a door takes, or by which browsers ask first, and that do not come through: one for each place and reason."""
        told: set[tuple[str, str]] = set()
        places = Places(front)
        for request in asked(stack):
            for passage, reason in refused(front, places, request):
                if (str(passage), reason) not in told:
                    told.add((str(passage), reason))
                    yield self.broken(front.resource, f"{passage}: refuses {request}, which a door takes: {reason}", "let it through")

    def _answer(self, front: Front, server: Server, directive: Directive, stack: Stack) -> Iterator[Finding]:
        code, *rest = directive.args
        text = rest[0] if rest else "" if code.isdigit() else code
        where = f"{directive.file}:{directive.line}: `return {' '.join(directive.args)}`"
        if text and (not code.isdigit() or code.startswith("3")):
            match = OUR_HOST.match(text)
            if match is None or not (match["host"].startswith("$") or match["host"] in stack.intent.public_hosts()):
                yield self.broken(
                    front.resource,
                    f"{where}: sends clients to another place than the topology's hosts",
                    "redirect to https://$host$request_uri, or refuse",
                )
        elif chosen := _chosen(server, text):
            yield self.broken(
                front.resource, f"{where}: answers with what the client chose (${', $'.join(chosen)})", "answer with a text of your own"
            )

    def _header(self, front: Front, directive: Directive) -> Iterator[Finding]:
        name, value = directive.args[0].lower(), directive.args[1]
        chosen = sorted({each for server in front.listening for each in _chosen(server, value)})
        where = f"{directive.file}:{directive.line}: `add_header {name}`"
        if chosen:
            yield self.broken(
                front.resource, f"{where}: answers with what the client chose (${', $'.join(chosen)})", "write a text of your own"
            )
        elif name in TELLING:
            yield self.undecided(front.resource, f"{where}: tells browsers what to do with answers of services", "leave it to the services")


def _asked_first(host: str, pattern: Pattern, stack: Stack) -> bool:
    """Say whether browsers ask first at all paths of a pattern."""
    known = stack.preflights_by_path.get(host)
    return known is not None and any(pattern.within(entry) for entry, _ in known.about(pattern))


def _methods(passage: Passage) -> frozenset[str]:
    own, of_server = methods_of(passage.location.directive), methods_of(passage.server.directive)
    if own is None or of_server is None:
        return frozenset(own or of_server or (ANY_METHOD,))
    return frozenset(own) & frozenset(of_server)


def _hosts(front: Front, server: Server) -> tuple[str, ...]:
    """Return the hosts of which a server takes requests: its names, and every other one where it is a port's first."""
    first = {next(each for each in _on(front, listen.port)) for listen in server.listens}
    return ("*",) if server in first else tuple(name for name in server.names if name) or ("*",)


def _on(front: Front, port: int) -> list[Server]:
    """Return the servers of a port, the one for requests of no server's name first."""
    found = [each for each in front.listening if any(listen.port == port for listen in each.listens)]
    return sorted(found, key=lambda each: not any(listen.default for listen in each.listens if listen.port == port))


def _chosen(server: Server, text: str) -> tuple[str, ...]:
    """Return the variables in a text that are not nginx's own."""
    at = Location(directive=server.directive, modifier="", path="/", inherited=(server.main, server.http))
    return tuple(sorted(Variables(server=server, location=at).origins(text) - OF_NGINX))
