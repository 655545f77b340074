"""Requests through an nginx: server by host, location by path, upstream, and what nginx shows the next hop."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from policies.reading.flow import PLAIN, Flow, Peer
from policies.reading.nginx import Directive, Location, Nginx, Server
from policies.reading.requests import ANY_METHOD
from policies.reading.values import UnknownValueError, mapping, sequence

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

_METHODS_NOT = re.compile(r"^\^\(?(?:\?:)?([A-Z|]+)\)?\$$")


def through_edge(walk: "Walk", flow: Flow, nginx: Nginx, port: int) -> None:
    """Follow requests through the servers of an nginx that listen on a port."""
    if streams := [directive for directive in nginx.main.all("stream")]:
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
            _server(walk, flow.with_requests(requests), nginx, server, port)


def _server(walk: "Walk", flow: Flow, nginx: Nginx, server: Server, port: int) -> None:
    def follow() -> None:
        if (reject := server.directive.get("ssl_reject_handshake")) and reject.args == ("on",):
            walk.refuse(flow, str(server), "it rejects the TLS handshake", server.config_map)
            return
        if returned := server.directive.get("return"):
            walk.refuse(flow, str(server), f"it answers {' '.join(returned.args)}", server.config_map)
            return
        _check(server.directive, str(server))
        _check(server.http, str(server))
        tls = any(listen.tls for listen in server.listens if listen.port == port)
        by = f"nginx server {' '.join(server.names) or '(default)'} on port {port}{'' if tls else ' (plain HTTP)'}"
        onward = replace(flow.hop(str(nginx.pod), by, server.config_map), roles=(*flow.roles, ROLE))
        methods = _methods(server.directive)
        for requests in onward.requests.by(methods):
            _locations(walk, onward.with_requests(requests), nginx, server)

    walk.reading(flow, server.config_map, follow)


def _check(block: Directive, where: str) -> None:
    """Refuse to judge a block that sends or changes requests in ways that are not followed."""
    for directive in block.block:
        if directive.name in OPAQUE or (directive.name == "rewrite" and block.name in {"server", "http"}):
            raise UnknownValueError(f"{where}: {directive.name}", "a directive that is not followed")
        if directive.name == "if":
            strange = sorted({inner.name for inner in directive.block} - IN_IF)
            if strange:
                raise UnknownValueError(
                    f"{where}: if ({' '.join(directive.args)})", f"a condition that does more than refuse: {', '.join(strange)}"
                )


def _methods(block: Directive) -> tuple[str, ...] | None:
    """Return the methods that a block lets through; None where it does not say."""
    for directive in block.all("limit_except"):
        if any(inner.name == "deny" and inner.args == ("all",) for inner in directive.block):
            return tuple(dict.fromkeys((*directive.args, *(("HEAD",) if "GET" in directive.args else ()))))
    for directive in block.all("if"):
        if not any(inner.name == "return" for inner in directive.block) or directive.args[:1] != ("$request_method",):
            continue
        match directive.args[1:]:
            case ("!~", expression) if found := _METHODS_NOT.match(expression):
                return tuple(found[1].split("|"))
            case ("!=", method):
                return (method,)
            case _:
                continue
    return None


def _locations(walk: "Walk", flow: Flow, nginx: Nginx, server: Server) -> None:
    rest: Flow | None = flow
    for location in _in_order(server.locations):
        if rest is None:
            return
        patterns = location.patterns
        for requests in rest.requests.at(patterns):
            _location(walk, rest.with_requests(requests), nginx, server, location)
        left = rest.requests.minus(patterns)
        rest = replace(rest, requests=left) if left is not None else None
    if rest is not None:
        walk.refuse(rest, str(server), f"no location passes {rest.requests} on", server.config_map)


def _in_order(locations: tuple[Location, ...]) -> list[Location]:
    """Return locations in the order of their precedence: exact, `^~` by length, expressions as written, prefixes by length."""
    ranks: Mapping[str, int] = {"=": 0, "^~": 1, "~": 2, "~*": 2, "": 3}
    public = [each for each in locations if each.modifier != "@" and each.directive.get("internal") is None]

    def key(position: int) -> tuple[int, int]:
        location = public[position]
        rank = ranks[location.modifier]
        return rank, position if rank == 2 else -len(location.path)

    return [public[position] for position in sorted(range(len(public)), key=key)]


def _location(walk: "Walk", flow: Flow, nginx: Nginx, server: Server, location: Location) -> None:
    block = location.directive
    place = f"{server} location {location.modifier} {location.path}".replace("  ", " ")

    def follow() -> None:
        if returned := block.get("return"):
            walk.refuse(flow, place, f"it answers {' '.join(returned.args)}", server.config_map)
            return
        if any(deny.args == ("all",) for deny in location.every("deny")) and not location.every("allow"):
            walk.refuse(flow, place, "it denies everyone", server.config_map)
            return
        _check(block, place)
        passing = block.get("proxy_pass") or block.get("grpc_pass")
        if passing is None:
            walk.refuse(flow, place, "it passes nothing on", server.config_map)
            return
        methods = _methods(block)
        for requests in flow.requests.by(methods):
            _pass(walk, flow.with_requests(requests), nginx, server, location, passing)
        if methods is not None and flow.requests.method not in {ANY_METHOD, *methods}:
            walk.refuse(flow, place, f"it lets {', '.join(methods)} through, not {flow.requests.method}", server.config_map)

    walk.reading(flow, server.config_map, follow)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Variables:
    """The values of variables at a location, as far as they follow from the configuration alone."""

    server: Server
    location: Location

    def text(self, text: str) -> str | None:
        """Return a text with its variables replaced; None where one is not known."""
        known = True

        def value(match: re.Match[str]) -> str:
            nonlocal known
            found = self.value(match[1] or match[2])
            known = known and found is not None
            return found or ""

        result = re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, text)
        return result if known else None

    def value(self, name: str, depth: int = 0) -> str | None:
        """Return the value of a variable."""
        if name == "server_name":
            return self.server.names[0] if self.server.names else ""
        for block in (self.location.directive, *reversed(self.location.inherited)):
            for directive in block.all("set"):
                if directive.args[0] == f"${name}":
                    return directive.args[1]
        for each in self._maps:
            if each.args[1] == f"${name}" and depth < 5:
                return self._mapped(each, depth)
        return None

    @cached_property
    def _maps(self) -> tuple[Directive, ...]:
        return tuple(self.server.http.all("map"))

    def _mapped(self, table: Directive, depth: int) -> str | None:
        source = table.args[0]
        value = source if "$" not in source else self.value(source.lstrip("$"), depth + 1)
        entries = {directive.name: directive.args[0] for directive in table.block if directive.args}
        if value is None:
            return None
        if value in entries:
            return entries[value]
        if any(key.startswith("~") for key in entries):
            return None
        return entries.get("default", "")


def _pass(walk: "Walk", flow: Flow, nginx: Nginx, server: Server, location: Location, passing: Directive) -> None:
    variables = _Variables(server=server, location=location)
    module = passing.name.removesuffix("_pass")
    url = variables.text(passing.args[0])
    match = re.match(r"^(?:(https?|grpcs?)://)?([^/:]+)(?::(\d+))?(/.*)?$", url or "")
    if match is None:
        raise UnknownValueError(f"{server}: {passing.name} {passing.args[0]}", "an address that cannot be read")
    scheme, host, port, uri = match[1] or "http", match[2], match[3], match[4]
    tls = scheme in {"https", "grpcs"}
    onward = _changed(flow, location, uri, server)
    onward = _headers(onward, location, variables, module, host)
    peer = _peer(walk, onward, nginx, location, variables, module, host) if tls else PLAIN
    onward = onward.hop(
        f"location {location.modifier} {location.path}".replace("  ", " "), f"{passing.name} {passing.args[0]}", server.config_map
    )
    addresses = nginx.upstreams.get(host)
    for name, number in _addresses(addresses, host, port, tls=tls):
        walk.connect(onward, (nginx.pod,), name, number, peer)


def _addresses(upstream: tuple[str, ...] | None, host: str, port: str | None, *, tls: bool) -> Iterator[tuple[str, int]]:
    for address in upstream or (f"{host}:{port}" if port else host,):
        name, colon, number = address.rpartition(":")
        yield (name, int(number)) if colon else (address, 80 if upstream or not tls else 443)


def _changed(flow: Flow, location: Location, uri: str | None, server: Server) -> Flow:
    """Return the flow with the path as nginx changes it: by the path of `proxy_pass`, or by `rewrite ... break`."""
    for directive in location.directive.all("rewrite"):
        match directive.args:
            case (pattern, target, "break") if (old := re.match(r"^\^((?:[\w/.~-]|\\.)*/?)\(\.\*\)\$?$", pattern)) and target.endswith(
                "$1"
            ):
                flow = flow.rewritten(re.sub(r"\\(.)", r"\1", old[1]), target.removesuffix("$1"))
            case _:
                raise UnknownValueError(f"{server}: rewrite {' '.join(directive.args)}", "a rewrite that cannot be read")
    if uri is None:
        return flow
    if location.modifier not in {"", "^~", "="}:
        raise UnknownValueError(f"{server}: location {location.modifier} {location.path}", "a location whose path nginx cannot replace")
    return flow.rewritten(location.path, uri)


def _headers(flow: Flow, location: Location, variables: _Variables, module: str, upstream: str) -> Flow:
    """Return the flow with `Host` and `Authorization` as nginx sends them."""
    settings = {each.args[0].lower(): each.args[1] for each in location.every(f"{module}_set_header") if len(each.args) > 1}
    host = settings.get("host", f"${module}_host")
    if host == f"${module}_host":
        flow = flow.rehost(upstream)
    elif host not in {"$host", "$http_host", "$server_name"}:
        written = variables.text(host)
        if written is None:
            raise UnknownValueError(f"{variables.server}: Host {host}", "a host that does not follow from the configuration")
        flow = flow.rehost(written)
    authorization = settings.get("authorization", "$http_authorization")
    if authorization != "$http_authorization":
        found = variables.value(authorization.lstrip("$")) if authorization.startswith("$") else authorization
        if found is not None and found != "$http_authorization":
            flow = replace(flow, token=False)
    return flow


def _peer(walk: "Walk", flow: Flow, nginx: Nginx, location: Location, variables: _Variables, module: str, host: str) -> Peer:
    def setting(name: str) -> str:
        found = location.get(f"{module}_{name}")
        return found.args[0] if found else ""

    sni = variables.text(setting("ssl_name")) or host if setting("ssl_name") else host
    if setting("ssl_server_name") != "on":
        sni = ""
    path = variables.text(setting("ssl_certificate"))
    if not path:
        return Peer(tls=True, sni=sni)
    for container in nginx.pod.containers:
        for mount in sequence(container.get("volumeMounts")):
            if path.startswith(mount["mountPath"].rstrip("/") + "/"):
                volume = next((each for each in nginx.pod.volumes if each["name"] == mount["name"]), None)
                secret = mapping(volume.get("secret")).get("secretName") if volume else None
                if secret and (certificate := walk.stack.certificates.of(nginx.pod.namespace, secret)):
                    walk.presented.add((nginx.pod.namespace, secret))
                    identity = certificate.identities[0] if certificate.identities else ""
                    return Peer(identity=identity, authority=certificate.authority, tls=True, sni=sni)
    walk.doubt(flow, nginx.config_map, f"{nginx.pod}: the certificate {path} is in no Secret that a Certificate of the program fills")
    return Peer(tls=True, sni=sni)
