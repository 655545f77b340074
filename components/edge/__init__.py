"""The edge layer: the only public address. One folder for each product that can play it."""

from collections.abc import Mapping
from typing import Final

import pulumi

from components.adapters import adapter
from components.binding import Binding, EdgeKind
from components.contracts import Below, EdgeOutputs, GatewayOutputs, OutsideGatewayOutputs
from topology.findings import Finding
from topology.model.system import Topology

ADAPTERS: Final[Mapping[EdgeKind, str]] = {
    EdgeKind.NGINX: "components.edge.nginx:NginxEdge",
    EdgeKind.APPLICATION_GATEWAY: "components.edge.application_gateway.edge:ApplicationGatewayEdge",
    EdgeKind.APPLICATION_LOAD_BALANCER: "components.edge.application_load_balancer.edge:ApplicationLoadBalancerEdge",
    EdgeKind.LOAD_BALANCER: "components.edge.load_balancer.edge:LoadBalancerEdge",
}
"""Components by product: `(binding, t, gateway, below, *, parent)` with `outputs: EdgeOutputs`."""


CARRIES: Final[Mapping[EdgeKind, str]] = {
    EdgeKind.APPLICATION_GATEWAY: "components.edge.application_gateway.carries:uncarried",
    EdgeKind.APPLICATION_LOAD_BALANCER: "components.edge.application_load_balancer.carries:uncarried",
    EdgeKind.LOAD_BALANCER: "components.edge.load_balancer.carries:uncarried",
}
"""What some products cannot carry: `(binding, t) -> Iterable[Finding]`. The others carry every topology that their gateways do."""


def uncarried(binding: Binding, t: Topology) -> list[Finding]:
    """Return everything that a topology asks for and the chosen edge cannot carry."""
    return list(adapter(CARRIES[binding.edge])(binding, t)) if binding.edge in CARRIES else []


def build_edge(
    binding: Binding, t: Topology, gateway: GatewayOutputs | OutsideGatewayOutputs, below: Below, *, parent: pulumi.Resource
) -> EdgeOutputs:
    """Register the edge that the stack file names."""
    return adapter(ADAPTERS[binding.edge])(binding, t, gateway, below, parent=parent).outputs
