"""N10: public addresses belong to the WAF."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N10(CloudRule):
    """A public address belongs to the WAF, or to a NAT gateway, by which packets leave and none come in.

    Forbids:
        - a `PublicIPAddress` of Azure or an `Eip` of AWS that anything else refers to or depends on: a network interface, a load
          balancer, a gateway, a cluster, a bastion; one that two share; one of somebody else that is given to something;
        - in AKS a Service with a public load balancer that does not name an address of the program (Azure then takes any), or in front
          of anything but the WAF; annotations by which Azure gives it further addresses, or of which that is not known;
        - a record of Azure DNS or of Route 53 that leads a host elsewhere; in Route 53 every record that is not an alias of the edge's load
          balancer, the proofs of a certificate of the program, CAA and TXT about mail apart, but no text by which another authority may issue.

    Why:
        What has a public address is found within minutes. The proof that every request passes the WAF begins with the list of what
        has one.

    Instead:
        Give addresses to the edge and to the NAT gateway; reach machines from inside the network.
    """

    id = "N10"
    name = "public-addresses-are-the-edges"
    severity = Severity.CRITICAL
    frameworks = ("OWASP API9:2023", "CIS Azure 6.1")
