"""The API gateway layer: who clients are, how often they may ask, which version they get. One folder for each product."""

from collections.abc import Callable, Mapping
from typing import Final

import pulumi

from components.binding import Binding, GatewayKind
from components.contracts import GatewayOutputs, MeshOutputs, Platform
from components.gateway import capabilities
from components.gateway.envoy import EnvoyGateway
from components.gateway.kong import KongGateway
from topology.findings import Finding
from topology.model.system import Topology

ADAPTERS: Final[Mapping[GatewayKind, Callable[..., EnvoyGateway | KongGateway]]] = {
    GatewayKind.ENVOY_GATEWAY: EnvoyGateway,
    GatewayKind.KONG: KongGateway,
}


def build_gateway(binding: Binding, t: Topology, mesh: MeshOutputs, platform: Platform, *, parent: pulumi.Resource) -> GatewayOutputs:
    """Register the gateway that the stack file names. The topology must ask for nothing that it cannot carry (`uncarried`)."""
    return ADAPTERS[binding.gateway](binding, t, mesh, platform, parent=parent).outputs


def uncarried(binding: Binding, t: Topology) -> list[Finding]:
    """Return everything that a topology asks for and the chosen gateway cannot carry: nothing is dropped silently."""
    return capabilities.findings(t, binding.gateway)
