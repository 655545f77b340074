"""Kong's own installation: without a database, its controller in the same pod, its admin interface on loopback alone."""

from collections.abc import Iterable
from typing import Any, Final

from components.binding import Binding
from components.contracts import CounterStore, IngressOutputs
from components.gateway.kong.doors import CLASS
from topology.derive import names, network
from topology.derive.manifest import Manifest, manifest
from topology.derive.workloads import SPREAD
from topology.model.base import Name, seconds
from topology.model.service import Protocol
from topology.model.system import Topology

CONTROLLER_NAME: Final = "konghq.com/kic-gateway-controller"
UNMANAGED: Final = {"konghq.com/gatewayclass-unmanaged": "true"}
"""The controller makes no proxies of its own: those of this Release serve the Gateway."""
LABELS: Final = {names.APP_LABEL: names.GATEWAY, names.LAYER_LABEL: names.GATEWAY}
POD_PORT: Final = 8443
SECRETS: Final = "/etc/secrets"  # noqa: S105 # where the chart mounts `secretVolumes`
MOST_PER_LEAST: Final = 4
"""So many times the least number of instances run under load."""
MOST_HEADERS: Final = 200
"""Request headers that plugins see. The edge lets fewer through, so none is out of their sight."""

LOG: Final = {
    "time": "$time_iso8601",
    "request_id": "$http_x_request_id",
    "client": "$remote_addr",
    "edge": "$ssl_client_s_dn",
    "host": "$host",
    "method": "$request_method",
    "path": "$uri",
    "consumer": "$http_x_perimeter_consumer",
    "tier": "$http_x_perimeter_tier",
    "status": "$status",
    "received": "$request_length",
    "sent": "$bytes_sent",
    "seconds": "$request_time",
    "upstream": "$upstream_addr",
    "upstream_status": "$upstream_status",
    "protocol": "$server_protocol",
}
"""One line of JSON for each request: who asked for what, and what came of it. No query string, no credential, no body."""

UPSTREAM_TLS: Final = {
    "ssl_verify": "on",
    "ssl_verify_depth": "1",
    "ssl_trusted_certificate": f"{SECRETS}/{names.GATEWAY_CLIENT_SECRET}/ca.crt",
    "ssl_protocols": "TLSv1.2 TLSv1.3",
}
"""How nginx, which Kong is, verifies the mesh's ingress. Set for all upstreams at once: Kong's own object for an authority wants an id
that cert-manager does not write."""


def values(binding: Binding, watched: Iterable[Name]) -> dict[str, Any]:
    """Return the values of the chart."""
    least = binding.replicas.gateway
    return {
        "image": _image(binding.image("kong")),
        "env": _settings(),
        "secretVolumes": [names.GATEWAY_SERVER_SECRET, names.GATEWAY_CLIENT_SECRET],
        "proxy": {
            "type": "ClusterIP",
            "http": {"enabled": False},
            "tls": {"enabled": True, "servicePort": names.HTTPS_PORT, "containerPort": POD_PORT, "parameters": ["http2"]},
        },
        # No Service; the listener on loopback stays, because the controller speaks to it.
        "admin": {"enabled": False, "type": "ClusterIP", "http": {"enabled": False}, "tls": {"enabled": True}},
        "manager": {"enabled": False},
        "portal": {"enabled": False},
        "ingressController": {
            "enabled": True,
            "image": _image(binding.image("kong-ingress-controller")),
            "ingressClass": CLASS,
            "createIngressClass": False,
            "watchNamespaces": list(watched),
            # What the webhook would refuse is refused before: by the judge, and by tests against the same definitions.
            "admissionWebhook": {"enabled": False},
            "env": {"kong_admin_tls_skip_verify": True, "anonymous_reports": False},
        },
        "podLabels": LABELS,
        "podAnnotations": {"kuma.io/gateway": None, "traffic.sidecar.istio.io/includeInboundPorts": None},
        "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1536Mi"}},
        "autoscaling": {"enabled": True, "minReplicas": least, "maxReplicas": MOST_PER_LEAST * least},
        "podDisruptionBudget": {"enabled": True, "maxUnavailable": 1},
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": LABELS}}
            for key in SPREAD["zones"]
        ],
    }


def upstreams(t: Topology, ingress: IngressOutputs, protocols: Iterable[Protocol]) -> list[Manifest]:
    """Return the Services by which Kong calls a mesh's ingress: one for each protocol, because Kong learns the protocol from a Service.

    They select the same pods as the ingress's own Service, which names no product.
    """
    return [_upstream(t, ingress, protocol) for protocol in protocols]


def upstream_name(protocol: Protocol) -> Name:
    """Return the name of the Service by which Kong calls an ingress in that protocol; WebSocket begins as HTTP."""
    return "kong-grpc" if protocol is Protocol.GRPC else "kong-http"


def fence(binding: Binding, ingresses: Iterable[IngressOutputs], counters: CounterStore | None) -> Manifest:
    """Return whom Kong accepts (the edge) and whom it calls (the meshes' ingresses; its controller, which is in its pod, the API server)."""
    egress = [network.dns(), network.ranges(binding.api_server, *binding.api_server_ports)]
    egress += [network.reach([network.pods(ingress.namespace, ingress.pod_labels)], ingress.pod_port) for ingress in ingresses]
    if counters is not None:
        egress.append(network.reach([network.pods(counters.namespace, counters.pod_labels)], counters.port))
    edge = network.layer(names.EDGE_NAMESPACE, names.EDGE)
    return network.policy(names.GATEWAY, names.GATEWAY_NAMESPACE, LABELS, ingress=[network.accept([edge], POD_PORT)], egress=egress)


def _settings() -> dict[str, str]:
    server, client = f"{SECRETS}/{names.GATEWAY_SERVER_SECRET}", f"{SECRETS}/{names.GATEWAY_CLIENT_SECRET}"
    fields = ",".join(f'"{key}":"{value}"' for key, value in LOG.items())
    settings = {
        "database": "off",
        # The only router that orders routes as the Gateway API does.
        "router_flavor": "expressions",
        "anonymous_reports": "off",
        "headers": "off",
        "headers_upstream": "off",
        "ssl_cert": f"{server}/tls.crt",
        "ssl_cert_key": f"{server}/tls.key",
        "ssl_cipher_suite": "intermediate",
        "client_ssl": "on",
        "client_ssl_cert": f"{client}/tls.crt",
        "client_ssl_cert_key": f"{client}/tls.key",
        # Only the edge can connect, and it says one address: the client's.
        "trusted_ips": "0.0.0.0/0,::/0",
        "real_ip_header": "X-Forwarded-For",
        "real_ip_recursive": "off",
        "lua_max_req_headers": str(MOST_HEADERS),
        "nginx_proxy_ssl_client_certificate": f"{server}/ca.crt",
        "nginx_proxy_ssl_verify_client": "on",
        "nginx_proxy_ssl_verify_depth": "1",
        "nginx_http_log_format": f"requests escape=json '{{{fields}}}'",
        "proxy_access_log": "/dev/stdout requests",
    }
    for module in ("proxy", "grpc"):
        settings |= {f"nginx_proxy_{module}_{key}": value for key, value in UPSTREAM_TLS.items()}
    return settings


def _upstream(t: Topology, ingress: IngressOutputs, protocol: Protocol) -> Manifest:
    grpc = protocol is Protocol.GRPC
    longest = max(seconds(door.timeout) for door in t.doors.values())
    annotations = {"konghq.com/protocol": "grpcs" if grpc else "https", "konghq.com/retries": "0"}
    if grpc:
        # A GRPCRoute has no timeout of its own in Kong.
        annotations |= {f"konghq.com/{kind}-timeout": str(round(longest * 1000)) for kind in ("read", "write")}
    port = {
        "name": ingress.port_name,
        "port": ingress.port,
        "targetPort": ingress.pod_port,
        "protocol": "TCP",
        "appProtocol": "https",
    }
    spec = {"type": "ClusterIP", "selector": dict(ingress.pod_labels), "ports": [port]}
    return manifest("v1", "Service", upstream_name(protocol), ingress.namespace, spec, annotations=annotations)


def _image(reference: str) -> dict[str, str]:
    """Return an image as the chart wants it. What follows the last colon is its tag: the chart joins both with a colon again."""
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag}
