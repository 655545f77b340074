"""Services: names and ports in front of pods."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from policies.reading.pods import Pod, Pods
from policies.reading.resource import Resource
from policies.reading.values import sequence

CLUSTER_DOMAIN: Final = "cluster.local"
"""The DNS domain of the cluster (kubelet's default)."""


@dataclass(frozen=True, kw_only=True)
class ServicePort:
    """One port of a Service."""

    name: str
    port: int
    target: int | str
    """Container port, by number or by name."""
    transport: str
    """TCP, UDP or SCTP."""
    app_protocol: str
    node_port: int | None

    @property
    def protocol(self) -> str:
        """Return how Istio reads the port: `http`, `http2`, `grpc`, `tcp`, `tls`, `https` ..., `` where it must guess.

        https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
        """
        chosen = self.app_protocol or self.name.split("-")[0]
        return _PROTOCOLS.get(chosen.lower(), "" if self.transport == "TCP" else self.transport.lower())


_PROTOCOLS: Final = {
    "http": "http",
    "http2": "http2",
    "https": "https",
    "tcp": "tcp",
    "tls": "tls",
    "grpc": "grpc",
    "mongo": "mongo",
    "mysql": "mysql",
    "redis": "redis",
    "kubernetes.io/h2c": "http2",
    "kubernetes.io/ws": "http",
    "kubernetes.io/wss": "https",
}

HTTP_PROTOCOLS: Final = frozenset({"http", "http2", "grpc"})
"""Protocols in which Istio can tell methods and paths."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Service:
    """A Service of the program, or one that a chart or a controller makes."""

    resource: Resource
    namespace: str
    name: str
    type: str
    selector: Mapping[str, str] | None
    """None where the Service selects nothing: its endpoints are made by hand."""
    ports: tuple[ServicePort, ...]
    spec: Mapping[str, Any]
    pods: tuple[Pod, ...]
    maker: str = ""

    def __str__(self) -> str:
        """Name the Service as people do: `Service abc/b`."""
        return f"Service {self.namespace}/{self.name}"

    @cached_property
    def fqdn(self) -> str:
        """Return the full DNS name."""
        return f"{self.name}.{self.namespace}.svc.{CLUSTER_DOMAIN}"

    def port(self, wanted: int | str) -> ServicePort | None:
        """Return the port of a number or name."""
        return next((port for port in self.ports if wanted in {port.port, port.name}), None)


def service_of(resource: Resource, pods: Pods, *, maker: str = "") -> Service:
    """Return the view of a Service resource.

    Raises:
        UnknownValueError: if type, selector or ports are not known.
    """
    spec: Mapping[str, Any] = resource.at("spec", default={})
    selector = spec.get("selector")
    selector = dict(selector) if selector else None
    return Service(
        resource=resource,
        namespace=resource.namespace,
        name=resource.name,
        type=spec.get("type") or "ClusterIP",
        selector=selector,
        ports=tuple(_port(port) for port in sequence(spec.get("ports"))),
        spec=spec,
        pods=pods.with_labels(resource.namespace, selector) if selector else (),
        maker=maker,
    )


def _port(port: Mapping[str, Any]) -> ServicePort:
    number = int(port["port"])
    target = port.get("targetPort")
    return ServicePort(
        name=port.get("name") or "",
        port=number,
        target=number if target is None else target,
        transport=port.get("protocol") or "TCP",
        app_protocol=port.get("appProtocol") or "",
        node_port=port.get("nodePort"),
    )


def host_of(host: str, namespace: str) -> tuple[str, str] | None:
    """Return name and namespace of the Service that a host means inside the cluster, or None for any other host.

    Istio and Kubernetes complete `b` with the namespace it is used in; `b.abc`, `b.abc.svc` and the full name say it.
    """
    parts = host.split(".")
    suffix = ["svc", *CLUSTER_DOMAIN.split(".")]
    match parts:
        case [name]:
            return name, namespace
        case [name, other]:
            return name, other
        case [name, other, *rest] if rest == suffix[: len(rest)]:
            return name, other
        case _:
            return None
