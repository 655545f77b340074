"""The whole system of one topology, in its cluster: platform, meshes, workloads, gateway, edge."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi

from components.binding import Binding
from components.cluster import build_cluster, build_platform
from components.component import Component
from components.context import context
from components.contracts import Below, ClusterOutputs, EdgeOutputs
from components.edge import build_edge
from components.gateway import build_gateway
from components.mesh import build_meshes
from components.placement import environment
from components.ways import Way, uncarried, ways
from components.workload import build_workloads
from topology.derive.unsupported import unsupported
from topology.digest import digest
from topology.findings import TopologyError
from topology.load import load, placed
from topology.model.system import Topology


class System(Component, layer="system"):
    """One system in one environment. Its inputs say which topology it was made from, for the judge to compare, and who plays the layers."""

    def __init__(self, name: str, t: Topology, binding: Binding, cluster: ClusterOutputs) -> None:
        """Build every layer."""
        given = {"topology": binding.topology, "digest": digest(t), "environment": environment(binding, t)}
        super().__init__(name, given, providers=cluster.providers)
        here = context(binding, t, cluster.gateway, cluster.issuer)
        platform = build_platform(here, parent=self)
        meshes = build_meshes(here, platform, parent=self)
        build_workloads(here, meshes, platform, parent=self)
        below = Below(cluster=cluster, platform=platform, mesh=meshes)
        chosen = ways(binding, t)
        built = [self._way(way, below) for way in chosen]
        self.outputs: dict[str, Any] = {
            "system": t.system,
            "hosts": list(t.public_hosts()),
            "edge": built[0].name,
            "publicPort": built[0].port,
        }
        if len(chosen) > 1:
            self.outputs["edges"] = {host: edge.name for way, edge in zip(chosen, built, strict=True) for host in way.t.public_hosts()}
        # Stack policies see outputs only, so what the judge compares stands there too.
        self.register_outputs({"topology": binding.topology, "digest": digest(t), **self.outputs})

    def _way(self, way: Way, below: Below) -> EdgeOutputs:
        """Register a gateway and the edge in front of it, which reach the meshes of their doors."""
        meshes = way.t.doors_by_mesh()
        reached = {mesh: ingress for mesh, ingress in below.mesh.ingress.items() if mesh in meshes}
        behind = replace(below, mesh=replace(below.mesh, ingress=reached))
        return build_edge(way.binding, way.t, build_gateway(way.binding, way.t, behind, parent=self), behind, parent=self)


def build(binding: Binding) -> System:
    """Load the topology that the stack file names and build its cluster and its system.

    Raises:
        pulumi.RunError: with everything that is wrong with the topology, and everything that it asks for and a product bound to a layer
            cannot carry; nothing is registered then.
    """
    try:
        t = load(Path(binding.topology))
        if found := [*unsupported(t), *uncarried(binding, t)]:
            raise TopologyError(placed(found, Path(binding.topology)))
        return System(t.system, t, binding, build_cluster(binding, t))
    except TopologyError as error:
        raise pulumi.RunError(str(error)) from error
