"""N01: the Kubernetes API of AKS is not open to the internet."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N01(CloudRule):
    """The Kubernetes API of an AKS cluster is private, or open to the addresses of its operators alone.

    Forbids:
        A cluster that is not private and has no `authorizedIPRanges`, or ranges wider than a /24, or that the stack file does
        not name (`operators`); a private cluster with a public name besides
        (`enablePrivateClusterPublicFQDN`), which Azure gives it where nothing is said.

    Why:
        Whoever may talk to the Kubernetes API may try every credential that ever leaked. One that holds creates a Service with a
        public address, and the whole boundary with its WAF is behind it.

    Instead:
        Keep the API in the network, or name addresses::

            type: azure-native:containerservice:ManagedCluster
            inputs:
              apiServerAccessProfile: {enablePrivateCluster: true}
    """

    id = "N01"
    name = "aks-api-is-private"
    severity = Severity.HIGH
    frameworks = ("CKV_AZURE_115", "CKV_AZURE_6", "CIS AKS 5.4.1", "CIS AKS 5.4.2")
