"""N03: nodes have no public address."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N03(CloudRule):
    """No node of the cluster has a public address.

    Forbids:
        A pool of AKS with `enableNodePublicIP` or a prefix of public addresses; nodes of EKS in a subnet that leads to the internet
        both ways, or that gives out public addresses; nodes that take logins, or whose pods reach the instance's metadata.
        Nodes that start as another version of their launch template says than the one in the plan are undecided.

    Why:
        A node's address is one security group away from the kubelet, from every NodePort and from every pod on the node's network.
        Without a public address that one rule can be wrong and nothing is open yet.

    Instead:
        Let nodes go out through a NAT gateway::

            type: azure-native:containerservice:AgentPool
            inputs: {enableNodePublicIP: false}
    """

    id = "N03"
    name = "nodes-have-no-public-address"
    severity = Severity.HIGH
    frameworks = ("CKV_AZURE_143", "CIS AKS 5.4.3", "CIS EKS 5.4.3")
