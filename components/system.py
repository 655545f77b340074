"""The whole system of one topology, built outside in: platform, meshes, gateway, edge, workloads."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from components.binding import Binding
from components.cluster import build_platform
from components.component import Component
from components.context import context
from components.edge import build_edge
from components.gateway import build_gateway, uncarried
from components.mesh import build_meshes
from components.workload import build_workloads
from topology.derive.unsupported import unsupported
from topology.digest import digest
from topology.findings import TopologyError
from topology.load import load
from topology.model.system import Topology


class System(Component, layer="system"):
    """One system in one environment. Its inputs say which topology it was made from, for the judge to compare."""

    def __init__(self, name: str, t: Topology, binding: Binding) -> None:
        """Build every layer.

        Raises:
            TopologyError: if a product bound to a layer cannot carry what the topology asks for; nothing is registered then.
        """
        if found := [*unsupported(t), *uncarried(binding, t)]:
            raise TopologyError(found)
        super().__init__(name, {"topology": binding.topology, "digest": digest(t)}, providers=[_provider(binding)])
        here = context(binding, t)
        platform = build_platform(here, parent=self)
        meshes = build_meshes(here, platform, parent=self)
        build_workloads(here, meshes, platform, parent=self)
        gateway = build_gateway(binding, t, meshes, platform, parent=self)
        edge = build_edge(binding, t, gateway, platform, parent=self)
        self.outputs = {
            "system": t.system,
            "hosts": list(t.public_hosts()),
            "edge": f"{edge.namespace}/{edge.service}",
            "publicPort": edge.node_port,
        }
        # Stack policies see outputs only, so what the judge compares stands there too.
        self.register_outputs({"topology": binding.topology, "digest": digest(t), **self.outputs})


def build(binding: Binding) -> System:
    """Load the topology that the stack file names and build its system.

    Raises:
        pulumi.RunError: with everything that is wrong with the topology.
    """
    try:
        t = load(Path(binding.topology))
        return System(t.system, t, binding)
    except TopologyError as error:
        raise pulumi.RunError(str(error)) from error


def _provider(binding: Binding) -> kubernetes.Provider:
    return kubernetes.Provider(
        "cluster",
        context=binding.context,
        kubeconfig=binding.kubeconfig,
        enable_server_side_apply=True,
        # A changed configuration or a rotated key is an update: replacing the object would take it away from running pods.
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
    )
