"""N02: the Kubernetes API of EKS is not open to the Internet."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N02(CloudRule):
    """The Kubernetes API of an EKS cluster is private, or open to the addresses of its operators alone.

    Forbids:
        A public endpoint without `publicAccessCidrs`, which is EKS's default; ranges of more addresses than operators have
        (wider than a /24), or that the stack file does not name (`operators`); a cluster of which neither endpoint is on; interfaces of
        the API in subnets with a way in from the Internet. Undecided are nodes, add-ons and users of a cluster that the program does not make.

    Why:
        Whoever may talk to the Kubernetes API may try every credential that ever leaked, and every way around authentication that
        will be found. One that holds creates a Service with a public address, and the whole boundary with its WAF is behind it.

    Instead:
        Keep the endpoint in the network, or name addresses::

            type: aws:eks/cluster:Cluster
            inputs:
              vpcConfig:
                endpointPrivateAccess: true
                endpointPublicAccess: false
    """

    id = "N02"
    name = "eks-api-is-private"
    severity = Severity.HIGH
    frameworks = ("EKS.1", "CKV_AWS_38", "CKV_AWS_39", "CIS EKS 5.4.1")
