"""N04: what comes to subnets and what leaves them is filtered, or goes by ways of the program; to the nodes comes the layer before them."""

from policies.cloud_rule import CloudRule
from policies.rule import Severity


class N04(CloudRule):
    """A network security group lies around every subnet; the nodes of AKS take connections from the API gateway alone.

    Forbids:
        - a subnet without security group;
        - a rule, in the group or as a resource of its own, that after all rules before it (Azure's default rules are the last) lets
          anybody else than the API gateway, the nodes themselves, the Kubernetes API or Azure's probes connect to the nodes, or to
          the address of a load balancer of the cluster; where the edge is pods behind a public one, clients reach its address on the
          ports of its Service, and on no other;
        - one that lets the internet connect to another subnet: `Internet`, `*`, a public range, a service tag of public addresses.
          The edge's subnet is open on the ports of its listeners;
        - one that lets anybody inside connect to another subnet who has no business there (`VirtualNetwork` among them, which is every
          network joined to this one): the ingresses take the gateway, private endpoints take the layers, the Kubernetes API takes nodes,
          pods and the private ranges of the stack file (`privateOperators`); probes come where something is probed;
        - a subnet whose route table or NAT gateway the program does not make; a private zone that is linked to another network, or to none
          of the program; a name service outside of the range of Services; a private name that leads outside of the network;
        - a private endpoint in a subnet that does not say that security groups hold for it (`privateEndpointNetworkPolicies`);
        - one that lets a subnet connect out of the network to what nothing in it needs: nodes need images (443), the time, and the ports of the
          topology's issuers and outside hosts; API Management needs Azure's own service tags, revocation lists and issuers; the others need
          nothing. Azure forbids to close an Application Gateway's subnet.

        In AWS a route by a gateway that the program does not make, or a gateway in another network, is undecided.

        All of it over TCP, UDP, ICMP, ESP and AH.

    Why:
        Azure joins whatever a Service of type LoadBalancer asks for to the nodes' subnet. The security group is what holds when the
        annotation that makes the load balancer internal is lost: the packet from outside meets a rule that does not name it. Azure's
        own rules let the whole network in: without one that closes, the edge reaches the mesh past the gateway. They let everything out, too: a
        way out is how a broken layer fetches tools and takes data along, whatever NetworkPolicies say of pods.

    Instead:
        Name the layer before, and deny the rest below Azure's own default rules::

            type: azure-native:network:NetworkSecurityGroup
            inputs:
              securityRules:
                - {name: in-gateway, direction: Inbound, access: Allow, priority: 100, protocol: Tcp, sourcePortRange: "*",
                   sourceAddressPrefix: 10.60.5.0/27, destinationAddressPrefix: 10.60.5.32/27, destinationPortRange: "443"}
                - {name: in-nothing-else, direction: Inbound, access: Deny, priority: 4096, protocol: "*", sourcePortRange: "*",
                   sourceAddressPrefix: "*", destinationAddressPrefix: "*", destinationPortRange: "*"}
    """

    id = "N04"
    name = "node-subnet-is-fenced"
    severity = Severity.CRITICAL
    frameworks = ("CKV2_AZURE_31", "CKV_AZURE_160", "AVD-AZU-0047")
