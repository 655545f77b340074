"""Which traffic of a pod its sidecar sees."""

from typing import Final

from policies.reading.guards import Guard
from policies.reading.values import mapping

EXCLUDE_INBOUND: Final = "traffic.sidecar.istio.io/excludeInboundPorts"
INCLUDE_INBOUND: Final = "traffic.sidecar.istio.io/includeInboundPorts"
INTERCEPTION: Final = "sidecar.istio.io/interceptionMode"


def is_captured(guard: Guard, port: int) -> bool:
    """Say whether what arrives at a port of a pod goes through its sidecar: by the pod's annotations, else by the mesh's values."""
    annotations, general = guard.pod.annotations, mapping(mapping(guard.mesh.values.get("global")).get("proxy"))
    if annotations.get(INTERCEPTION) == "NONE":
        return False
    excluded = str(annotations.get(EXCLUDE_INBOUND, general.get("excludeInboundPorts") or ""))
    if str(port) in {part.strip() for part in excluded.split(",")}:
        return False
    included = str(annotations.get(INCLUDE_INBOUND, general.get("includeInboundPorts", "*")))
    return included == "*" or str(port) in {part.strip() for part in included.split(",")}
