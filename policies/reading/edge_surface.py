"""What at an edge is outside of what is read: directives of nginx that may do anything.

Everything that is not known to be harmless is a doubt: the list of what nginx can do is longer than any list of what it must not.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from policies.reading.nginx import Directive, Nginx

_SHARED: Final = frozenset(
    [
        "access_log",
        "add_header",
        "client_body_buffer_size",
        "client_body_timeout",
        "client_header_timeout",
        "client_max_body_size",
        "default_type",
        "error_log",
        "gzip",
        "gzip_types",
        "gzip_vary",
        "gzip_proxied",
        "gzip_comp_level",
        "gzip_min_length",
        "ignore_invalid_headers",
        "keepalive_requests",
        "keepalive_timeout",
        "large_client_header_buffers",
        "client_header_buffer_size",
        "limit_conn",
        "limit_conn_status",
        "limit_rate",
        "limit_req",
        "limit_req_dry_run",
        "limit_req_log_level",
        "limit_req_status",
        "modsecurity",
        "modsecurity_rules",
        "modsecurity_rules_file",
        "modsecurity_rules_remote",
        "modsecurity_transaction_id",
        "proxy_buffer_size",
        "proxy_buffering",
        "proxy_buffers",
        "proxy_busy_buffers_size",
        "proxy_cache",
        "proxy_cache_bypass",
        "proxy_cache_convert_head",
        "proxy_cache_key",
        "proxy_cache_lock",
        "proxy_cache_valid",
        "proxy_no_cache",
        "proxy_connect_timeout",
        "proxy_hide_header",
        "proxy_http_version",
        "proxy_next_upstream",
        "proxy_read_timeout",
        "proxy_redirect",
        "proxy_request_buffering",
        "proxy_send_timeout",
        "proxy_set_header",
        "proxy_ssl_certificate",
        "proxy_ssl_certificate_key",
        "proxy_ssl_name",
        "proxy_ssl_protocols",
        "proxy_ssl_ciphers",
        "proxy_ssl_server_name",
        "proxy_ssl_session_reuse",
        "proxy_ssl_trusted_certificate",
        "proxy_ssl_verify",
        "proxy_ssl_verify_depth",
        "grpc_buffer_size",
        "grpc_connect_timeout",
        "grpc_hide_header",
        "grpc_next_upstream",
        "grpc_read_timeout",
        "grpc_send_timeout",
        "grpc_set_header",
        "grpc_ssl_certificate",
        "grpc_ssl_certificate_key",
        "grpc_ssl_name",
        "grpc_ssl_protocols",
        "grpc_ssl_ciphers",
        "grpc_ssl_server_name",
        "grpc_ssl_session_reuse",
        "grpc_ssl_trusted_certificate",
        "grpc_ssl_verify",
        "grpc_ssl_verify_depth",
        "real_ip_header",
        "real_ip_recursive",
        "reset_timedout_connection",
        "send_timeout",
        "sendfile",
        "server_tokens",
        "set_real_ip_from",
        "tcp_nodelay",
        "tcp_nopush",
        "underscores_in_headers",
        "http2_max_concurrent_streams",
    ]
)
_TLS: Final = frozenset(
    [
        "http2",
        "ssl_certificate",
        "ssl_certificate_key",
        "ssl_ciphers",
        "ssl_prefer_server_ciphers",
        "ssl_protocols",
        "ssl_session_cache",
        "ssl_session_tickets",
        "ssl_session_timeout",
        "ssl_reject_handshake",
        "ssl_ecdh_curve",
        "ssl_dhparam",
    ]
)

ACCEPTED: Final[Mapping[str, frozenset[str]]] = {
    "main": frozenset(
        ["daemon", "error_log", "events", "http", "load_module", "pid", "stream", "user", "worker_processes", "worker_rlimit_nofile"]
    ),
    "events": frozenset({"worker_connections", "multi_accept", "use"}),
    "http": _SHARED
    | _TLS
    | frozenset(
        [
            "client_body_temp_path",
            "fastcgi_temp_path",
            "limit_conn_zone",
            "limit_req_zone",
            "log_format",
            "map",
            "map_hash_bucket_size",
            "map_hash_max_size",
            "proxy_cache_path",
            "proxy_temp_path",
            "scgi_temp_path",
            "server",
            "server_names_hash_bucket_size",
            "server_names_hash_max_size",
            "types",
            "types_hash_max_size",
            "upstream",
            "uwsgi_temp_path",
            "variables_hash_bucket_size",
            "variables_hash_max_size",
        ]
    ),
    "upstream": frozenset({"server", "keepalive", "keepalive_timeout", "keepalive_requests", "zone", "least_conn", "random"}),
    "server": _SHARED | _TLS | frozenset({"if", "listen", "location", "return", "server_name", "set"}),
    "location": _SHARED
    | frozenset({"if", "limit_except", "location", "return", "set", "internal", "proxy_pass", "grpc_pass", "deny", "allow"}),
    "if": frozenset({"add_header", "return", "deny", "proxy_pass", "modsecurity"}),
    "limit_except": frozenset({"allow", "deny"}),
}
"""Directives by the block they stand in, of which this reader or a rule knows the effect (https://nginx.org/en/docs/dirindex.html).

Not among them are `break` and `rewrite`: they end the conditions that follow, by which methods and paths are refused.
"""

DATA: Final = frozenset({"map", "types", "stream"})
"""Blocks whose lines are no directives of a request, or that another rule refuses as a whole."""

MODSECURITY_MODULE: Final = re.compile(r"^(?:(?:/usr/lib/nginx/|/etc/nginx/)?modules/)?ngx_http_modsecurity_module\.so$")


def doubts(nginx: Nginx) -> Iterator[str]:
    """Yield everything in a public nginx's configuration that may change what it does and that is not read."""
    yield from _directives(nginx.main, "main")


def _directives(block: Directive, context: str) -> Iterator[str]:
    accepted = ACCEPTED[context]
    for directive in block.block:
        place = f"{directive.file}:{directive.line}"
        if directive.name not in accepted:
            yield f"{place}: `{directive.name}` in {context}: a directive of which it is not known what it does to the boundary"
        elif directive.name == "load_module" and not MODSECURITY_MODULE.match(directive.args[0]):
            yield f"{place}: load_module {directive.args[0]}: code of which nothing is known"
        elif directive.block and directive.name not in DATA:
            yield from _directives(directive, directive.name)
