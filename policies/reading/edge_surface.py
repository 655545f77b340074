"""What at an edge is outside of what is read: directives of nginx, its image, its container, what is mounted over its files.

Everything that is not known to be harmless is a doubt: the list of what nginx can do is longer than any list of what it must not.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from policies.reading.nginx import Directive, Nginx
from policies.reading.values import mapping, sequence

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
    | frozenset(
        {"if", "limit_except", "location", "return", "set", "rewrite", "internal", "proxy_pass", "grpc_pass", "deny", "allow", "break"}
    ),
    "if": frozenset({"add_header", "return", "break", "deny", "proxy_pass", "modsecurity"}),
    "limit_except": frozenset({"allow", "deny"}),
}
"""Directives by the block they stand in, of which this reader or a rule knows the effect (https://nginx.org/en/docs/dirindex.html)."""

DATA: Final = frozenset({"map", "types", "stream"})
"""Blocks whose lines are no directives of a request, or that another rule refuses as a whole."""

MODSECURITY_MODULE: Final = re.compile(r"^(?:(?:/usr/lib/nginx/|/etc/nginx/)?modules/)?ngx_http_modsecurity_module\.so$")

IMAGE: Final = re.compile(r"^(?:[^@]*/)?owasp/modsecurity-crs(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?$")
"""The image that carries nginx, the module and the core rule set."""

IMAGE_FOLDERS: Final = ("/opt/owasp-crs", "/etc/modsecurity.d", "/etc/nginx", "/usr", "/lib", "/bin", "/sbin", "/etc/ld.so.preload")
"""Where that image keeps what it runs."""

LOADED: Final = re.compile(r"^(LD_|GLIBC_|OPENSSL_|NGINX$|MALLOC_)")
"""Variables that change what a program loads, or which sockets it takes over."""

COMMANDS: Final = frozenset({"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"})

INJECTED: Final = frozenset({"istio-proxy"})


def doubts(nginx: Nginx) -> Iterator[str]:
    """Yield everything about a public nginx that may change what it does and that is not read."""
    yield from _directives(nginx.main, "main")
    containers = [each for each in nginx.pod.containers if each.get("name") not in INJECTED]
    lasting = [each for each in nginx.pod.init_containers if each.get("restartPolicy")]
    if len(containers) + len(lasting) > 1:
        names = ", ".join(str(each.get("name")) for each in (*containers, *lasting))
        yield f"the {nginx.pod} have several containers ({names}), any of which may answer at the public address"
    for part in ("hostAliases", "dnsConfig"):
        if nginx.pod.spec.get(part):
            yield f"the {nginx.pod} have {part}, so names may lead elsewhere"
    for container in containers:
        yield from _container(nginx, container)


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


def _container(nginx: Nginx, container: Mapping[str, Any]) -> Iterator[str]:
    where = f"container {container.get('name')} of the {nginx.pod}"
    image = str(container.get("image") or "")
    if not IMAGE.match(image):
        yield f"{where}: whether the image {image} holds ModSecurity and the core rule set is not known"
    yield from _command(container, where)
    for entry in sequence(container.get("env")):
        if LOADED.match(str(entry["name"])):
            yield f"{where}: the variable {entry['name']} changes what the program loads"
    if container.get("envFrom"):
        yield f"{where}: envFrom sets variables that are not read"
    for handler in ("postStart", "preStop"):
        if mapping(mapping(container.get("lifecycle")).get(handler)).get("exec"):
            yield f"{where}: {handler} runs a command"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if mapping(container.get(probe)).get("exec"):
            yield f"{where}: {probe} runs a command"
    yield from _mounts(nginx, container, where)


def _command(container: Mapping[str, Any], where: str) -> Iterator[str]:
    words = [str(word) for word in (*sequence(container.get("command")), *sequence(container.get("args")))]
    if not words:
        return
    options = dict(zip(words[1::2], words[2::2], strict=False))
    known = all(name in {"-c", "-e"} or (name == "-g" and value == "daemon off;") for name, value in options.items())
    if words[0] not in COMMANDS or len(words) % 2 == 0 or len(options) != len(words) // 2 or not known:
        yield f"{where}: the command {' '.join(words)} may do more than start nginx with this configuration"


def _mounts(nginx: Nginx, container: Mapping[str, Any], where: str) -> Iterator[str]:
    for mount in sequence(container.get("volumeMounts")):
        path = PurePosixPath(mount["mountPath"])
        read = any(file == str(path) or PurePosixPath(file).is_relative_to(path) for file in nginx.files)
        for folder in map(PurePosixPath, IMAGE_FOLDERS):
            over_rules = str(folder) == "/opt/owasp-crs" and path.is_relative_to(folder)
            if folder.is_relative_to(path) or (path.is_relative_to(folder) and (over_rules or not read)):
                yield f"{where}: {mount['mountPath']} is mounted over files of the image, so what nginx and ModSecurity read there is not known"
                break
    paths = [PurePosixPath(mount["mountPath"]) for mount in sequence(container.get("volumeMounts"))]
    for file in map(PurePosixPath, nginx.files):
        if sum(1 for path in paths if file.is_relative_to(path)) > 1:
            yield f"{where}: several volumes are mounted at {file}, and which one is read is not followed"
