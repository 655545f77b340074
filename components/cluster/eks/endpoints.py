"""Endpoints of AWS services in the network: nodes and pods reach them without leaving it."""

from collections.abc import Sequence
from typing import Final

import pulumi
from pulumi_aws import ec2

from components.aws.addresses import Tier
from components.aws.flows import Group
from components.aws.land import AwsNetwork
from components.aws.names import Names
from components.aws.rights import Statement, document
from components.component import Component

SERVICES: Final = ("ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "elasticloadbalancing", "logs", "sts")
"""What nodes and add-ons ask (EKS User Guide, `private-clusters`): joining, images, pod identities, target groups, logs."""


class Endpoints(Component, layer="cluster"):
    """One endpoint for each service, and the way to the images' layers in S3."""

    ready: list[pulumi.Resource]

    def __init__(self, names: Names, network: AwsNetwork, tables: Sequence[ec2.RouteTable], *, parent: pulumi.Resource) -> None:
        """Register the endpoints; `tables` are the route tables of the nodes."""
        super().__init__("endpoints", {"services": [*SERVICES, "s3"]}, parent=parent)
        self._names, self._own = names, pulumi.ResourceOptions(parent=self)
        self.ready = [self._interface(service, network) for service in SERVICES]
        self.ready.append(self._layers(network, tables))
        self.register_outputs({"services": [*SERVICES, "s3"]})

    def _interface(self, service: str, network: AwsNetwork) -> ec2.VpcEndpoint:
        """Register an endpoint that serves this account's own principals; what they may do, their roles say."""
        own = {"StringEquals": {"aws:PrincipalAccount": self._names.account}}
        anybody = Statement(sid="OwnAccount", actions=("*",), resources=("*",), principals="*", conditions=own)
        name = f"endpoint-{service}"
        return ec2.VpcEndpoint(
            name,
            ec2.VpcEndpointArgs(
                vpc_id=network.vpc.id,
                vpc_endpoint_type="Interface",
                service_name=f"com.amazonaws.{self._names.region}.{service}",
                subnet_ids=network.ids(Tier.INTRA),
                security_group_ids=[network.groups[Group.ENDPOINTS].id],
                private_dns_enabled=True,
                policy=document(anybody),
                tags=self._names.tags(name),
            ),
            opts=self._own,
        )

    def _layers(self, network: AwsNetwork, tables: Sequence[ec2.RouteTable]) -> ec2.VpcEndpoint:
        """Register the way to the bucket with the layers of ECR's images (ECR User Guide, `vpc-endpoints`), and to no other bucket."""
        bucket = f"arn:aws:s3:::prod-{self._names.region}-starport-layer-bucket/*"
        read = Statement(sid="Layers", actions=("s3:GetObject",), resources=(bucket,), principals="*")
        return ec2.VpcEndpoint(
            "endpoint-s3",
            ec2.VpcEndpointArgs(
                vpc_id=network.vpc.id,
                vpc_endpoint_type="Gateway",
                service_name=f"com.amazonaws.{self._names.region}.s3",
                route_table_ids=[table.id for table in tables],
                policy=document(read),
                tags=self._names.tags("endpoint-s3"),
            ),
            opts=self._own,
        )
