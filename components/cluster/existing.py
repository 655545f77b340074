"""A cluster that is there already."""

import pulumi_kubernetes as kubernetes

from components.binding import Binding
from components.cluster.kubernetes import provider
from components.contracts import ClusterOutputs
from topology.model.system import Topology


def existing(binding: Binding, _t: Topology) -> ClusterOutputs:
    """Return the cluster of the kube context that the stack file names."""
    made: kubernetes.Provider = provider(binding.kubeconfig, context=binding.context)
    return ClusterOutputs(providers=(made,), gateway=None, land=None)
