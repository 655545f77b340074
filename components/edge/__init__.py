"""The edge layer: the only public address. One folder for each product that can play it."""

from collections.abc import Mapping
from typing import Final

import pulumi

from components.adapters import adapter
from components.binding import Binding, EdgeKind
from components.contracts import Below, EdgeOutputs, GatewayOutputs, OutsideGatewayOutputs
from topology.model.system import Topology

ADAPTERS: Final[Mapping[EdgeKind, str]] = {
    EdgeKind.NGINX: "components.edge.nginx:NginxEdge",
    EdgeKind.APPLICATION_GATEWAY: "components.edge.application_gateway.edge:ApplicationGatewayEdge",
}
"""Components by product: `(binding, t, gateway, below, *, parent)` with `outputs: EdgeOutputs`."""


def build_edge(
    binding: Binding, t: Topology, gateway: GatewayOutputs | OutsideGatewayOutputs, below: Below, *, parent: pulumi.Resource
) -> EdgeOutputs:
    """Register the edge that the stack file names."""
    return adapter(ADAPTERS[binding.edge])(binding, t, gateway, below, parent=parent).outputs
