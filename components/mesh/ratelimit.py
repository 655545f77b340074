"""The service that counts for all instances of a limited service."""

import pulumi

from components.component import Component
from components.mesh.gateways import Site
from topology.derive import ratelimit


class RateLimit(Component, layer="mesh"):
    """Envoy's rate-limit service, in the mesh like any other."""

    def __init__(self, site: Site, *, parent: pulumi.Resource) -> None:
        """Register the rate-limit service of a mesh."""
        r, mesh, binding = site.relations, site.mesh, site.context.binding
        super().__init__(f"{mesh}-ratelimit", {"services": sorted(ratelimit.limited(r, mesh))}, parent=parent)
        namespace = site.platform.namespaces[ratelimit.namespace_of(mesh)]
        documents = ratelimit.rate_limit_service(r, mesh, binding.image("ratelimit"), binding.image("redis"))
        self.add_with_needs(documents, after=[namespace, site.guard])
        self.register_outputs({"host": ratelimit.host(mesh)})
