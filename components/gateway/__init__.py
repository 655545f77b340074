"""The API gateway layer: who clients are, how often they may ask, which version they get. One folder for each product."""

import pulumi

from components.binding import Binding
from components.contracts import GatewayOutputs, MeshOutputs, Platform
from components.gateway.envoy import EnvoyGateway
from topology.findings import Finding
from topology.model.system import Topology


def build_gateway(binding: Binding, t: Topology, mesh: MeshOutputs, platform: Platform, *, parent: pulumi.Resource) -> GatewayOutputs:
    """Build the gateway."""
    return EnvoyGateway(binding, t, mesh, platform, parent=parent).outputs


def uncarried(binding: Binding, t: Topology) -> list[Finding]:
    """Return what is not carried."""
    return []
