"""The only way out of a mesh: sidecar -> egress gateway, mutual TLS -> outside host.

HTTP: an application speaks it in plain to its own sidecar, on port 80 for a host whose TLS port is 443, else on the host's own port
number; the gateway speaks TLS to the host, checked against the public authorities.

TCP: an application connects to the host's own name and port; what it sends goes on as it is. Without HTTP no host is asked for, so the
sidecar tells hosts apart by address: each has a virtual one, under which its name is known in the pods of its callers.
"""

import hashlib
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Final

from topology.derive import names, traffic
from topology.derive.identity import gateway_labels
from topology.derive.manifest import Manifest, manifest
from topology.derive.relations import Relations
from topology.model.base import HostName, Name, ServiceName
from topology.model.system import Egress, OutsideProtocol

PUBLIC_AUTHORITIES: Final = "/etc/ssl/certs/ca-certificates.crt"
"""The bundle of public certificate authorities in Istio's proxy image."""
PLAIN_HTTP_PORT: Final = 80
INTERNAL_HEADERS: Final = [*names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS, "x-forwarded-for", "x-forwarded-proto"]
"""What an outside host learns nothing of: who the client is, who the caller is, and how we are built."""
VIRTUAL: Final = IPv4Network("240.241.0.0/16")
"""Virtual addresses: reserved (RFC 1112, 4), so that nobody has them, and beside 240.240.0.0/16, which istiod gives out itself.

https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/#address-auto-allocation
"""


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
    addresses = virtual_addresses(r, mesh)
    everyone = {t.namespace_of(caller) for _, exit_ in exits for caller in exit_.services}
    servers = [
        {
            "port": {"number": names.HTTPS_PORT, "name": f"{_SERVED[exit_.protocol].lower()}-{name}", "protocol": _SERVED[exit_.protocol]},
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
        seen_by = traffic.exported(namespace, (t.namespace_of(caller) for caller in exit_.services))
        to_gateway = {"destination": {"host": service, "subset": name, "port": {"number": names.HTTPS_PORT}}}
        if exit_.protocol is OutsideProtocol.TCP:
            yield from _bytes(exit_, namespace, seen_by, to_gateway, addresses[exit_.host])
        else:
            yield from _requests(exit_, namespace, seen_by, to_gateway)


def virtual_addresses(r: Relations, mesh: Name) -> Mapping[HostName, str]:
    """Return the virtual address of each host that a mesh calls over TCP: by the host's name, so that no other host's coming changes it.

    Where two meet, the later one in the alphabet takes the next.
    """
    found: dict[IPv4Address, HostName] = {}
    for host in sorted(exit_.host for _, exit_ in r.egress_of_mesh[mesh] if exit_.protocol is OutsideProtocol.TCP):
        place = int.from_bytes(hashlib.sha256(host.encode()).digest()[:4])
        while (address := VIRTUAL[place % VIRTUAL.num_addresses]) in found:
            place += 1
        found[address] = host
    return {host: str(address) for address, host in found.items()}


def aliases(r: Relations, caller: ServiceName) -> list[dict[str, Any]]:
    """Return the `hostAliases` of a service's pods: the hosts that it calls over TCP, by their virtual addresses."""
    hosts = sorted({exit_.host for exit_ in r.egress_of[caller] if exit_.protocol is OutsideProtocol.TCP})
    if not hosts:
        return []
    addresses = virtual_addresses(r, r.t.mesh_of(caller))
    return [{"ip": addresses[host], "hostnames": [host]} for host in hosts]


_SERVED: Final = {OutsideProtocol.HTTP: "HTTPS", OutsideProtocol.TCP: "TLS"}
"""Protocol of a server's port: what the proxy looks for within the mutual TLS, requests or bytes."""


def _bytes(exit_: Egress, namespace: Name, seen_by: list[str], to_gateway: dict[str, Any], address: str) -> Iterator[Manifest]:
    """Yield the way of bytes to a host."""
    port = {"number": exit_.port, "name": "tcp", "protocol": "TCP"}
    yield _entry(exit_, namespace, seen_by, port, addresses=[address])
    own = f"{namespace}/{names.EGRESS}"
    to_outside = {"destination": {"host": exit_.host, "port": {"number": exit_.port}}}
    routes = [
        {"match": [{"gateways": [traffic.MESH], "port": exit_.port}], "route": [to_gateway]},
        {"match": [{"gateways": [own], "port": names.HTTPS_PORT}], "route": [to_outside]},
    ]
    yield _routes(exit_, namespace, seen_by, tcp=routes)


def _requests(exit_: Egress, namespace: Name, seen_by: list[str], to_gateway: dict[str, Any]) -> Iterator[Manifest]:
    """Yield the way of requests to a host, which the gateway encrypts."""
    port = asked_port(exit_)
    yield _entry(exit_, namespace, seen_by, {"number": port, "name": "http", "protocol": "HTTP", "targetPort": exit_.port})
    verified = {
        "mode": "SIMPLE",
        "sni": exit_.host,
        "subjectAltNames": [exit_.host],
        "caCertificates": PUBLIC_AUTHORITIES,
    }
    # Only the egress gateway sees this rule: a sidecar that saw it would speak TLS to the outside by itself.
    outside = {"host": exit_.host, "exportTo": [traffic.HERE], "trafficPolicy": {"tls": verified}}
    yield manifest(traffic.API, "DestinationRule", exit_.host, namespace, outside)
    own = f"{namespace}/{names.EGRESS}"
    to_outside = {"destination": {"host": exit_.host, "port": {"number": port}}}
    onward = {"headers": {"request": {"remove": INTERNAL_HEADERS}}}
    routes = [
        {"match": [{"gateways": [traffic.MESH], "port": port}], "route": [to_gateway], "retries": traffic.NO_RETRIES},
        {"match": [{"gateways": [own]}], "route": [to_outside], "retries": traffic.NO_RETRIES, **onward},
    ]
    yield _routes(exit_, namespace, seen_by, http=routes)


def _entry(exit_: Egress, namespace: Name, seen_by: list[str], port: dict[str, Any], **more: Any) -> Manifest:
    spec = {"hosts": [exit_.host], "exportTo": seen_by, "location": "MESH_EXTERNAL", "resolution": "DNS", "ports": [port], **more}
    return manifest(traffic.API, "ServiceEntry", exit_.host, namespace, spec)


def _routes(exit_: Egress, namespace: Name, seen_by: list[str], **routes: list[dict[str, Any]]) -> Manifest:
    gateways = [traffic.MESH, f"{namespace}/{names.EGRESS}"]
    return manifest(
        traffic.API, "VirtualService", exit_.host, namespace, {"hosts": [exit_.host], "gateways": gateways, "exportTo": seen_by, **routes}
    )
