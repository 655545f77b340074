"""The WAF at the edge: every place where a public nginx passes requests on, and what ModSecurity does with them there first.

An nginx behind a load balancer of a cloud is as public as that.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.model import EDGE, Place
from policies.reading.exposure import Exposure
from policies.reading.modsecurity import CORE_RULE_SET, CORE_RULE_SET_SETUP, Directive, directives, followed
from policies.reading.nginx import Directive as NginxDirective
from policies.reading.nginx import Location, Nginx, Server
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError

if TYPE_CHECKING:
    from policies.reading.stack import Stack

PASSES: Final = ("proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "memcached_pass")
"""Directives that send a request on (https://nginx.org/en/docs/dirindex.html)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Front:
    """A public nginx: one address and the servers that listen behind it."""

    exposure: Exposure
    nginx: Nginx
    balancer: Place | None = None
    """The load balancer of a cloud that ends clients' TLS in front of it; None where clients connect to it themselves."""

    @property
    def resource(self) -> Resource:
        """Return the ConfigMap that holds its configuration."""
        return self.nginx.config_map

    @cached_property
    def servers(self) -> tuple[Server, ...]:
        """Return the servers that the public address reaches."""
        return tuple(server for server in self.nginx.servers if any(self.hears(listen.port) for listen in server.listens))

    @cached_property
    def listening(self) -> tuple[Server, ...]:
        """Return every server that anybody but the pod itself reaches: one port more in a Service or policy makes it public."""
        return tuple(server for server in self.nginx.servers if not all(listen.loopback for listen in server.listens))

    @cached_property
    def passages(self) -> tuple["Passage", ...]:
        """Return every place in those servers where a request is sent on."""
        return tuple(passage for server in self.listening for location in server.locations for passage in _passages(self, server, location))

    @cached_property
    def streams(self) -> tuple[NginxDirective, ...]:
        """Return servers that pass connections on without reading the requests in them (`stream`)."""
        return tuple(server for stream in self.nginx.main.all("stream") for server in stream.all("server"))

    def hears(self, port: int) -> bool:
        """Say whether the public address leads to a port."""
        return self.exposure.port in {0, port}


@dataclass(frozen=True, kw_only=True, eq=False)
class Passage:
    """One place where a public nginx sends requests on."""

    front: Front
    server: Server
    location: Location
    blocks: tuple[NginxDirective, ...]
    """The blocks around it, innermost first."""
    directive: NginxDirective
    """`proxy_pass` or the like."""

    def __str__(self) -> str:
        """Name the place as it is written."""
        where = " ".join(part for part in ("location", self.location.modifier, self.location.path) if part)
        return f"{where} of server {' '.join(self.server.names) or '(without name)'}"

    @property
    def module(self) -> str:
        """Return the prefix of the directives that shape what is sent: `proxy`, `grpc`, ..."""
        return self.directive.name.removesuffix("_pass")

    def get(self, name: str) -> NginxDirective | None:
        """Return the directive of a name that holds here."""
        return next((found for block in self.blocks if (found := block.get(name))), None)

    def every(self, name: str) -> tuple[NginxDirective, ...]:
        """Return the directives of a name that hold here: all of the innermost block that has one, as nginx inherits lists."""
        return next((found for block in self.blocks if (found := block.all(name))), ())

    @property
    def is_inspected(self) -> bool:
        """Say whether ModSecurity sees the requests."""
        switch = self.get("modsecurity")
        return switch is not None and switch.args == ("on",)

    @cached_property
    def headers(self) -> Mapping[str, tuple[str, ...]]:
        """Return the values that nginx gives to headers of requests, by their names in small letters."""
        values: defaultdict[str, list[str]] = defaultdict(list)
        for directive in self.every(f"{self.module}_set_header"):
            values[directive.args[0].lower()].append(directive.args[1] if len(directive.args) > 1 else "")
        return {name: tuple(given) for name, given in values.items()}

    @property
    def removed_headers(self) -> frozenset[str]:
        """Return the headers of which nothing that a client wrote is passed on."""
        # A variable may hold what the client wrote, directly or by a map; what nobody knows yet at the edge needs none.
        return frozenset(name for name, given in self.headers.items() if not any("$" in value for value in given))

    @cached_property
    def rules(self) -> tuple[Directive, ...]:
        """Return ModSecurity's directives that hold here; inner blocks add to outer ones.

        Raises:
            UnknownValueError: if some of them stand where the plan does not show them.
        """
        found: list[Directive] = []
        files = self.front.nginx.files
        for block in reversed(self.blocks):
            for directive in block.block:
                if directive.name == "modsecurity_rules_remote":
                    raise UnknownValueError(f"{directive.file}:{directive.line}", "rules from an address, which the plan does not show")
                if directive.name == "modsecurity_rules":
                    found += directives(directive.args[0], f"{directive.file}:{directive.line}")
                if directive.name == "modsecurity_rules_file":
                    if directive.args[0] not in files:
                        raise UnknownValueError(directive.args[0], "a file of the image, which the plan does not show")
                    found += followed(directive.args[0], files)
        return tuple(found)

    @property
    def has_core_rule_set(self) -> bool:
        """Say whether the OWASP core rule set is loaded.

        Raises:
            UnknownValueError: if a file is included of which it is not known what it holds.
        """
        loaded = False
        for directive in self.rules:
            if directive.key == "include":
                path = directive.arguments[0] if directive.arguments else ""
                loaded = loaded or bool(CORE_RULE_SET.match(path))
                if not CORE_RULE_SET.match(path) and not CORE_RULE_SET_SETUP.match(path):
                    raise UnknownValueError(f"{directive.place}: Include {path}", "a file of the image, which may switch anything off")
        return loaded


def fronts(stack: "Stack") -> tuple[Front, ...]:
    """Return every public nginx of a stack."""
    by_pod: dict[Pod, list[Nginx]] = {}
    for nginx in stack.nginx:
        by_pod.setdefault(nginx.pod, []).append(nginx)
    found = [
        Front(exposure=exposure, nginx=nginx) for exposure in stack.exposures for pod in exposure.pods for nginx in by_pod.get(pod, ())
    ]
    for balancer, exposure in _balanced(stack):
        behind = [nginx for pod in exposure.pods if stack.member(pod) is None for nginx in by_pod.get(pod, ())]
        found += [Front(exposure=exposure, nginx=nginx, balancer=balancer) for nginx in behind]
    return tuple(found)


def behind_balancers(stack: "Stack") -> tuple[Front, ...]:
    """Return every nginx that stands behind a load balancer of a cloud."""
    return tuple(front for front in fronts(stack) if front.balancer is not None)


def _balanced(stack: "Stack") -> Iterator[tuple[Place, Exposure]]:
    """Yield what stands behind the load balancers at the edge of a cloud, by load balancer."""
    edge = {station.place for station in stack.cloud.of(EDGE)}
    for service, places in stack.cloud.callers.items():
        for place in places if service.pods else ():
            for port in service.ports if place in edge else ():
                numbers = {pod: pod.port_number(port.target) for pod in service.pods}
                for number in sorted({number for number in numbers.values() if number is not None}):
                    pods = tuple(pod for pod, its in numbers.items() if its == number)
                    why = f"{place} sends requests to {service}"
                    yield place, Exposure(resource=service.resource, why=why, pods=pods, port=number, fix="take it out of the target group")


def _passages(front: Front, server: Server, location: Location) -> Iterator[Passage]:
    def within(block: NginxDirective, around: tuple[NginxDirective, ...]) -> Iterator[Passage]:
        blocks = (block, *around)
        for directive in block.block:
            if directive.name in PASSES:
                yield Passage(front=front, server=server, location=location, blocks=blocks, directive=directive)
            elif directive.name in {"if", "limit_except"}:
                yield from within(directive, blocks)

    yield from within(location.directive, tuple(reversed(location.inherited)))
