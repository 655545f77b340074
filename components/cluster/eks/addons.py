"""What AWS itself runs in the cluster, each at a version of ours."""

import json
from dataclasses import dataclass
from typing import Final

from components.versions import EKS_ADDONS


@dataclass(frozen=True, kw_only=True)
class Addon:
    """One add-on."""

    name: str
    configuration: str | None = None
    """JSON (`aws eks describe-addon-configuration` says of what form)."""
    account: str | None = None
    """Service account whose pods have a role of their own."""
    policies: tuple[str, ...] = ()
    """Of that role, kept by AWS."""
    namespace: str | None = None
    """Where AWS is to put it; None: where it puts it by itself (EKS User Guide, `eks-add-ons`)."""

    @property
    def version(self) -> str:
        """The version that is installed."""
        return EKS_ADDONS[self.name]


NAMESPACE: Final = "kube-system"
NETWORK_POLICIES: Final = {"enableNetworkPolicy": "true", "env": {"NETWORK_POLICY_ENFORCING_MODE": "strict"}}
"""NetworkPolicies are enforced, and a new pod reaches nobody before they are: by default it would be open for its first seconds (EKS User
Guide, `cni-network-policy-configure`)."""

BEFORE_NODES: Final = (
    Addon(name="eks-pod-identity-agent"),
    Addon(
        name="vpc-cni",
        configuration=json.dumps(NETWORK_POLICIES),
        account="aws-node",
        policies=("AmazonEKS_CNI_Policy",),
    ),
    Addon(name="kube-proxy"),
)
"""What nodes need to be ready. All of it runs in the nodes' own network, where no NetworkPolicy holds."""

AFTER_NODES: Final = (Addon(name="coredns"), Addon(name="metrics-server"))
"""What needs nodes. Its pods are subject to NetworkPolicies, which come first (`components.cluster.eks.system`)."""
