"""What lies beneath the layers: the cluster itself, and in it namespaces closed by default, certificates, keys, counters."""

from collections.abc import Mapping
from typing import Final

from components.adapters import adapter
from components.binding import Binding, ClusterKind
from components.cluster.platform import build_platform
from components.contracts import ClusterOutputs
from topology.model.system import Topology

__all__ = ["build_cluster", "build_platform"]

CLUSTERS: Final[Mapping[ClusterKind, str]] = {
    ClusterKind.EXISTING: "components.cluster.existing:existing",
    ClusterKind.AKS: "components.cluster.aks.cluster:aks",
    ClusterKind.EKS: "components.cluster.eks.cluster:eks",
}
"""Functions by origin: `(binding, t) -> ClusterOutputs`."""


def build_cluster(binding: Binding, t: Topology) -> ClusterOutputs:
    """Return the cluster that the stack file names, registered with everything around it where it is ours."""
    return adapter(CLUSTERS[binding.cluster])(binding, t)
