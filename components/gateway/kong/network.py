"""Whom Kong's pods accept (the edge, on the port that serves doors) and whom they call."""

from collections.abc import Iterable
from typing import Final

from components.binding import Binding
from components.contracts import CounterStore, IngressOutputs, OutsideEdge
from components.gateway.inside import callers
from topology.derive import names, network
from topology.derive.manifest import Manifest

LABELS: Final = {names.APP_LABEL: names.GATEWAY, names.LAYER_LABEL: names.GATEWAY}
"""Of Kong's pods: the first by the chart's name for its Deployment, the second by its value `podLabels`."""
POD_PORT: Final = 8443


def fence(
    binding: Binding, ingresses: Iterable[IngressOutputs], counters: CounterStore | None, edge: OutsideEdge | None = None
) -> Manifest:
    """Return the policy of Kong's pods. Controller and proxy share a pod, so the pod may ask the API server."""
    egress = [network.dns(), network.ranges(binding.api_server, *binding.api_server_ports)]
    egress += [network.reach([network.pods(ingress.namespace, ingress.pod_labels)], ingress.pod_port) for ingress in ingresses]
    if counters is not None:
        egress.append(network.reach([network.pods(counters.namespace, counters.pod_labels)], counters.port))
    return network.policy(names.GATEWAY, names.GATEWAY_NAMESPACE, LABELS, ingress=[network.accept(callers(edge), POD_PORT)], egress=egress)
