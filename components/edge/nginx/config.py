"""The edge's nginx.conf. The ConfigMap alone decides what the edge does: nothing of the image's own configuration is read.

Written for nginx 1.22 (Debian) and later. Paths of this file and of the certificates are those of the pod.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from components.edge.ambiguous import AMBIGUOUS
from components.edge.nginx import headers, waf
from components.edge.nginx.balancer import MISDIRECTED, Balancer, nobody
from components.edge.nginx.locations import Cached, Credential, Location, locations
from components.edge.rates import address_limit
from topology.derive import names
from topology.model.base import HostName, seconds
from topology.model.service import Protocol
from topology.model.system import Topology

DIRECTORY: Final = "/etc/waf"
"""Where the ConfigMap is mounted."""
SERVER_CERTIFICATE: Final = "/etc/edge/server"
CLIENT_CERTIFICATE: Final = "/etc/edge/client"
"""Where the Secrets are mounted. `ca.crt` of the second verifies the gateway."""
HEALTH_PORT: Final = 8081
"""For the kubelet alone: on no Service, and no NetworkPolicy opens it."""

MARGIN: Final = 1.0
"""Seconds that the edge waits longer than the gateway, so that the gateway's own answer to a slow service arrives."""
WEBSOCKET_IDLE: Final = 300.0
"""Seconds without a frame after which a WebSocket is closed, at least: Envoy's default for idle streams behind."""

IDLE: Final = 60
"""Seconds for which a client's unused connection is kept."""

UNUSED: Final = 10
"""Seconds for which an unused connection to the gateway is kept. A pod whose node is gone closes none of them, and each then costs one
request its whole time limit: so few, and not for long."""

REFUSED: Final = {found.reason: f"~{'*' if found.any_case else ''}{found.regex}" for found in AMBIGUOUS}
"""Paths that layers might read differently, by the reason for refusing them, as a map of nginx says them."""

COOKIES: Final = 180
"""Cookies of one request at most: what Chromium keeps for a site, the most of the browsers. RFC 6265, 6.1, asks for 50 at least."""

COMPACT: Final = r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"
"""A JSON Web Signature in compact form (RFC 7515, 7.1)."""

LOG: Final = {
    "time": "$time_iso8601",
    "request_id": "$edge_request_id",
    "client": "$remote_addr",
    "host": "$host",
    "method": "$request_method",
    "path": "$path",
    "door": "$door",
    "status": "$status",
    "refused": "$refused$crowded",
    "received": "$request_length",
    "sent": "$bytes_sent",
    "seconds": "$request_time",
    "upstream_status": "$upstream_status",
    "upstream_seconds": "$upstream_response_time",
    "cache": "$upstream_cache_status",
    "tls": "$ssl_protocol",
    "protocol": "$server_protocol",
}
"""One line of JSON for each request: no query string, no credential, no body."""


def nginx_conf(t: Topology, gateway: str, balancer: Balancer | None = None) -> str:
    """Return nginx.conf.

    Args:
        t: the system.
        gateway: address of the API gateway, `host:port`.
        balancer: what ends clients' TLS in front; without it clients connect themselves.
    """
    lines = [
        "# Made from the topology. A change here is undone by the next deployment.",
        "daemon off;",
        "load_module modules/ngx_http_modsecurity_module.so;",
        "worker_processes 2;",
        "pid /tmp/nginx.pid;",
        "error_log stderr error;",
        *_block("events", ["worker_connections 4096;"]),
        *_block("http", _http(t, gateway, balancer)),
    ]
    return "\n".join(lines) + "\n"


def upstream(host: HostName, *, grpc: bool = False) -> str:
    """Return the name of the connections to the gateway that carry one host: a kept connection has the SNI it was opened with.

    gRPC has its own, for they speak HTTP/2: of one that another module opened, nginx says `no connection data found for keepalive http2
    connection`, and answers 502.
    """
    return f"gateway_{host.replace('.', '_')}{'_grpc' if grpc else ''}"


def quoted(text: str) -> str:
    """Return text as one parameter. A backslash before `"`, `'`, a backslash, `t`, `r` or `n` would be eaten; none stands there."""
    return '"' + text.replace('"', '\\"') + '"'


def _block(opening: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"{opening} {{"
    yield from (f"    {line}" for line in lines)
    yield "}"


def _http(t: Topology, gateway: str, balancer: Balancer | None) -> Iterator[str]:
    hosts = t.public_hosts()
    yield from (f"{kind}_temp_path /tmp/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    yield "server_tokens off;"
    yield "default_type application/octet-stream;"
    fields = ",".join(f'"{key}":"{value}"' for key, value in LOG.items())
    yield f"log_format requests escape=json '{{{fields}}}';"
    yield "access_log /dev/stdout requests;"
    yield ""
    yield from _waf()
    yield ""
    yield from _bounds(t, balancer)
    yield ""
    yield from _tls()
    yield ""
    yield from _maps(hosts, named=balancer is None)
    yield ""
    yield from _forwarding(t)
    yield ""
    for host in hosts:
        for grpc in sorted({place.protocol is Protocol.GRPC for place in locations(t, host)}):
            yield from _block(
                f"upstream {upstream(host, grpc=grpc)}", [f"server {gateway};", "keepalive 64;", f"keepalive_timeout {UNUSED}s;"]
            )
    yield from _block("server", _nobody() if balancer is None else nobody(grpc=_speaks_grpc(t)))
    for host in hosts:
        yield from _block("server", _host(t, host, named=balancer is None))
    yield from _block("server", _health())


def _waf() -> Iterator[str]:
    yield "modsecurity on;"
    yield f"modsecurity_rules_file {DIRECTORY}/{waf.FILE};"
    yield 'modsecurity_transaction_id "$edge_request_id";'
    yield "# Invalid names are dropped. One with an underscore is let through as far as the WAF, which answers 400: to some programs"
    yield "# `X_User` and `X-User` are the same, so dropping it silently would hide an attack."
    yield "ignore_invalid_headers on;"
    yield "underscores_in_headers on;"


def _bounds(t: Topology, balancer: Balancer | None) -> Iterator[str]:
    if balancer is not None:
        yield from balancer.real_address()
    limit = address_limit(t)
    yield f"limit_req_zone $binary_remote_addr zone=address:10m rate={limit.per_second}r/s;"
    yield f"limit_req zone=address burst={limit.burst} nodelay;"
    yield "limit_req_status 429;"
    yield "client_header_timeout 10s;"
    yield "client_body_timeout 10s;"
    yield "send_timeout 30s;"
    yield f"keepalive_timeout {balancer.keepalive if balancer else IDLE}s;"
    yield "reset_timedout_connection on;"
    yield "large_client_header_buffers 4 16k;"
    yield "client_body_buffer_size 64k;"
    yield "client_max_body_size 1;"
    yield "http2_max_concurrent_streams 100;"


def _tls() -> Iterator[str]:
    yield "# A variable makes nginx read the file at each handshake, so a renewed certificate is used at once."
    yield f'map "" $server_identity {{ default {SERVER_CERTIFICATE}; }}'
    yield f'map "" $client_identity {{ default {CLIENT_CERTIFICATE}; }}'
    yield "ssl_certificate $server_identity/tls.crt;"
    yield "ssl_certificate_key $server_identity/tls.key;"
    yield "ssl_protocols TLSv1.2 TLSv1.3;"
    yield "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;"
    yield "ssl_session_cache shared:tls:10m;"
    yield "ssl_session_tickets off;"


def _maps(hosts: Iterable[HostName], *, named: bool) -> Iterator[str]:
    yield "# The id of a request in the form of a UUID of version 4, whatever the client sent."
    pattern = "~^(?<u1>.{8})(?<u2>.{4}).(?<u3>.{3}).(?<u4>.{3})(?<u5>.{12})$"
    yield from _map("$request_id", "$edge_request_id", {pattern: "$u1-$u2-4$u3-8$u4-$u5"})
    if named:
        yield "# SNI in small letters; empty for a host that is not ours."
        yield from _map("$ssl_server_name", "$sni", {host: host for host in hosts})
    yield "# Paths that layers might read differently."
    yield from _map("$request_uri", "$refused", {pattern: reason for reason, pattern in REFUSED.items()})
    yield "# The firewall looks at each cookie: thousands in one request would cost it seconds."
    yield from _map("$http_cookie", "$crowded", {f"~^(?:[^;]*;){{{COOKIES}}}": "cookies"})
    yield "# The path alone, as it came: query strings carry secrets."
    yield from _map("$request_uri", "$path", {r"~^(?<asked>[\x21-\x3e\x40-\x7e]*)": "$asked"})
    yield "# A door sees the credential it asks for and no other."
    yield "# A token is told in one spelling: layers differ in what else they take for one."
    told = rf"~^(?:{Credential.JWT}|{Credential.ANY}):[Bb]earer +(?<bearer>{COMPACT})$"
    yield from _map('"$credential:$http_authorization"', "$edge_authorization", {told: "Bearer $bearer"})
    key = f"$http_{names.API_KEY_HEADER.replace('-', '_')}"
    yield from _map("$credential", "$edge_api_key", {Credential.API_KEY: key, Credential.ANY: key})
    yield "# Only a door to a WebSocket service upgrades, only to WebSocket, and only by version 13 of its handshake: never to h2c."
    yield from _map('"$websocket:$http_upgrade:$http_sec_websocket_version"', "$edge_upgrade", {"~*^yes:websocket:13$": "websocket"})
    yield from _map("$edge_upgrade", "$edge_connection", {"websocket": "upgrade"})
    yield "# A request that shows anything personal is neither answered from the cache nor kept in it."
    yield from _map('"$http_cookie$http_authorization"', "$personal", {"": ""}, default="1")


def _map(source: str, variable: str, values: dict[str, str], default: str = "") -> Iterator[str]:
    yield from _block(
        f"map {source} {variable}", [f"default {quoted(default)};", *(f"{quoted(k)} {quoted(v)};" for k, v in values.items())]
    )


def _forwarding(t: Topology) -> Iterator[str]:
    yield "proxy_http_version 1.1;"
    for module in _modules(t):
        yield f"{module}_connect_timeout 5s;"
        yield f"{module}_next_upstream off;"
        yield f"{module}_ssl_verify on;"
        yield f"{module}_ssl_verify_depth 2;"
        yield f"{module}_ssl_trusted_certificate {CLIENT_CERTIFICATE}/ca.crt;"
        yield f"{module}_ssl_certificate $client_identity/tls.crt;"
        yield f"{module}_ssl_certificate_key $client_identity/tls.key;"
        yield f"{module}_ssl_server_name on;"
        yield f"{module}_ssl_name $server_name;"
        yield f"{module}_ssl_protocols TLSv1.2 TLSv1.3;"
        yield f"{module}_ssl_session_reuse on;"
        for header, value in headers.SET.items():
            if module == "proxy" or header not in {"upgrade", "connection"}:
                yield f"{module}_set_header {header} {value};"
        yield from (f'{module}_set_header {header} "";' for header in headers.REMOVED if module == "proxy" or header != "te")
        yield from (f"{module}_hide_header {header};" for header in headers.HIDDEN)
    if any(place.cache for place in _everywhere(t)):
        yield "proxy_cache_path /tmp/cache levels=1:2 keys_zone=answers:10m max_size=256m inactive=10m use_temp_path=off;"
    yield 'add_header Strict-Transport-Security "max-age=31536000" always;'
    yield f"add_header {names.REQUEST_ID_HEADER} $edge_request_id always;"
    yield "add_header X-Cache-Status $upstream_cache_status always;"


def _modules(t: Topology) -> tuple[str, ...]:
    """Return the nginx modules that pass requests on: gRPC has one of its own."""
    return ("proxy", "grpc") if _speaks_grpc(t) else ("proxy",)


def _speaks_grpc(t: Topology) -> bool:
    return any(place.protocol is Protocol.GRPC for place in _everywhere(t))


def _everywhere(t: Topology) -> list[Location]:
    return [place for host in t.public_hosts() for place in locations(t, host)]


def _nobody() -> Iterator[str]:
    yield "# Whoever names no host of ours: no certificate for an unknown SNI, no service for an unknown Host."
    yield f"listen {names.EDGE_POD_PORT} ssl http2 default_server;"
    yield 'server_name "";'
    yield "ssl_reject_handshake on;"
    yield "set $door -;"
    yield f"return {MISDIRECTED};"


def _host(t: Topology, host: HostName, *, named: bool) -> Iterator[str]:
    yield f"listen {names.EDGE_POD_PORT} ssl http2;"
    yield f"server_name {host};"
    yield "set $door -;"
    yield f"set $credential {Credential.NONE};"
    yield "set $websocket no;"
    if named:
        yield f"if ($sni != $server_name) {{ return {MISDIRECTED}; }}"
    yield "if ($refused) { return 400; }"
    yield "if ($crowded) { return 400; }"
    places = locations(t, host)
    for place in places:
        yield from _place(host, place)
    if all((place.modifier, place.match) != ("", "/") for place in places):
        yield "location / { return 404; }"


def _place(host: HostName, place: Location) -> Iterator[str]:
    opening = " ".join(part for part in ("location", place.modifier, quoted(place.match)) if part)
    if not place.doors:
        yield f"{opening} {{ return 404; }}"
        return
    yield from _block(opening, _answer(host, place))


def _answer(host: HostName, place: Location) -> Iterator[str]:
    yield f"set $door {place.doors[0]};"
    yield f"set $credential {place.credential};"
    allow = quoted(", ".join(place.methods))
    yield f'if ($request_method !~ "^(?:{"|".join(place.methods)})$") {{ add_header Allow {allow} always; return 405; }}'
    yield f"client_max_body_size {place.max_body};"
    websocket, grpc = place.protocol is Protocol.WEBSOCKET, place.protocol is Protocol.GRPC
    wait = max(place.timeout, WEBSOCKET_IDLE) if websocket else place.timeout + MARGIN
    module = "grpc" if grpc else "proxy"
    yield f"{module}_read_timeout {round(wait * 1000)}ms;"
    yield f"{module}_send_timeout {round(wait * 1000)}ms;"
    if websocket:
        yield "set $websocket yes;"
    if place.cache:
        yield from _kept(place.cache)
    yield f"{module}_pass {'grpcs' if grpc else 'https'}://{upstream(host, grpc=grpc)};"


def _kept(cache: Cached) -> Iterator[str]:
    vary = "".join(f" $http_{header.replace('-', '_')}" for header in cache.vary)
    yield "proxy_cache answers;"
    yield f'proxy_cache_key "$request_method $server_name$request_uri{vary}";'
    yield "proxy_cache_convert_head off;"
    yield f"proxy_cache_valid 200 {max(1, int(seconds(cache.ttl)))}s;  # whole seconds: nginx knows no others here"
    yield "proxy_cache_lock on;"
    yield "proxy_cache_bypass $personal;"
    yield "proxy_no_cache $personal;"


def _health() -> Iterator[str]:
    yield f"listen {HEALTH_PORT};"
    yield "access_log off;"
    yield "location = /healthz { return 200; }"
    yield "location / { return 404; }"
