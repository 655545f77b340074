"""The edge as pods: nginx behind a public address of the program's own, which AKS puts in front of a load balancer."""

from typing import Any, Final

import pulumi
from pulumi_azure_native import dns

from components.azure.edge_address import EdgeAddress
from components.azure.land import land_of
from components.azure.settings import DnsZone
from components.binding import Binding
from components.component import Component
from components.contracts import Below, EdgeOutputs, GatewayOutputs
from components.edge.load_balancer.idle import minutes
from components.edge.nginx import nginx, objects
from topology.derive import names
from topology.model.system import Topology

ANNOTATION: Final = "service.beta.kubernetes.io/azure"
"""Begins what cloud-provider-azure is told (cloud-provider-azure, `topics/loadbalancer`)."""

BALANCED: Final[dict[str, Any]] = {
    "type": "LoadBalancer",
    # A node without an instance of the edge gets no connections, and the others see the client's own address.
    "externalTrafficPolicy": "Local",
    # The load balancer leaves address and port in a packet (floating IP), so that nothing goes by a port of the nodes.
    "allocateLoadBalancerNodePorts": False,
}


class LoadBalancerEdge(Component, layer="edge"):
    """nginx as in environment `local`: it ends TLS and is the web application firewall. What stands in front reads nothing."""

    outputs: EdgeOutputs

    def __init__(self, binding: Binding, t: Topology, gateway: GatewayOutputs, below: Below, *, parent: pulumi.Resource) -> None:
        """Register the edge after the gateway's Service."""
        super().__init__("edge", {"product": str(binding.edge), "hosts": list(t.public_hosts())}, parent=parent)
        land = land_of(below)
        address = land.address
        if address is None:
            raise TypeError("an edge of pods without a public address, which no stack file can say")
        service = objects.service(BALANCED, annotations(t, address))
        ready = nginx(self, binding, t, gateway, below.platform, service)
        if land.settings.zone:
            self._records(t, land.settings.zone, address, ready)
        self.outputs = EdgeOutputs(name=address.fqdn, port=names.HTTPS_PORT, ready=ready)
        self.register_outputs({"name": address.fqdn, "port": names.HTTPS_PORT})

    def _records(self, t: Topology, zone: DnsZone, address: EdgeAddress, ready: pulumi.Resource) -> None:
        """Register the hosts' addresses, which follow the edge's own (Learn, `dns-alias`)."""
        for host in t.public_hosts():
            dns.RecordSet(
                f"host-{host}",
                dns.RecordSetArgs(
                    resource_group_name=zone.group,
                    zone_name=zone.name,
                    relative_record_set_name=host.removesuffix(zone.name).removesuffix(".") or "@",
                    record_type="A",
                    ttl=300,
                    target_resource=dns.SubResourceArgs(id=address.address_id),
                ),
                opts=pulumi.ResourceOptions(parent=self, depends_on=[ready]),
            )


def annotations(t: Topology, address: EdgeAddress) -> dict[str, str]:
    """Return which address the load balancer gets, and how long it keeps a silent connection."""
    return {
        f"{ANNOTATION}-pip-name": address.name,
        f"{ANNOTATION}-load-balancer-resource-group": address.group.group_name,
        f"{ANNOTATION}-load-balancer-tcp-idle-timeout": str(minutes(t)),
    }
