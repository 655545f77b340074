"""The way from Kong to a mesh's ingress: mutual TLS, the client's own Host as SNI, one try.

What Kong speaks to a Service is said by annotations on that Service, and one Service speaks one protocol. So Kong has Services of its own
in front of the ingress's pods, one for each protocol that some door into the mesh speaks; nobody else uses them.

The gateway's certificate and the authority that verifies the ingress are settings of all Kong (`release.upstream_tls`): by annotation
they would need the gateway's private key in the ingress's namespace, and a Secret with an id that cert-manager does not write. Kong
verifies the name it asks for, which is the Host it passes on: every public host is a DNS name in the ingress's certificate.
"""

from collections.abc import Iterator
from typing import Any, Final

from components.contracts import IngressOutputs
from components.gateway import routes
from topology.derive.manifest import Manifest, manifest
from topology.model.base import Name, seconds
from topology.model.door import Door
from topology.model.service import Protocol
from topology.model.system import Topology

SCHEMES: Final = {Protocol.HTTP: "https", Protocol.WEBSOCKET: "https", Protocol.GRPC: "grpcs"}
"""What Kong speaks to the ingress; a WebSocket begins as HTTP/1.1."""
CONNECT_TIMEOUT: Final = 5.0
"""Seconds."""
LEAST_IDLE: Final = 300.0
"""Seconds of silence after which a stream is closed, at least: Envoy's default for idle streams behind."""


def lane(protocol: Protocol) -> Name:
    """Return the name of the Service by which Kong speaks a protocol to an ingress."""
    return f"kong-{protocol}"


def lanes(t: Topology, mesh: Name) -> dict[Protocol, list[Door]]:
    """Return the protocols of the doors into a mesh, each with its doors."""
    found: dict[Protocol, list[Door]] = {}
    for door in t.doors.values():
        if t.mesh_of(door.service) == mesh:
            found.setdefault(routes.speaks(t, door), []).append(door)
    return found


def services(t: Topology, mesh: Name, ingress: IngressOutputs) -> Iterator[Manifest]:
    """Yield Kong's Services in front of a mesh's ingress."""
    port = {"name": ingress.port_name, "port": ingress.port, "targetPort": ingress.pod_port, "protocol": "TCP", "appProtocol": "https"}
    spec = {"type": "ClusterIP", "selector": dict(ingress.pod_labels), "ports": [port]}
    for protocol, doors in lanes(t, mesh).items():
        yield manifest("v1", "Service", lane(protocol), ingress.namespace, spec, annotations=_annotations(protocol, doors))


def grant(t: Topology, mesh: Name, ingress: IngressOutputs) -> Manifest:
    """Return the leave for the gateway's routes to send to these Services and to nothing else of the ingress's namespace."""
    found = lanes(t, mesh)
    kinds = sorted({routes.kind(t, door) for doors in found.values() for door in doors})
    return routes.grant(ingress.namespace, [lane(protocol) for protocol in found], kinds)


def backend(t: Topology, door: Door, ingress: IngressOutputs) -> dict[str, Any]:
    """Return where the requests of a door go."""
    return {
        "group": "",
        "kind": "Service",
        "namespace": ingress.namespace,
        "name": lane(routes.speaks(t, door)),
        "port": ingress.port,
    }


def _annotations(protocol: Protocol, doors: list[Door]) -> dict[str, str]:
    said = {
        "konghq.com/protocol": SCHEMES[protocol],
        "konghq.com/tls-verify": "true",
        "konghq.com/connect-timeout": _milliseconds(CONNECT_TIMEOUT),
        "konghq.com/retries": "0",  # the mesh tries again where the topology says so
    }
    if protocol is not Protocol.HTTP:
        # The routes of these doors carry no timeout: a stream ends when its ends like, or when it has been silent for long.
        idle = _milliseconds(max(LEAST_IDLE, *(seconds(door.timeout) for door in doors)))
        said |= {"konghq.com/read-timeout": idle, "konghq.com/write-timeout": idle}
    return said


def _milliseconds(length: float) -> str:
    return str(round(length * 1000))
