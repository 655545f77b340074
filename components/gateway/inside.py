"""A gateway that is pods of the cluster: what the edge must know of it, whatever the product."""

from collections.abc import Mapping

import pulumi

from components.contracts import GatewayOutputs
from topology.derive import names


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
