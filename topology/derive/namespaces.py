"""Namespaces: of the layers, of each mesh and of its services."""

from collections.abc import Collection, Iterator
from typing import Final

from topology.derive import names
from topology.derive.manifest import Manifest, manifest
from topology.model.base import Name
from topology.model.system import Topology

AUDIT_RESTRICTED: Final = {
    "pod-security.kubernetes.io/audit": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}
"""Pod Security for namespaces with sidecars: Istio's init container needs NET_ADMIN, so `restricted` cannot be enforced there."""

ENFORCE_RESTRICTED: Final = {**AUDIT_RESTRICTED, "pod-security.kubernetes.io/enforce": "restricted"}

LAYERS: Final = {names.EDGE: names.EDGE_NAMESPACE, names.GATEWAY: names.GATEWAY_NAMESPACE}
"""Namespaces of the outer layers, by layer."""


def mesh_of_namespace(t: Topology) -> dict[Name, Name]:
    """Return the namespaces of services and compositions, each with its mesh."""
    return {t.namespace_of(name): t.mesh_of(name) for name in (*t.services, *t.compositions)}


def namespace(name: Name, labels: dict[str, str]) -> Manifest:
    """Return a namespace."""
    return manifest("v1", "Namespace", name, labels=labels)


def platform(layers: Collection[str] = frozenset(LAYERS)) -> Iterator[Manifest]:
    """Yield the namespaces of cert-manager and of those outer layers that run in the cluster."""
    for name in (names.CERT_MANAGER_NAMESPACE, *(home for layer, home in LAYERS.items() if layer in layers)):
        yield namespace(name, ENFORCE_RESTRICTED)


def control_planes(t: Topology) -> Iterator[Manifest]:
    """Yield the namespace of each mesh's istiod."""
    for mesh_name, mesh in t.meshes.items():
        yield namespace(mesh.control_plane, {names.MESH_LABEL: mesh_name, **ENFORCE_RESTRICTED})


def gateways(mesh_name: Name, roles: tuple[Name, ...]) -> Iterator[Manifest]:
    """Yield the namespaces of a mesh's own gateways."""
    for role in roles:
        yield namespace(role, {**_member(mesh_name), **ENFORCE_RESTRICTED})


def applications(t: Topology) -> Iterator[Manifest]:
    """Yield the namespaces of services; the revision label has a sidecar put into every pod."""
    for name, mesh_name in mesh_of_namespace(t).items():
        yield member(name, mesh_name)


def member(name: Name, mesh_name: Name) -> Manifest:
    """Return a namespace whose pods get a sidecar of the mesh."""
    return namespace(name, {**_member(mesh_name), **AUDIT_RESTRICTED})


def _member(mesh_name: Name) -> dict[str, str]:
    return {names.REVISION_LABEL: mesh_name, names.MESH_LABEL: mesh_name}
