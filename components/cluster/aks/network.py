"""The virtual network: closed by default at every subnet, one way out for the nodes."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_azure_native.network as net

from components.azure.addresses import Addresses, Subnet
from components.azure.flows import PUBLIC_ADDRESS, Flow, Rule, Transport, rules
from components.azure.ids import Place
from components.azure.settings import AzureSettings
from components.azure.sizes import SIZES
from components.component import Component
from components.known import known

API_SERVER_DELEGATION = "Microsoft.ContainerService/managedClusters"
TRANSPORTS = {
    Transport.TCP: net.SecurityRuleProtocol.TCP,
    Transport.UDP: net.SecurityRuleProtocol.UDP,
    Transport.ANY: net.SecurityRuleProtocol.ASTERISK,
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What an environment's network is made of."""

    addresses: Addresses
    subnets: tuple[Subnet, ...]
    flows: Sequence[Flow]
    public_address: pulumi.Input[str] | None = None
    """What `PUBLIC_ADDRESS` means in flows; None where no flow says it."""


class VirtualNetwork(Component, layer="cluster"):
    """The network of an environment. The security group of a subnet exists before the subnet does."""

    network: net.VirtualNetwork

    def __init__(self, settings: AzureSettings, where: Place, layout: Layout, *, parent: pulumi.Resource) -> None:
        """Register security groups, the way out of the nodes, and the network with all its subnets."""
        super().__init__("network", {"addresses": settings.network, "subnets": [str(subnet) for subnet in layout.subnets]}, parent=parent)
        self._where, self._addresses, self._layout = where, layout.addresses, layout
        groups = {subnet: self._security_group(subnet, settings.pods) for subnet in layout.subnets}
        way_out = self._way_out(list(SIZES[settings.size].zones))
        self.network = net.VirtualNetwork(
            "vnet",
            net.VirtualNetworkInitArgs(
                virtual_network_name=where.of("vnet"),
                resource_group_name=where.group,
                location=where.location,
                address_space=net.AddressSpaceArgs(address_prefixes=[settings.network]),
                # All in one: subnets of their own would be changed side by side, which Azure refuses.
                subnets=[self._subnet(subnet, groups[subnet], way_out) for subnet in layout.subnets],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"subnets": {str(subnet): layout.addresses.of(subnet) for subnet in layout.subnets}})

    def _security_group(self, subnet: Subnet, pods: str) -> net.NetworkSecurityGroup:
        return net.NetworkSecurityGroup(
            f"nsg-{subnet}",
            net.NetworkSecurityGroupInitArgs(
                network_security_group_name=self._where.of(f"nsg-{subnet}"),
                resource_group_name=self._where.group,
                location=self._where.location,
                security_rules=[self._rule(rule) for rule in rules(subnet, self._layout.flows, self._addresses, pods)],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _way_out(self, zones: list[str]) -> net.NatGateway:
        """Register the NAT gateway of the nodes: its address begins connections and accepts none."""
        where = self._where
        address = net.PublicIPAddress(
            "nat-address",
            net.PublicIPAddressInitArgs(
                public_ip_address_name=where.of("pip-nat"),
                resource_group_name=where.group,
                location=where.location,
                sku=net.PublicIPAddressSkuArgs(name=net.PublicIPAddressSkuName.STANDARD),
                public_ip_allocation_method=net.IPAllocationMethod.STATIC,
                zones=zones,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        address_id = known(where.id("Microsoft.Network/publicIPAddresses", where.of("pip-nat")), address)
        return net.NatGateway(
            "nat",
            net.NatGatewayInitArgs(
                nat_gateway_name=where.of("nat"),
                resource_group_name=where.group,
                location=where.location,
                sku=net.NatGatewaySkuArgs(name=net.NatGatewaySkuName.STANDARD),
                idle_timeout_in_minutes=4,
                public_ip_addresses=[net.SubResourceArgs(id=address_id)],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _subnet(self, subnet: Subnet, group: net.NetworkSecurityGroup, way_out: net.NatGateway) -> net.SubnetArgs:
        where = self._where
        group_id = known(where.id("Microsoft.Network/networkSecurityGroups", where.of(f"nsg-{subnet}")), group)
        nat_id = known(where.id("Microsoft.Network/natGateways", where.of("nat")), way_out)
        delegated = subnet is Subnet.API_SERVER
        return net.SubnetArgs(
            name=subnet,
            address_prefix=self._addresses.of(subnet),
            network_security_group=net.NetworkSecurityGroupArgs(id=group_id),
            nat_gateway=net.SubResourceArgs(id=nat_id) if subnet is Subnet.NODES else None,
            delegations=[net.DelegationArgs(name="api-server", service_name=API_SERVER_DELEGATION)] if delegated else None,
            default_outbound_access=False,
            # Without it the security group does not hold for private endpoints.
            private_endpoint_network_policies=net.VirtualNetworkPrivateEndpointNetworkPolicies.ENABLED,
        )

    def _rule(self, rule: Rule) -> net.SecurityRuleArgs:
        one_source, one_target, one_port = len(rule.sources) == 1, len(rule.targets) == 1, len(rule.ports) == 1
        given = self._layout.public_address
        public = {PUBLIC_ADDRESS: given} if given is not None else {}
        targets = [public.get(target, target) for target in rule.targets]
        return net.SecurityRuleArgs(
            name=rule.name,
            description=rule.why,
            priority=rule.priority,
            direction=net.SecurityRuleDirection.INBOUND if rule.inbound else net.SecurityRuleDirection.OUTBOUND,
            access=net.SecurityRuleAccess.ALLOW if rule.allow else net.SecurityRuleAccess.DENY,
            protocol=TRANSPORTS[rule.transport],
            source_port_range="*",
            source_address_prefix=rule.sources[0] if one_source else None,
            source_address_prefixes=None if one_source else list(rule.sources),
            destination_address_prefix=targets[0] if one_target else None,
            destination_address_prefixes=None if one_target else targets,
            destination_port_range=rule.ports[0] if one_port else None,
            destination_port_ranges=None if one_port else list(rule.ports),
        )
