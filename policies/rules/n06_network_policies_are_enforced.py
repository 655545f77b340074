"""N06: something enforces NetworkPolicies."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N06(CloudRule):
    """The cluster has a network plugin that enforces NetworkPolicies.

    Forbids:
        AKS without `networkPolicy`; EKS without the network policy controller of its VPC CNI add-on (1.17 or later), or with one
        that leaves a new pod open until its policies are there (`NETWORK_POLICY_ENFORCING_MODE`), whose agent is off
        (`nodeAgent.enabled`), or that keeps what somebody changed of it in the cluster (`PRESERVE`).

    Why:
        Kubernetes takes NetworkPolicies whether or not anything reads them. On a cluster without an engine every policy of this
        system exists, is shown by every tool, and does nothing.

    Instead:
        Choose the engine with the cluster::

            type: azure-native:containerservice:ManagedCluster
            inputs:
              networkProfile: {networkPlugin: azure, networkPluginMode: overlay, networkDataplane: cilium, networkPolicy: cilium}
    """

    id = "N06"
    name = "network-policies-are-enforced"
    severity = Severity.HIGH
    frameworks = ("CKV_AZURE_7", "C-0205", "C-0240")
