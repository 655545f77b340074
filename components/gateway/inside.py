"""A gateway that is pods of the cluster: what the edge must know of it, whatever the product."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.contracts import GatewayOutputs, OutsideEdge
from topology.derive import names, network


def outputs(pod_labels: Mapping[str, str], pod_port: int, service: pulumi.Resource) -> GatewayOutputs:
    """Return the contract of a gateway behind the Service that `routes.service` describes."""
    return GatewayOutputs(
        namespace=names.GATEWAY_NAMESPACE,
        service=names.GATEWAY,
        port=names.HTTPS_PORT,
        pod_labels=pod_labels,
        pod_port=pod_port,
        server_name=names.fqdn(names.GATEWAY, names.GATEWAY_NAMESPACE),
        ready=service,
    )


def callers(edge: OutsideEdge | None) -> list[dict[str, Any]]:
    """Return the only peers that a gateway accepts: the pods of the edge, or the ranges of one outside the cluster."""
    if edge is None:
        return [network.layer(names.EDGE_NAMESPACE, names.EDGE)]
    return [network.block(cidr) for cidr in edge.addresses]
