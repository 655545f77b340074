"""Requests through an nginx: server by host, location by path, upstream, and what nginx shows the next hop."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from policies.reading.flow import PLAIN, Flow, Peer, Sending
from policies.reading.nginx import Directive, Location, Nginx, Server
from policies.reading.nginx_conditions import methods_of, refuses
from policies.reading.nginx_variables import Variables
from policies.reading.values import UnknownValueError, mapping, sequence
from topology.edges import ANY_METHOD

if TYPE_CHECKING:
    from policies.reading.walk import Walk

ROLE: Final = "edge"

OPAQUE: Final = frozenset(
    {
        "fastcgi_pass",
        "uwsgi_pass",
        "scgi_pass",
        "memcached_pass",
        "content_by_lua_block",
        "content_by_lua_file",
        "access_by_lua_block",
        "rewrite_by_lua_block",
        "js_content",
        "perl",
        "mirror",
        "auth_request",
        "post_action",
        "proxy_bind",
    }
)
"""Directives that send or change requests in ways that are not followed."""

IN_IF: Final = frozenset(
    {"return", "set", "add_header", "break", "deny", "access_log", "client_max_body_size", "limit_rate", "proxy_set_header"}
)
"""Directives that may stand in an `if` without opening a way."""

IN_LIMIT: Final = frozenset({"allow", "deny"})
"""Directives that may stand in a `limit_except` without opening a way."""

_PREFIX_REWRITE = re.compile(r"^\^((?:[\w/.~-]|\\.)*/?)\(\.\*\)\$?$")


def through_edge(walk: "Walk", flow: Flow, nginx: Nginx, port: int, balancer: Peer | None = None) -> None:
    """Follow requests through the servers of an nginx that listen on a port.

    `balancer` is a load balancer that ends clients' TLS in front; without it clients ask for the server's name themselves.
    """
    if streams := nginx.main.all("stream"):
        raise UnknownValueError(f"{nginx.pod}: stream", f"raw connections, of which nothing is read ({len(streams)} blocks)")
    servers = [server for server in nginx.servers if any(listen.port == port for listen in server.listens)]
    if not servers:
        walk.refuse(flow, str(nginx.pod), f"no nginx server listens on port {port}", nginx.config_map)
    default = next(
        (s for s in servers if any(listen.default and listen.port == port for listen in s.listens)), servers[0] if servers else None
    )
    for server in servers:
        hosts = [name for name in server.names if name]
        if any(name.startswith("~") or name.endswith(".*") for name in hosts):
            raise UnknownValueError(str(server), "a server name that cannot be read")
        hosts = ["*" if name == "_" else f"*{name}" if name.startswith(".") else name for name in hosts]
        if server is default:
            hosts = ["*"]
        for requests in flow.requests.to(hosts):
            passage = _Passage(walk=walk, nginx=nginx, server=server, port=port, first=default, balancer=balancer)
            passage.enter(flow.with_requests(requests))


@dataclass(frozen=True, kw_only=True)
class _Passage:
    """Requests at one server of an nginx."""

    walk: "Walk"
    nginx: Nginx
    server: Server
    port: int
    first: Server | None
    """The port's own server, which takes connections that ask for no name."""
    balancer: Peer | None

    def enter(self, flow: Flow) -> None:
        """Follow requests into the server."""
        self.walk.reading(flow, self.server.config_map, lambda: self._serve(flow))

    def _serve(self, flow: Flow) -> None:
        server, walk = self.server, self.walk
        if (reject := server.directive.get("ssl_reject_handshake")) and reject.args == ("on",):
            walk.refuse(flow, str(server), "it rejects the TLS handshake", server.config_map)
            return
        if returned := server.directive.get("return"):
            walk.refuse(flow, str(server), f"it answers {' '.join(returned.args)}", server.config_map)
            return
        _check(server.directive, str(server))
        _check(server.http, str(server))
        tls = any(listen.tls for listen in server.listens if listen.port == self.port)
        if self.balancer is not None and (reason := self._refuses(self.balancer, tls=tls)):
            walk.refuse(flow, str(server), reason, server.config_map)
            return
        by = f"nginx server {' '.join(server.names) or '(default)'} on port {self.port}{'' if tls else ' (plain HTTP)'}"
        # A load balancer and the nginx behind it are one edge.
        roles = flow.roles if flow.roles[-1:] == (ROLE,) else (*flow.roles, ROLE)
        onward = replace(flow.hop(str(self.nginx.pod), by, server.config_map), roles=roles)
        for requests in onward.requests.by(methods_of(server.directive)):
            self._locations(onward.with_requests(requests))

    def _refuses(self, balancer: Peer, *, tls: bool) -> str:
        """Return why a load balancer gets no answer here; empty where it does. It asks for no name in TLS."""
        if balancer.tls is not tls:
            return "it asks for TLS" if tls else "it does not speak TLS"
        reject = self.first.directive.get("ssl_reject_handshake") if self.first and tls else None
        if reject is not None and reject.args == ("on",):
            return f"{self.first} rejects connections that ask for no name, and a load balancer asks for none"
        if tls and refuses(self.server, (self.server.directive,), {"ssl_server_name": "", "request_uri": "/"}):
            return "it refuses requests on connections that ask for no name, and a load balancer asks for none"
        return ""

    def _locations(self, flow: Flow) -> None:
        for hidden in self.server.locations:
            if _is_hidden(hidden) and (hidden.directive.get("proxy_pass") or hidden.directive.get("grpc_pass")):
                at = _At(server=self.server, location=hidden)
                self.walk.doubt(flow, self.server.config_map, f"{at} passes requests on, and which ones come to it is not followed")
        rest: Flow | None = flow
        for location in in_order(self.server.locations):
            if rest is None:
                return
            patterns = location.patterns
            for requests in rest.requests.at(patterns):
                at = _At(server=self.server, location=location)
                narrowed = rest.with_requests(requests)
                self.walk.reading(narrowed, self.server.config_map, lambda flow=narrowed, at=at: self._location(flow, at))
            left = rest.requests.minus(patterns)
            rest = replace(rest, requests=left) if left is not None else None
        if rest is not None:
            self.walk.refuse(rest, str(self.server), f"no location passes {rest.requests} on", self.server.config_map)

    def _location(self, flow: Flow, at: "_At") -> None:
        block, place, config_map = at.location.directive, str(at), self.server.config_map
        if returned := block.get("return"):
            self.walk.refuse(flow, place, f"it answers {' '.join(returned.args)}", config_map)
            return
        if any(deny.args == ("all",) for deny in at.location.every("deny")) and not at.location.every("allow"):
            self.walk.refuse(flow, place, "it denies everyone", config_map)
            return
        _check(block, place)
        passing = block.get("proxy_pass") or block.get("grpc_pass")
        if passing is None:
            self.walk.refuse(flow, place, "it passes nothing on", config_map)
            return
        methods = methods_of(block)
        for requests in flow.requests.by(methods):
            self._pass(flow.with_requests(requests), at, passing)
        if methods is not None and flow.requests.method not in {ANY_METHOD, *methods}:
            self.walk.refuse(flow, place, f"it lets {', '.join(methods)} through, not {flow.requests.method}", config_map)

    def _pass(self, flow: Flow, at: "_At", passing: Directive) -> None:
        url = at.text(passing.args[0])
        match = re.match(r"^(?:(https?|grpcs?)://)?([^/:]+)(?::(\d+))?(/.*)?$", url or "")
        if match is None:
            raise UnknownValueError(f"{self.server}: {passing.name} {passing.args[0]}", "an address that cannot be read")
        scheme, host, port, uri = match[1] or "http", match[2], match[3], match[4]
        tls, module = scheme in {"https", "grpcs"}, passing.name.removesuffix("_pass")
        onward = _headers(at.changed(flow, uri), at, module, host)
        peer = self._peer(onward, at, module, host) if tls else PLAIN
        onward = onward.hop(at.spelled, f"{passing.name} {passing.args[0]}", self.server.config_map)
        for name, number in _addresses(self.nginx.upstreams.get(host), host, port, tls=tls):
            self.walk.connect(onward, Sending(pods=(self.nginx.pod,), peer=peer), name, number)

    def _peer(self, flow: Flow, at: "_At", module: str, host: str) -> Peer:
        sni = at.setting(f"{module}_ssl_name") or host
        if at.setting(f"{module}_ssl_server_name") != "on":
            sni = ""
        path = at.setting(f"{module}_ssl_certificate")
        if not path:
            return Peer(tls=True, sni=sni)
        secret = _mounted(self.nginx, path)
        certificate = self.walk.stack.certificates.of(self.nginx.pod.namespace, secret)
        if certificate is None:
            message = f"{self.nginx.pod}: the certificate {path} is in no Secret that a Certificate of the program fills"
            self.walk.doubt(flow, self.nginx.config_map, message)
            return Peer(tls=True, sni=sni)
        self.walk.presented.add((self.nginx.pod.namespace, secret))
        identity = certificate.identities[0] if certificate.identities else ""
        return Peer(identity=identity, authority=certificate.authority, tls=True, sni=sni)


def _mounted(nginx: Nginx, path: str) -> str:
    """Return the Secret that a path in the pod comes from; empty for a path of the image."""
    volumes = {volume["name"]: volume for volume in nginx.pod.volumes}
    for container in nginx.pod.containers:
        for mount in sequence(container.get("volumeMounts")):
            if path.startswith(mount["mountPath"].rstrip("/") + "/") and mount["name"] in volumes:
                return mapping(volumes[mount["name"]].get("secret")).get("secretName") or ""
    return ""


def _check(block: Directive, where: str) -> None:
    """Refuse to judge a block that sends or changes requests in ways that are not followed."""
    for directive in block.block:
        if directive.name in OPAQUE or (directive.name == "rewrite" and block.name in {"server", "http"}):
            raise UnknownValueError(f"{where}: {directive.name}", "a directive that is not followed")
        if directive.name == "limit_except" and (strange := sorted({inner.name for inner in directive.block} - IN_LIMIT)):
            raise UnknownValueError(
                f"{where}: limit_except {' '.join(directive.args)}", f"an exception that does more: {', '.join(strange)}"
            )
        if directive.name == "if":
            strange = sorted({inner.name for inner in directive.block} - IN_IF)
            if strange:
                raise UnknownValueError(
                    f"{where}: if ({' '.join(directive.args)})", f"a condition that does more than refuse: {', '.join(strange)}"
                )


def _is_hidden(location: Location) -> bool:
    """Say whether clients cannot ask for a location: nginx itself goes there, after an error or by a header of an answer."""
    return location.modifier == "@" or location.directive.get("internal") is not None


def in_order(locations: tuple[Location, ...]) -> list[Location]:
    """Return locations in the order of their precedence: exact, `^~` by length, expressions as written, prefixes by length."""
    ranks: Mapping[str, int] = {"=": 0, "^~": 1, "~": 2, "~*": 2, "": 3}
    public = [each for each in locations if not _is_hidden(each)]

    def key(position: int) -> tuple[int, int]:
        location = public[position]
        rank = ranks[location.modifier]
        return rank, position if rank == 2 else -len(location.path)

    return [public[position] for position in sorted(range(len(public)), key=key)]


class _Sent(Enum):
    """What becomes of a header on its way through nginx."""

    PASSED = "passed on"
    REMOVED = "removed"
    FORGED = "set to a value that the client did not show"


_SAMPLES: Final = {"authorization": "Bearer aaa.bbb.ccc"}
"""What a client may show in a header, to see whether nginx passes it on."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _At:
    """One location of a server, and the values of variables there, as far as they follow from the configuration alone."""

    server: Server
    location: Location

    def __str__(self) -> str:
        """Name the location by its server."""
        return f"{self.server} {self.spelled}"

    @property
    def spelled(self) -> str:
        """Return the location as it is written."""
        return " ".join(part for part in ("location", self.location.modifier, self.location.path) if part)

    def setting(self, name: str) -> str:
        """Return the value of a directive that holds here, with its variables replaced; empty where there is none."""
        found = self.location.get(name)
        return (self.text(found.args[0]) or "") if found else ""

    def sends(self, header: str, value: str) -> _Sent:
        """Return what nginx makes of a client's header: it is asked with the header and without it."""
        sample = _SAMPLES.get(header, "sample")
        shown, empty = (Variables(server=self.server, location=self.location, headers=each).text(value) for each in ({header: sample}, {}))
        if empty:
            return _Sent.FORGED
        if shown is None or empty is None:
            return _Sent.FORGED
        return _Sent.PASSED if sample.rpartition(" ")[2] in shown else _Sent.REMOVED if not shown else _Sent.FORGED

    def changed(self, flow: Flow, uri: str | None) -> Flow:
        """Return the flow with the path as nginx changes it: by the path of `proxy_pass`, or by `rewrite ... break`."""
        for directive in self.location.directive.all("rewrite"):
            match directive.args:
                case (pattern, target, "break") if (old := _PREFIX_REWRITE.match(pattern)) and target.endswith("$1"):
                    flow = flow.rewritten(re.sub(r"\\(.)", r"\1", old[1]), target.removesuffix("$1"))
                case _:
                    raise UnknownValueError(f"{self}: rewrite {' '.join(directive.args)}", "a rewrite that cannot be read")
        if uri is None:
            return flow
        if self.location.modifier not in {"", "^~", "="}:
            raise UnknownValueError(str(self), "a location whose path nginx cannot replace")
        return flow.rewritten(self.location.path, uri)

    def text(self, text: str) -> str | None:
        """Return a text with its variables replaced; None where one does not follow from the configuration alone."""
        return Variables(server=self.server, location=self.location).text(text)


def _addresses(upstream: tuple[str, ...] | None, host: str, port: str | None, *, tls: bool) -> Iterator[tuple[str, int]]:
    for address in upstream or (f"{host}:{port}" if port else host,):
        name, colon, number = address.rpartition(":")
        yield (name, int(number)) if colon else (address, 80 if upstream or not tls else 443)


def _headers(flow: Flow, at: _At, module: str, upstream: str) -> Flow:
    """Return the flow with `Host` and `Authorization` as nginx sends them."""
    settings = {each.args[0].lower(): each.args[1] for each in at.location.every(f"{module}_set_header") if len(each.args) > 1}
    host = settings.get("host", f"${module}_host")
    if host == f"${module}_host":
        flow = flow.rehost(upstream)
    elif host not in {"$host", "$http_host", "$server_name"}:
        written = at.text(host)
        if written is None:
            raise UnknownValueError(f"{at}: Host {host}", "a host that does not follow from the configuration")
        flow = flow.rehost(written)
    sent = {name: at.sends(name, value) for name, value in settings.items() if name != "host"}
    forged = {name for name, how in sent.items() if how is _Sent.FORGED}
    return replace(flow, token=sent.get("authorization") is not _Sent.REMOVED, forged=flow.forged | forged)
