"""All meshes of a system, and Istio's CRDs for all of them."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

import pulumi

from components.charts import release
from components.component import Component
from components.context import Context
from components.contracts import IngressOutputs, MeshOutputs, Platform
from components.mesh import values
from components.mesh.gateways import Bridge, Egress, Ingress, Site
from components.mesh.ratelimit import RateLimit
from topology.derive import fences, identity, names, ratelimit, telemetry
from topology.model.base import Name

BASE: Final = "istio-base"


class Mesh(Component, layer="mesh"):
    """One mesh: its istiod, mutual TLS demanded, nothing allowed, and its own gateways where the topology has a use for them."""

    ingress: IngressOutputs | None

    def __init__(
        self, context: Context, mesh: Name, platform: Platform, after: Sequence[pulumi.Resource], *, parent: pulumi.Resource
    ) -> None:
        """Register the mesh after Istio's CRDs, and a further mesh after the istiod that validates what is applied."""
        r, m = context.relations, context.relations.t.meshes[mesh]
        super().__init__(mesh, {"trustDomain": m.trust_domain, "controlPlane": m.control_plane}, parent=parent)
        fence = self.add(fences.control_plane(r, mesh, context.around), after=[platform.namespaces[m.control_plane]])
        chosen = values.istiod(context.binding, r.t, mesh)
        name = names.istiod(mesh)
        self.istiod = release(context.binding, "istiod", name, m.control_plane, chosen, parent=self, after=[*after, fence])
        strict = self.add(identity.strict(r.t, mesh), after=[self.istiod])
        # What waits for this one waits for istiod and for mutual TLS too.
        self.guard = self.add(identity.allow_nothing(r.t, mesh), after=[strict])
        self._telemetry(context, mesh, platform)
        site = Site(context=context, mesh=mesh, platform=platform, guard=self.guard)
        self.ingress = Ingress(site, parent=self).outputs if r.opens(mesh) else None
        if r.exits(mesh):
            Egress(site, parent=self)
        if r.bridging(mesh):
            Bridge(site, parent=self)
        if ratelimit.limited(r, mesh):
            RateLimit(site, parent=self)
        self.register_outputs({"trustDomain": m.trust_domain, "ingress": self.ingress.namespace if self.ingress else None})

    def _telemetry(self, context: Context, mesh: Name, platform: Platform) -> None:
        r, traced = context.relations, context.traced
        self.add(telemetry.mesh_wide(r, mesh, traced=traced), after=[self.guard])
        for document in telemetry.audited(r, mesh, traced=traced):
            self.add(document, after=[platform.namespaces[document["metadata"]["namespace"]], self.guard])


class Meshes(Component, layer="mesh"):
    """Every mesh of the system."""

    outputs: MeshOutputs

    def __init__(self, context: Context, platform: Platform, *, parent: pulumi.Resource) -> None:
        """Register Istio's CRDs once, and each mesh after them."""
        t = context.relations.t
        super().__init__("meshes", {"meshes": sorted(t.meshes)}, parent=parent)
        first = next(iter(t.meshes.values())).control_plane
        # Not with a mesh: the definitions stay when it goes, and Helm takes them over only for a release of the same name and namespace.
        home = names.CERT_MANAGER_NAMESPACE
        waited = [platform.namespaces[home], platform.namespaces[first]]
        base = release(context.binding, BASE, BASE, home, values.base(t), parent=self, after=waited)
        meshes: dict[Name, Mesh] = {}
        for mesh in t.meshes:
            validators = [made.istiod for made in islice(meshes.values(), 1)]
            meshes[mesh] = Mesh(context, mesh, platform, [base, *validators], parent=self)
        self.outputs = MeshOutputs(
            ingress={name: mesh.ingress for name, mesh in meshes.items() if mesh.ingress is not None},
            guards={name: mesh.guard for name, mesh in meshes.items()},
            control_planes={name: mesh.istiod for name, mesh in meshes.items()},
        )
        self.register_outputs({"ingresses": sorted(self.outputs.ingress)})


def build_meshes(context: Context, platform: Platform, *, parent: pulumi.Resource) -> MeshOutputs:
    """Build all meshes."""
    return Meshes(context, platform, parent=parent).outputs
