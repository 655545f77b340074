"""The API gateway layer: who clients are, how often they may ask, which version they get. One folder for each product."""

from collections.abc import Mapping
from typing import Final

import pulumi

from components.adapters import adapter
from components.binding import Binding, GatewayKind
from components.contracts import Below, GatewayOutputs, OutsideGatewayOutputs
from components.gateway import capabilities
from topology.findings import Finding
from topology.model.system import Topology

ADAPTERS: Final[Mapping[GatewayKind, str]] = {
    GatewayKind.ENVOY_GATEWAY: "components.gateway.envoy:EnvoyGateway",
    GatewayKind.KONG: "components.gateway.kong:KongGateway",
    GatewayKind.API_MANAGEMENT: "components.gateway.api_management.gateway:ApiManagement",
}
"""Components by product: `(binding, t, below, *, parent)` with `outputs`."""


def build_gateway(binding: Binding, t: Topology, below: Below, *, parent: pulumi.Resource) -> GatewayOutputs | OutsideGatewayOutputs:
    """Register the gateway that the stack file names. The topology must ask for nothing that it cannot carry (`uncarried`)."""
    return adapter(ADAPTERS[binding.gateway])(binding, t, below, parent=parent).outputs


def uncarried(binding: Binding, t: Topology, key: str = "gateway") -> list[Finding]:
    """Return everything that a topology asks for and the chosen gateway cannot carry; `key` of the stack file is where it was chosen."""
    return capabilities.findings(t, binding.gateway, key)
