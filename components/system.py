"""The whole system of one topology, in its cluster: platform, meshes, workloads, gateway, edge."""

from pathlib import Path

import pulumi

from components import edge as edges
from components import gateway as gateways
from components.binding import Binding
from components.cluster import build_cluster, build_platform
from components.component import Component
from components.context import context
from components.contracts import Below, ClusterOutputs
from components.mesh import build_meshes
from components.workload import build_workloads
from topology.derive.unsupported import unsupported
from topology.digest import digest
from topology.findings import TopologyError
from topology.load import load, placed
from topology.model.system import Topology


class System(Component, layer="system"):
    """One system in one environment. Its inputs say which topology it was made from, for the judge to compare."""

    def __init__(self, name: str, t: Topology, binding: Binding, cluster: ClusterOutputs) -> None:
        """Build every layer."""
        super().__init__(name, {"topology": binding.topology, "digest": digest(t)}, providers=cluster.providers)
        here = context(binding, t, cluster.gateway, cluster.issuer)
        platform = build_platform(here, parent=self)
        meshes = build_meshes(here, platform, parent=self)
        build_workloads(here, meshes, platform, parent=self)
        below = Below(cluster=cluster, platform=platform, mesh=meshes)
        gateway = gateways.build_gateway(binding, t, below, parent=self)
        edge = edges.build_edge(binding, t, gateway, below, parent=self)
        self.outputs = {
            "system": t.system,
            "hosts": list(t.public_hosts()),
            "edge": edge.name,
            "publicPort": edge.port,
        }
        # Stack policies see outputs only, so what the judge compares stands there too.
        self.register_outputs({"topology": binding.topology, "digest": digest(t), **self.outputs})


def build(binding: Binding) -> System:
    """Load the topology that the stack file names and build its cluster and its system.

    Raises:
        pulumi.RunError: with everything that is wrong with the topology, and everything that it asks for and a product bound to a layer
            cannot carry; nothing is registered then.
    """
    try:
        t = load(Path(binding.topology))
        if found := [*unsupported(t), *gateways.uncarried(binding, t), *edges.uncarried(binding, t)]:
            raise TopologyError(placed(found, Path(binding.topology)))
        return System(t.system, t, binding, build_cluster(binding, t))
    except TopologyError as error:
        raise pulumi.RunError(str(error)) from error
