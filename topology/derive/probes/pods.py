"""Pods, told by their labels."""

from dataclasses import dataclass

from topology.derive import names
from topology.model.base import Name, ServiceName
from topology.model.system import Topology


@dataclass(frozen=True, kw_only=True, order=True)
class Pods:
    """Pods of one namespace, told by one label."""

    namespace: Name
    label: str
    value: str

    def __str__(self) -> str:
        """Return `namespace/value`."""
        return f"{self.namespace}/{self.value}"


def pods_of(t: Topology, name: ServiceName) -> Pods:
    """Return the pods of a service or composition."""
    return Pods(namespace=t.namespace_of(name), label=names.APP_LABEL, value=name)


def layer_pods(namespace: Name, role: Name) -> Pods:
    """Return the pods of a layer: `edge`, `gateway`, `ingress`, `egress` or `bridge`."""
    return Pods(namespace=namespace, label=names.LAYER_LABEL, value=role)
