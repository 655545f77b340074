"""The only way out of a mesh: sidecar -> egress gateway, mutual TLS -> outside host, TLS checked against the public authorities.

An application speaks plain HTTP to its own sidecar, on port 80 for a host whose TLS port is 443, else on the host's own port number.
"""

from collections.abc import Iterator
from typing import Any, Final

from topology.derive import names, traffic
from topology.derive.identity import gateway_labels
from topology.derive.manifest import Manifest, manifest
from topology.derive.relations import Relations
from topology.model.base import Name
from topology.model.system import Egress

PUBLIC_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""The bundle of public certificate authorities in Istio's proxy image."""
PLAIN_HTTP_PORT: Final = 80
INTERNAL_HEADERS: Final = [*names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS, "x-forwarded-for", "x-forwarded-proto"]
"""What an outside host learns nothing of: who the client is, who the caller is, and how we are built."""


def asked_port(exit_: Egress) -> int:
    """Return the port on which an application asks for an outside host, in plain HTTP."""
    return PLAIN_HTTP_PORT if exit_.port == names.HTTPS_PORT else exit_.port


def documents(r: Relations, mesh: Name) -> Iterator[Manifest]:
    """Yield the objects of a mesh's egress; none where nothing goes out."""
    exits = r.egress_of_mesh[mesh]
    if not exits:
        return
    t, namespace = r.t, r.t.meshes[mesh].egress
    service = names.fqdn(names.EGRESS, namespace)
    everyone = {t.namespace_of(caller) for _, exit_ in exits for caller in exit_.services}
    servers = [
        {
            "port": {"number": names.HTTPS_PORT, "name": f"https-{name}", "protocol": "HTTPS"},
            "hosts": traffic.served([exit_.host]),
            "tls": {"mode": "ISTIO_MUTUAL"},
        }
        for name, exit_ in exits
    ]
    yield manifest(traffic.API, "Gateway", names.EGRESS, namespace, {"selector": gateway_labels(names.EGRESS), "servers": servers})
    subsets = [{"name": name, "trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL", "sni": exit_.host}}} for name, exit_ in exits]
    spec: dict[str, Any] = {"host": service, "exportTo": traffic.exported(namespace, everyone), "subsets": subsets}
    yield manifest(traffic.API, "DestinationRule", names.EGRESS, namespace, spec)
    for name, exit_ in exits:
        yield from _exit(r, namespace, service, name, exit_)


def _exit(r: Relations, namespace: Name, service: str, name: Name, exit_: Egress) -> Iterator[Manifest]:
    port = asked_port(exit_)
    seen_by = traffic.exported(namespace, (r.t.namespace_of(caller) for caller in exit_.services))
    yield manifest(
        traffic.API,
        "ServiceEntry",
        exit_.host,
        namespace,
        {
            "hosts": [exit_.host],
            "exportTo": seen_by,
            "location": "MESH_EXTERNAL",
            "resolution": "DNS",
            "ports": [{"number": port, "name": "http", "protocol": "HTTP", "targetPort": exit_.port}],
        },
    )
    verified = {
        "mode": "SIMPLE",
        "sni": exit_.host,
        "subjectAltNames": [exit_.host],
        "caCertificates": PUBLIC_AUTHORITIES,
    }
    # Only the egress gateway sees this rule: a sidecar that saw it would speak TLS to the outside by itself.
    outside = {"host": exit_.host, "exportTo": [traffic.HERE], "trafficPolicy": {"tls": verified}}
    yield manifest(traffic.API, "DestinationRule", exit_.host, namespace, outside)
    to_gateway = {"destination": {"host": service, "subset": name, "port": {"number": names.HTTPS_PORT}}}
    to_outside = {"destination": {"host": exit_.host, "port": {"number": port}}}
    own = f"{namespace}/{names.EGRESS}"
    yield manifest(
        traffic.API,
        "VirtualService",
        exit_.host,
        namespace,
        {
            "hosts": [exit_.host],
            "gateways": [traffic.MESH, own],
            "exportTo": seen_by,
            "http": [
                {"match": [{"gateways": [traffic.MESH], "port": port}], "route": [to_gateway], "retries": traffic.NO_RETRIES},
                {
                    "match": [{"gateways": [own]}],
                    "route": [to_outside],
                    "retries": traffic.NO_RETRIES,
                    "headers": {"request": {"remove": INTERNAL_HEADERS}},
                },
            ],
        },
    )
