"""N05: security groups take nobody from the Internet, the edge's apart."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N05(CloudRule):
    """No security group but the edge's takes connections from the Internet, and the edge's on its listeners' ports alone.

    Forbids:
        - a rule with a range that has addresses of the Internet in it (`0.0.0.0/0`, `::/0`, any public range) or a prefix list, in
          a group of anything but a public load balancer, whether the rule stands in the group or is a resource of its own;
        - the same in the group of a public load balancer, on a port on which none of its listeners is;
        - the edge's group at nodes, at the Kubernetes API, or at an endpoint of AWS, as well;
        - at the Kubernetes API, in the group that EKS makes for it too, a group that is not of nodes, or a private range that the stack file
          does not name (`privateOperators`);
        - at nodes anybody inside who is no layer before them: a private range of a connected network, a group of something else;
        - a rule by which nodes connect to the Internet on a port that neither images (443) nor the topology's issuers and hosts ask for.

        A group with rules inside and beside it is undecided: the provider takes away what the other way of writing made.

    Why:
        A security group is what is left when a subnet, a route or an address was made public by mistake. Each layer takes the
        group before it and nobody else; then no single mistake opens a way past the WAF.

    Instead:
        Name the group of the layer before, and one port::

            type: aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule
            inputs:
              securityGroupId: <nodes>
              referencedSecurityGroupId: <edge>
              ipProtocol: tcp
              fromPort: 8443
              toPort: 8443
    """

    id = "N05"
    name = "security-groups-are-closed"
    severity = Severity.CRITICAL
    frameworks = ("EC2.18", "EC2.19", "CKV_AWS_260", "trivy aws/ec2/no_public_ingress_sgr", "CIS AWS 5.2")
