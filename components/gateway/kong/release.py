"""Values of Kong's chart: proxy and controller in one pod, the admin API on its loopback, one port that serves doors.

Without a database: what Kong serves is what its controller reads from the cluster. The chart makes no Service for the proxy; ours is
`gateway/gateway`. The one Service that it always makes, `gateway-metrics`, leads to ports that no NetworkPolicy opens.

The admission webhook is off: it would stand between the API server and every Secret of the cluster, and what it refuses, the controller
leaves out anyway. The chart was read at 3.4.1, Kong at 3.9.3, its controller at 3.5.13.
"""

from collections.abc import Iterable
from typing import Any, Final

from components.binding import Binding
from components.contracts import OutsideEdge
from components.gateway.kong import network
from components.scaling import BUDGET, spread
from topology.derive import names
from topology.model.base import Name, size_in_bytes
from topology.model.system import Topology

PLUGINS: Final = (
    "jwt", "key-auth", "acl", "rate-limiting", "request-size-limiting", "request-transformer", "response-transformer", "proxy-cache",
    "request-termination",
)  # fmt: skip
"""Every plugin that a door can have, and the one by which the controller answers 500 for a route without backend. No other is loaded."""
AT_THE_FIRST_PROXY: Final = ("correlation-id",)
"""Loaded too where the edge, outside the cluster, makes no request id."""

SECRETS: Final = "/etc/secrets"
"""Where the chart mounts Secrets, each in a folder of its name."""
AUTHORITY: Final = f"{SECRETS}/{names.GATEWAY_CLIENT_SECRET}/ca.crt"
"""Who signs the edge's and the mesh ingress's certificates. It outlives pods by years, so nginx may read it once."""

LOG_FORMAT: Final = "requests"
LOG: Final = {
    "time": "$time_iso8601",
    "request_id": f"$http_{names.REQUEST_ID_HEADER.replace('-', '_')}",
    "client": "$remote_addr",
    "edge": "$realip_remote_addr",
    "host": "$host",
    "method": "$request_method",
    "path": "$uri",
    "forwarded_path": "$upstream_x_forwarded_path",
    "consumer": f"$http_{names.CONSUMER_HEADER.replace('-', '_')}",
    "tier": f"$http_{names.TIER_HEADER.replace('-', '_')}",
    "status": "$status",
    "received": "$request_length",
    "sent": "$bytes_sent",
    "seconds": "$request_time",
    "upstream": "$upstream_addr",
    "upstream_status": "$upstream_status",
    "upstream_seconds": "$upstream_response_time",
    "tls": "$ssl_protocol",
    "protocol": "$server_protocol",
}
"""One line of JSON for each request: who asked for what, and what came of it. No query string, no credential, no body.

The identity headers are read when the request is over, after a client's own copies are gone. `forwarded_path` is the path where nginx
itself answered, which calls its own error page `path`.
"""

UPSTREAM_MODULES: Final = ("proxy", "grpc")
"""nginx modules that pass requests on."""

OFF: Final = (
    "ingress-networkingv1", "ingress-class-networkingv1", "ingress-class-parameters", "udpingress", "tcpingress", "kongingress",
    "kongclusterplugin", "kong-upstream-policy", "kong-service-facade", "kong-vault", "kong-license", "kong-custom-entity",
)  # fmt: skip
"""Kinds that the controller does not look at: each would be another way to open a path or to change all of them."""
CACHE_SYNC: Final = "10s"
"""How long the controller collects objects before it configures a new proxy: a route that it saw before its plugins would be open."""

MEBIBYTE: Final = 2**20
BUFFERED_UPLOADS: Final = 32
"""Largest bodies that may be on a pod's scratch volume at one time."""


def values(binding: Binding, t: Topology, watched: Iterable[Name], edge: OutsideEdge | None = None) -> dict[str, Any]:
    """Return the values of the chart; `watched` are the namespaces that the controller looks at, `edge` one outside the cluster."""
    largest = max((size_in_bytes(door.max_body) for door in t.doors.values()), default=1)
    return {
        "fullnameOverride": names.GATEWAY,
        "image": _image(binding.image("kong")),
        "env": _environment(binding, largest, edge),
        "proxy": {
            "enabled": False,
            "nameOverride": names.GATEWAY,  # the Service by which the controller knows the Gateway's ports
            "http": {"enabled": False},
            "tls": {"enabled": True, "containerPort": network.POD_PORT, "parameters": ["http2"]},
        },
        "admin": {
            "enabled": False,
            "addresses": ["127.0.0.1"],
            "http": {"enabled": False},
            "tls": {"enabled": True},
        },
        "manager": {"enabled": False},
        "portal": {"enabled": False},
        "portalapi": {"enabled": False},
        "enterprise": {"enabled": False},
        "ingressController": {
            "image": _image(binding.image("kong-ingress-controller")),
            "watchNamespaces": list(watched),
            "createIngressClass": False,
            "admissionWebhook": {"enabled": False},
            "env": _controller(),
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        },
        "secretVolumes": [names.GATEWAY_CLIENT_SECRET],
        "podLabels": {names.LAYER_LABEL: names.GATEWAY},
        "replicaCount": binding.replicas.gateway,
        "podDisruptionBudget": {"enabled": binding.replicas.gateway > 1, **BUDGET},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "topologySpreadConstraints": spread(network.LABELS),
        "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
        "deployment": {"prefixDir": {"sizeLimit": f"{256 + BUFFERED_UPLOADS * -(-largest // MEBIBYTE)}Mi"}},
        **_restricted(),
    }


def upstream_tls() -> dict[str, str]:
    """Return how Kong speaks TLS to every upstream: it verifies the ingress, and shows the gateway's certificate.

    These are nginx's own directives, which Kong puts into its server block (kong.conf, "NGINX injected directives"). The variable in
    the certificate's path makes nginx read it at each handshake, so a renewed certificate is used at once; Kong's own `client_ssl`
    would read it once.
    """
    found = {"nginx_proxy_set": f"$gateway_identity {SECRETS}/{names.GATEWAY_CLIENT_SECRET}"}
    for module in UPSTREAM_MODULES:
        found |= {
            f"nginx_proxy_{module}_ssl_verify": "on",
            f"nginx_proxy_{module}_ssl_verify_depth": "1",
            f"nginx_proxy_{module}_ssl_trusted_certificate": AUTHORITY,
            f"nginx_proxy_{module}_ssl_certificate": "$gateway_identity/tls.crt",
            f"nginx_proxy_{module}_ssl_certificate_key": "$gateway_identity/tls.key",
            f"nginx_proxy_{module}_ssl_protocols": "TLSv1.2 TLSv1.3",
        }
    return found


def client_tls(edge: OutsideEdge | None = None) -> dict[str, str]:
    """Return what Kong asks of whoever connects: a client certificate of the boundary's authority, which only edge and gateway have.

    Its own certificate is that of the Gateway's listeners, which the controller keeps up to date. An edge outside the cluster has no
    certificate to show: NetworkPolicy and security groups admit nobody else (`OutsideEdge`).
    """
    own = {"ssl_cipher_suite": "intermediate", "ssl_session_tickets": "off"}  # TLS 1.2 and 1.3
    if edge:
        return own
    return {
        **own,
        "nginx_proxy_ssl_verify_client": "on",
        "nginx_proxy_ssl_verify_depth": "1",
        "nginx_proxy_ssl_client_certificate": AUTHORITY,
    }


def _environment(binding: Binding, largest: int, edge: OutsideEdge | None) -> dict[str, str]:
    """Return kong.conf: every key becomes `KONG_<KEY>`. All values are text, because the chart would turn `off` into a boolean."""
    fields = ",".join(f'"{key}":"{value}"' for key, value in LOG.items())
    return {
        "database": "off",
        # The router whose routes carry a priority of their own: it orders paths as the Gateway API says.
        "router_flavor": "expressions",
        "plugins": ",".join([*PLUGINS, *(AT_THE_FIRST_PROXY if edge else ())]),
        "untrusted_lua": "off",
        "anonymous_reports": "off",
        "nginx_worker_processes": "2",
        "port_maps": f"{names.HTTPS_PORT}:{network.POD_PORT}",
        "headers": "off",
        "headers_upstream": "off",
        # Only the edge can connect. It says one address, the client's, or says it last; these are the ranges in which it may be.
        "trusted_ips": ",".join(edge.addresses if edge else binding.inside),
        "real_ip_header": "X-Forwarded-For",
        "real_ip_recursive": "off",
        # A client's headers beyond this number would be passed on unread.
        "lua_max_req_headers": "1000",
        "nginx_proxy_underscores_in_headers": "off",
        "nginx_http_client_max_body_size": str(largest),
        "nginx_http_log_format": f"{LOG_FORMAT} escape=json '{{{fields}}}'",
        "proxy_access_log": f"/dev/stdout {LOG_FORMAT}",
        "admin_access_log": "off",
        "status_access_log": "off",
        **client_tls(edge),
        **upstream_tls(),
    }


def _controller() -> dict[str, str]:
    """Return the controller's flags: every key becomes `CONTROLLER_<KEY>`."""
    return {
        "gateway_to_reconcile": f"{names.GATEWAY_NAMESPACE}/{names.GATEWAY}",
        "init_cache_sync_duration": CACHE_SYNC,
        "anonymous_reports": "false",
        "metrics_bind_address": "127.0.0.1:10255",
        **{f"enable_controller_{kind.replace('-', '_')}": "false" for kind in OFF},
    }


def _image(image: str) -> dict[str, str]:
    """Return an image as the chart wants it: `repository` and, after the first colon behind the last slash, `tag`."""
    folder, _, name = image.rpartition("/")
    base, _, tag = name.partition(":")
    return {"repository": f"{folder}/{base}" if folder else base, "tag": tag}


def _restricted() -> dict[str, Any]:
    """Return what the Pod Security Standard `restricted` asks of pod and containers."""
    return {
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containerSecurityContext": {
            "enabled": True,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
            "capabilities": {"drop": ["ALL"]},
        },
    }
