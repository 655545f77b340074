"""The edge layer: the only public address. One folder for each product that can play it."""

from collections.abc import Callable, Mapping
from typing import Final

import pulumi

from components.binding import Binding, EdgeKind
from components.contracts import EdgeOutputs, GatewayOutputs, Platform
from components.edge.nginx import NginxEdge
from topology.model.system import Topology

ADAPTERS: Final[Mapping[EdgeKind, Callable[..., NginxEdge]]] = {EdgeKind.NGINX: NginxEdge}


def build_edge(binding: Binding, t: Topology, gateway: GatewayOutputs, platform: Platform, *, parent: pulumi.Resource) -> EdgeOutputs:
    """Register the edge that the stack file names."""
    return ADAPTERS[binding.edge](binding, t, gateway, platform, parent=parent).outputs
