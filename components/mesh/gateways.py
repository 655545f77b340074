"""A mesh's own gateways: proxies from Istio's chart, with our Service, fence and policies around them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import pulumi

from components.charts import release
from components.component import Component
from components.context import Context
from components.contracts import IngressOutputs, LoadBalancer, Platform
from components.mesh import values
from topology.derive import bridge, egress, fences, identity, ingress, names
from topology.derive.manifest import Manifest
from topology.derive.relations import Relations
from topology.model.base import Name
from topology.model.system import Mesh

CHART: Final = "istio-gateway"


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a part of a mesh is built."""

    context: Context
    mesh: Name
    platform: Platform
    guard: pulumi.Resource
    """The mesh's allow-nothing policy."""

    @property
    def relations(self) -> Relations:
        """The calls of the topology."""
        return self.context.relations

    @property
    def model(self) -> Mesh:
        """What the topology says of the mesh."""
        return self.relations.t.meshes[self.mesh]

    @property
    def load_balancer(self) -> LoadBalancer | None:
        """What stands in front of the ingress; None where only pods of the cluster call it."""
        return self.context.outside.load_balancers.get(self.mesh) if self.context.outside else None


class _MeshGateway(Component, layer="mesh"):
    """What the three gateways share: fence, policy, Release, Service, in an order in which nothing is open before it is closed."""

    def __init__(self, site: Site, role: Name, namespace: Name, policy: Manifest, *, parent: pulumi.Resource) -> None:
        """Register the gateway; `policy` is its AuthorizationPolicy."""
        super().__init__(f"{site.mesh}-{role}", {"mesh": site.mesh, "namespace": namespace}, parent=parent)
        fence = fences.gateway(site.relations, site.mesh, role, site.context.around)
        closed = self.add(fence, after=[site.platform.namespaces[namespace]])
        allowed = self.add(policy, after=[closed, site.guard, site.platform.certificates])
        chosen = values.gateway(site.context.binding, site.relations.t, site.mesh, role)
        proxies = release(site.context.binding, CHART, role, namespace, chosen, parent=self, after=[allowed])
        self.service = self.add(self._service(site, role, namespace), after=[proxies])

    def _service(self, _site: Site, role: Name, namespace: Name) -> Manifest:
        """Return what leads to the proxies."""
        return ingress.mesh_gateway_service(role, namespace)

    def route(self, documents: Iterable[Manifest]) -> None:
        """Register objects that lead through the gateway, once its Service tells istiod on which port its pods listen.

        How a host is spoken to comes first and goes last: what led there without its DestinationRule would do so in clear.
        """
        given = list(documents)
        rules = [each for each in given if each["kind"] == "DestinationRule"]
        spoken = self.add_all(rules, after=[self.service])
        self.add_all((each for each in given if each not in rules), after=[self.service, *spoken])


class Ingress(_MeshGateway, layer="mesh"):
    """The only door of a mesh: it accepts the API gateway's certificate alone."""

    outputs: IngressOutputs

    def __init__(self, site: Site, *, parent: pulumi.Resource) -> None:
        """Register the ingress of a mesh and the routes of its doors."""
        r, mesh, namespace = site.relations, site.mesh, site.model.ingress
        super().__init__(site, names.INGRESS, namespace, identity.ingress(r, mesh), parent=parent)
        asked_by = site.load_balancer.server_name if site.load_balancer else None
        self.route([*identity.token_checks(r, mesh), ingress.gateway(r, mesh, asked_by), *ingress.routes(r, mesh)])
        self.outputs = IngressOutputs(
            namespace=namespace,
            service=names.INGRESS,
            port=names.HTTPS_PORT,
            port_name=names.HTTPS_PORT_NAME,
            pod_labels=identity.gateway_labels(names.INGRESS),
            pod_port=names.MESH_GATEWAY_POD_PORT,
            server_name=asked_by or r.t.hosts[0],
            server_secret=names.INGRESS_SERVER_SECRET,
            ready=self.service,
        )
        self.register_outputs({"service": f"{namespace}/{names.INGRESS}", "hosts": ingress.hosts(r, mesh)})

    def _service(self, site: Site, role: Name, namespace: Name) -> Manifest:
        """Return what leads to the proxies: for a gateway outside the cluster, a private load balancer."""
        outside, balancer = site.context.outside, site.load_balancer
        if outside is None or balancer is None:
            return super()._service(site, role, namespace)
        return ingress.load_balancer(namespace, balancer.annotations, outside.addresses)


class Egress(_MeshGateway, layer="mesh"):
    """The only way out of a mesh."""

    def __init__(self, site: Site, *, parent: pulumi.Resource) -> None:
        """Register the egress gateway of a mesh and the hosts behind it."""
        r, mesh = site.relations, site.mesh
        super().__init__(site, names.EGRESS, site.model.egress, identity.egress(r, mesh), parent=parent)
        self.route(egress.documents(r, mesh))
        self.register_outputs({"hosts": sorted(exit_.host for _, exit_ in r.egress_of_mesh[mesh])})


class Bridge(_MeshGateway, layer="mesh"):
    """One side of the internal gateway between meshes."""

    def __init__(self, site: Site, *, parent: pulumi.Resource) -> None:
        """Register this mesh's side and what crosses it."""
        r, mesh = site.relations, site.mesh
        super().__init__(site, names.BRIDGE, site.model.bridge, identity.bridge(r, mesh), parent=parent)
        self.route([*bridge.services(r, mesh), *bridge.documents(r, mesh)])
        leaving = sorted({b.target for b in r.bridges_out_of_mesh[mesh]})
        arriving = sorted({b.target for b in r.bridges_into_mesh[mesh]})
        self.register_outputs({"leaving": leaving, "arriving": arriving})
