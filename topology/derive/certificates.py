"""Certificates of the layers, made and renewed by cert-manager: no key is ever in a file or in a plan.

Three authorities, so that a certificate of one hop means nothing on another: `public` signs what clients see, `boundary` the hops
edge -> gateway -> mesh ingress, `bridge` the hop between two meshes. The authorities inside the meshes are istiod's own.
"""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from topology.derive import names
from topology.derive.manifest import Manifest, manifest
from topology.derive.namespaces import LAYERS
from topology.model.base import HostName, Name
from topology.model.system import Topology

API: Final = "cert-manager.io/v1"
GROUP: Final = "cert-manager.io"
SELF_SIGNED: Final = "perimeter-self-signed"
AUTHORITY_LIFE: Final = "87600h"
LEAF_LIFE: Final = "2160h"
LEAF_RENEWAL: Final = "720h"
SIGNATURE: Final = ("digital signature",)
SERVER: Final = "server auth"
CLIENT: Final = "client auth"


class Authority(StrEnum):
    """A certificate authority outside the meshes."""

    PUBLIC = "public"
    BOUNDARY = "boundary"
    BRIDGE = "bridge"

    @property
    def issuer(self) -> str:
        """Name of its ClusterIssuer, of its Certificate, and of the Secret that holds its key."""
        return f"perimeter-{self}"


def authorities(
    t: Topology, layers: Collection[str] = frozenset(LAYERS), brought: Collection[Authority] = frozenset()
) -> Iterator[Manifest]:
    """Yield the authorities: a self-signed root each, and the ClusterIssuer that signs with it.

    Args:
        t: the system.
        layers: the outer layers that run in the cluster. Of the authority `public` there is need only where the edge does.
        brought: authorities whose Secret, of the same name, comes from elsewhere: a gateway outside brings `boundary` with it.
    """
    public, bridge = [Authority.PUBLIC] if names.EDGE in layers else [], [Authority.BRIDGE] if t.bridges else []
    made_here = [authority for authority in (*public, Authority.BOUNDARY, *bridge) if authority not in brought]
    if made_here:
        yield manifest(API, "ClusterIssuer", SELF_SIGNED, spec={"selfSigned": {}})
    for authority in (*public, Authority.BOUNDARY, *bridge):
        if authority in made_here:
            yield _root(authority)
        yield manifest(API, "ClusterIssuer", authority.issuer, spec={"ca": {"secretName": authority.issuer}})


def _root(authority: Authority) -> Manifest:
    return manifest(
        API,
        "Certificate",
        authority.issuer,
        names.CERT_MANAGER_NAMESPACE,
        {
            "isCA": True,
            # Not the system's name: with another name an authority is another one, of which leaves and those who trust it know nothing.
            "commonName": f"perimeter {authority}",
            "secretName": authority.issuer,
            "duration": AUTHORITY_LIFE,
            # A renewed authority keeps its key: cert-manager does not issue its leaves anew, and who trusts it reads it only at start.
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"},
            "issuerRef": _issuer(SELF_SIGNED),
        },
    )


def leaves(
    t: Topology,
    public_issuer: str | None = None,
    layers: Collection[str] = frozenset(LAYERS),
    server_names: Mapping[Name, HostName] | None = None,
    served: Collection[HostName] | None = None,
) -> Iterator[Manifest]:
    """Yield every certificate of the layers in the cluster.

    Args:
        t: the system.
        public_issuer: a ClusterIssuer of the user's for the certificate that clients see.
        layers: the outer layers that run in the cluster.
        server_names: further names of ingresses, by mesh, by which a gateway outside the cluster asks for them.
        served: the hosts whose edge and gateway run in the cluster; default: all.
    """
    own = t.public_hosts() if served is None else served
    for document in _leaves(t, public_issuer, server_names or {}, list(own)):
        outer = {home: layer for layer, home in LAYERS.items()}.get(document["metadata"]["namespace"])
        if outer is None or outer in layers:
            yield document


def _leaves(t: Topology, public_issuer: str | None, server_names: Mapping[Name, HostName], served: list[HostName]) -> Iterator[Manifest]:
    public = list(t.public_hosts())
    boundary = Authority.BOUNDARY.issuer
    yield _leaf(names.EDGE_SERVER_SECRET, names.EDGE_NAMESPACE, public_issuer or Authority.PUBLIC.issuer, _server(served))
    yield _leaf(names.EDGE_CLIENT_SECRET, names.EDGE_NAMESPACE, boundary, _client(names.EDGE_IDENTITY))
    gateway = names.fqdn(names.GATEWAY, names.GATEWAY_NAMESPACE)
    yield _leaf(names.GATEWAY_SERVER_SECRET, names.GATEWAY_NAMESPACE, boundary, _server([*served, gateway]))
    yield _leaf(names.GATEWAY_CLIENT_SECRET, names.GATEWAY_NAMESPACE, boundary, _client(names.GATEWAY_IDENTITY))
    for mesh in t.doors_by_mesh():
        yield _leaf(
            names.INGRESS_SERVER_SECRET,
            t.meshes[mesh].ingress,
            boundary,
            _server([*public, *([own] if (own := server_names.get(mesh)) else [])]),
        )
    for mesh in bridging(t):
        namespace = t.meshes[mesh].bridge
        both = {
            "dnsNames": [names.fqdn(names.BRIDGE, namespace)],
            **_client(names.gateway_identity(t, mesh, names.BRIDGE)),
            "usages": [*SIGNATURE, SERVER, CLIENT],
        }
        yield _leaf(names.BRIDGE_SECRET, namespace, Authority.BRIDGE.issuer, both)


def bridging(t: Topology) -> tuple[Name, ...]:
    """Return the meshes that have a side of the internal gateway, in the order of the topology."""
    used = {t.mesh_of(service) for bridge in t.bridges.values() for service in (bridge.source, bridge.target)}
    return tuple(mesh for mesh in t.meshes if mesh in used)


def _issuer(name: str) -> dict[str, str]:
    return {"group": GROUP, "kind": "ClusterIssuer", "name": name}


def _server(hosts: list[HostName]) -> dict[str, Any]:
    return {"dnsNames": hosts, "usages": [*SIGNATURE, SERVER]}


def _client(identity: str) -> dict[str, Any]:
    return {"uris": [f"{names.SPIFFE}{identity}"], "usages": [*SIGNATURE, CLIENT]}


def _leaf(name: str, namespace: str, issuer: str, subject: dict[str, Any]) -> Manifest:
    spec = {
        "secretName": name,
        "duration": LEAF_LIFE,
        "renewBefore": LEAF_RENEWAL,
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "issuerRef": _issuer(issuer),
        **subject,
    }
    return manifest(API, "Certificate", name, namespace, spec)
