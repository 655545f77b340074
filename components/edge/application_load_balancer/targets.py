"""The pods that the load balancer sends requests to: the gateway's, or those of nginx where it stands in between."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi

from components.aws.addresses import Tier
from components.aws.flows import Flow, edge_to_gateway, edge_to_nginx
from components.aws.land import land_of
from components.binding import Binding
from components.component import Component
from components.contracts import Below, GatewayOutputs
from components.edge.application_load_balancer.waits import idle
from components.edge.nginx import nginx, objects
from components.edge.nginx.balancer import HEALTH_CALL, MISDIRECTED, UNIMPLEMENTED, Balancer
from components.placement import has_nginx_behind_balancer
from topology.derive import names
from topology.model.base import Name
from topology.model.system import Topology

HTTPS_GROUP: Final = "https"
GRPC_GROUP: Final = "grpc"
"""Kinds of target groups."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """How the load balancer asks a pod whether it answers over TLS: for a path of no host, which is refused as it should be."""

    path: str
    refused: str
    """Status of HTTP, or of gRPC."""


GRPC_CHECK: Final = Check(path=HEALTH_CALL, refused=str(UNIMPLEMENTED))
"""Envoy and nginx answer alike to a call that no service has."""


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Pods behind one Service."""

    resource: str
    """Begins the Pulumi names of the target groups."""
    name: str
    """Ends their names in AWS, before the kind."""
    namespace: Name
    service: Name
    port: int
    """Of the Service."""
    pod_port: int
    checks: Mapping[str, Check]
    """By the kind of the target group."""
    flow: Flow
    """By which the load balancer reaches them."""
    ready: pulumi.Resource


def targets(owner: Component, binding: Binding, t: Topology, gateway: GatewayOutputs, below: Below) -> Targets:
    """Return the pods that the load balancer sends requests to; nginx is registered as children of `owner` where it is wanted."""
    if not has_nginx_behind_balancer(binding, t):
        return Targets(
            resource="gateway",
            name="gw",
            namespace=gateway.namespace,
            service=gateway.service,
            port=gateway.port,
            pod_port=gateway.pod_port,
            checks={HTTPS_GROUP: Check(path="/", refused="404"), GRPC_GROUP: GRPC_CHECK},
            flow=edge_to_gateway(gateway.pod_port),
            ready=gateway.ready,
        )
    balancer = Balancer(addresses=land_of(below).network.addresses.ranges(Tier.PUBLIC), idle=idle(binding, t))
    service = objects.service(objects.INSIDE)
    return Targets(
        resource="nginx",
        name="nginx",
        namespace=names.EDGE_NAMESPACE,
        service=names.EDGE,
        port=names.HTTPS_PORT,
        pod_port=names.EDGE_POD_PORT,
        checks={HTTPS_GROUP: Check(path="/", refused=str(MISDIRECTED)), GRPC_GROUP: GRPC_CHECK},
        flow=edge_to_nginx(names.EDGE_POD_PORT),
        ready=nginx(owner, binding, t, gateway, below.platform, service, balancer),
    )
