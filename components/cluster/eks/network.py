"""The VPC: three tiers of subnets in three zones, each with the one way out that it needs, and security groups that are closed at first."""

from collections.abc import Iterable

import pulumi
from pulumi_aws import ec2

from components.aws.addresses import Addresses, Subnet, Tier
from components.aws.flows import ANYWHERE, Flow, Group
from components.aws.land import AwsNetwork
from components.aws.names import Names
from components.aws.rules import allow
from components.aws.sizes import Sizing
from components.component import Component

PURPOSES = {
    Group.EDGE: "The load balancer: open to clients on 443, calls the pods of the gateway alone",
    Group.NODES: "Nodes and pods",
    Group.API: "The Kubernetes API in the network",
    Group.ENDPOINTS: "Endpoints of AWS services in the network",
}


class Vpc(Component, layer="cluster"):
    """The network of an environment."""

    outputs: AwsNetwork

    def __init__(self, names: Names, addresses: Addresses, size: Sizing, flows: Iterable[Flow], *, parent: pulumi.Resource) -> None:
        """Register the network; `flows` are those of the cluster, the edge adds its own."""
        subnets = {subnet.name: str(subnet.addresses) for subnet in addresses.subnets}
        super().__init__("network", {"addresses": str(addresses.network), "subnets": subnets}, parent=parent)
        self._names, self._own = names, pulumi.ResourceOptions(parent=self)
        self._vpc = ec2.Vpc(
            "vpc",
            ec2.VpcArgs(cidr_block=str(addresses.network), enable_dns_support=True, enable_dns_hostnames=True, tags=names.tags("vpc")),
            opts=self._own,
        )
        self._associations: list[pulumi.Resource] = []
        self._close_defaults()
        made = {subnet.name: self._subnet(subnet) for subnet in addresses.subnets}
        tiers = {tier: tuple(made[subnet.name] for subnet in addresses.of(tier)) for tier in Tier}
        way_in, ways_out = self._routes(addresses, made, size.nat_gateways)
        groups = {group: self._group(group) for group in Group}
        allowed = allow(flows, groups, names, parent=self)
        self.outputs = AwsNetwork(
            addresses=addresses,
            vpc=self._vpc,
            subnets=tiers,
            groups=groups,
            ways_out=tuple(ways_out),
            way_in=way_in,
            ready=(*self._associations, *allowed),
        )
        self.register_outputs({"subnets": subnets})

    def _close_defaults(self) -> None:
        """Take every rule and route from what AWS makes with a VPC: what names no group or table of its own reaches nothing."""
        group = ec2.DefaultSecurityGroupArgs(vpc_id=self._vpc.id, ingress=[], egress=[], tags=self._names.tags("default-closed"))
        ec2.DefaultSecurityGroup("default-closed", group, opts=self._own)
        table = ec2.DefaultRouteTableArgs(
            default_route_table_id=self._vpc.default_route_table_id, routes=[], tags=self._names.tags("default-no-routes")
        )
        ec2.DefaultRouteTable("default-no-routes", table, opts=self._own)

    def _subnet(self, subnet: Subnet) -> ec2.Subnet:
        return ec2.Subnet(
            subnet.name,
            ec2.SubnetArgs(
                vpc_id=self._vpc.id,
                availability_zone=subnet.zone,
                cidr_block=str(subnet.addresses),
                map_public_ip_on_launch=False,
                # No `kubernetes.io/role/elb`: nobody in the cluster finds a subnet for a load balancer of his own.
                tags=self._names.tags(subnet.name),
            ),
            opts=self._own,
        )

    def _routes(
        self, addresses: Addresses, made: dict[str, ec2.Subnet], nat_gateways: int
    ) -> tuple[pulumi.Resource, list[pulumi.Resource]]:
        """Register route tables; return the route of the public subnets to the internet gateway, and the ways out of the private ones."""
        names, own = self._names, self._own
        internet = ec2.InternetGateway("internet", ec2.InternetGatewayArgs(vpc_id=self._vpc.id, tags=names.tags("internet")), opts=own)
        public = self._table("public", [made[subnet.name] for subnet in addresses.of(Tier.PUBLIC)])
        out = ec2.RouteArgs(route_table_id=public.id, destination_cidr_block=ANYWHERE, gateway_id=internet.id)
        open_ = ec2.Route("public-internet", out, opts=own)
        self._table("intra", [made[subnet.name] for subnet in addresses.of(Tier.INTRA)])
        nats = [self._nat(made[subnet.name], subnet, open_) for subnet in addresses.of(Tier.PUBLIC)[:nat_gateways]]
        found: list[pulumi.Resource] = []
        self.private_tables: list[ec2.RouteTable] = []
        for number, subnet in enumerate(addresses.of(Tier.PRIVATE)):
            table = self._table(subnet.name, [made[subnet.name]])
            self.private_tables.append(table)
            way = ec2.RouteArgs(route_table_id=table.id, destination_cidr_block=ANYWHERE, nat_gateway_id=nats[number % len(nats)].id)
            found.append(ec2.Route(f"{subnet.name}-outside", way, opts=own))
        return open_, found

    def _table(self, name: str, subnets: list[ec2.Subnet]) -> ec2.RouteTable:
        made = ec2.RouteTable(name, ec2.RouteTableArgs(vpc_id=self._vpc.id, tags=self._names.tags(name)), opts=self._own)
        for number, subnet in enumerate(subnets, start=1):
            given = ec2.RouteTableAssociationArgs(route_table_id=made.id, subnet_id=subnet.id)
            associated = ec2.RouteTableAssociation(f"{name}-{number}" if len(subnets) > 1 else name, given, opts=self._own)
            self._associations.append(associated)
        return made

    def _nat(self, public: ec2.Subnet, subnet: Subnet, after: pulumi.Resource) -> ec2.NatGateway:
        """Register a NAT gateway: its address begins connections and accepts none."""
        name = f"nat-{subnet.zone[-1]}"
        address = ec2.Eip(name, ec2.EipArgs(domain="vpc", tags=self._names.tags(name)), opts=self._own)
        given = ec2.NatGatewayArgs(
            allocation_id=address.allocation_id, subnet_id=public.id, connectivity_type="public", tags=self._names.tags(name)
        )
        return ec2.NatGateway(name, given, opts=pulumi.ResourceOptions(parent=self, depends_on=[after]))

    def _group(self, group: Group) -> ec2.SecurityGroup:
        """Register a security group without rules: not even that all may go out, which AWS gives a new one, stays."""
        given = ec2.SecurityGroupArgs(
            name=self._names.of(group),
            description=PURPOSES[group],
            vpc_id=self._vpc.id,
            revoke_rules_on_delete=True,
            tags=self._names.tags(group),
        )
        return ec2.SecurityGroup(group, given, opts=self._own)
