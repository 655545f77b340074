"""N08: the cluster knows its users."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N08(CloudRule):
    """Users of the cluster are those of the cloud's directory, each with a role; there are no accounts beside it.

    Forbids:
        AKS with `enableRBAC: false`, with local accounts, or without Entra ID; EKS that takes users from a ConfigMap besides access
        entries, or makes whoever created it an administrator for ever; an administrator whom the stack file does not name, who is of
        another account, or who is no person but a role that pods, nodes or services take on; AKS with users of another tenant.

    Why:
        A certificate of a local account belongs to nobody, is not asked for a second factor, and cannot be withdrawn before it
        expires. Who holds it may change every policy that the boundary is made of.

    Instead:
        Leave it to the directory::

            type: azure-native:containerservice:ManagedCluster
            inputs:
              enableRBAC: true
              disableLocalAccounts: true
              aadProfile: {managed: true, enableAzureRBAC: true}
    """

    id = "N08"
    name = "users-are-known"
    severity = Severity.HIGH
    frameworks = ("CKV_AZURE_5", "CKV_AZURE_141", "CIS AKS 5.1.1")
