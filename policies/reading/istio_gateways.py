"""Istio Gateways: servers on the proxies of a mesh, their TLS, and the VirtualServices bound to them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.services import Service
from policies.reading.values import mapping, sequence

HTTP: Final = frozenset({"HTTP", "HTTP2", "HTTP_PROXY", "HTTPS", "GRPC", "GRPC-WEB"})
"""Protocols of servers that read requests."""
OVER_TLS: Final = frozenset({"HTTPS", "TLS"})
"""Protocols of servers that speak TLS."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MeshServer:
    """One server of an Istio Gateway."""

    number: int
    protocol: str
    hosts: tuple[str, ...]
    """Without the namespace in front; from which namespaces routes may come is in `namespaces`."""
    namespaces: tuple[str, ...]
    """Namespace (or `*`, `.`) of each host, in the same order."""
    tls: Mapping[str, Any]

    @property
    def http(self) -> bool:
        """Say whether the proxy reads requests, within TLS or without; else it passes on bytes.

        https://istio.io/latest/docs/reference/config/networking/gateway/#Port, `IsHTTPServer` in istio: pkg/config/gateway
        """
        return self.protocol in HTTP

    @property
    def mode(self) -> str:
        """Return the TLS mode; empty for a server without TLS.

        Of a server for requests in plain, `tls` counts for nothing but a redirect; for bytes in plain, Istio's webhook takes none
        (`IsTLSServer` in istio: pkg/config/gateway, `validateServer` in pkg/config/validation).
        """
        if self.protocol not in OVER_TLS:
            return ""
        return str(self.tls.get("mode") or ("SIMPLE" if self.tls.get("credentialName") else ""))


@dataclass(frozen=True, kw_only=True, eq=False)
class MeshGateway:
    """An Istio Gateway and the pods that it configures."""

    resource: Resource
    pods: tuple[Pod, ...]
    servers: tuple[MeshServer, ...]

    def __str__(self) -> str:
        """Name the Gateway as people do."""
        return str(self.resource)

    @property
    def name(self) -> str:
        """Return the name by which VirtualServices are bound to it."""
        return f"{self.resource.namespace}/{self.resource.name}"

    def ports(self, server: MeshServer, pod: Pod, services: Callable[[Pod], tuple[Service, ...]]) -> Iterator[int]:
        """Yield the container ports of a server.

        A Gateway names the port of the Service in front of its pods; where no Service has it, the port of the pod itself.
        """
        found = False
        for service in services(pod):
            for port in service.ports:
                if port.port == server.number and (number := pod.port_number(port.target)) is not None:
                    found = True
                    yield number
        if not found:
            yield server.number


def mesh_gateway(resource: Resource, selected: Callable[[Resource], tuple[Pod, ...]]) -> MeshGateway:
    """Return the view of an Istio Gateway.

    Raises:
        UnknownValueError: if servers or selector are not known.
    """
    return MeshGateway(resource=resource, pods=selected(resource), servers=tuple(_servers(resource)))


def _servers(resource: Resource) -> Iterator[MeshServer]:
    for server in resource.at("spec", "servers", default=[]):
        pairs = [host.split("/", 1) if "/" in host else ["*", host] for host in sequence(server.get("hosts"))]
        yield MeshServer(
            number=server["port"]["number"],
            protocol=str(server["port"].get("protocol") or "").upper(),
            hosts=tuple(host.lower() for _, host in pairs),
            namespaces=tuple(namespace for namespace, _ in pairs),
            tls=mapping(server.get("tls")),
        )
