"""Fences of AWS's own pods in the cluster: where policies are enforced strictly, a pod without one reaches nobody."""

from collections.abc import Iterator
from typing import Final

import pulumi

from components.aws.addresses import IDENTITY_AGENT, IDENTITY_PORT, Addresses, Tier
from components.component import Component
from topology.derive import names, network
from topology.derive.manifest import Manifest

NAME_SERVICE: Final = {"k8s-app": "kube-dns"}
METRICS: Final = {"app.kubernetes.io/name": "metrics-server"}
COLLECTOR: Final = {"app.kubernetes.io/name": "fluent-bit"}
METRICS_PORT: Final = 10251
KUBELET_PORT: Final = 10250
API_PORT: Final = 443
ENDPOINT_PORT: Final = 443


class SystemPods(Component, layer="cluster"):
    """The policies of the name service, the metrics server and the collector of logs, in place before their pods are."""

    fences: list[pulumi.Resource]

    def __init__(self, cluster: pulumi.ProviderResource, addresses: Addresses, services: str, *, parent: pulumi.Resource) -> None:
        """Register the policies; `cluster` is a provider that waits for no node."""
        super().__init__("system-pods", {"namespace": names.DNS_NAMESPACE}, parent=parent, providers=[cluster])
        self.fences = [self.add(document) for document in policies(addresses, services)]
        self.register_outputs({})


def policies(addresses: Addresses, services: str) -> Iterator[Manifest]:
    """Yield the policies.

    Args:
        addresses: the plan of the network, which says where name service, API and nodes are.
        services: range of Kubernetes Services, in which the API has an address too.
    """
    at = names.DNS_NAMESPACE
    dns = [{"protocol": protocol, "port": names.DNS_PORT} for protocol in ("UDP", "TCP")]
    api = network.ranges([*addresses.ranges(Tier.INTRA), services], API_PORT)
    # Nodes and pods, which have addresses of the same subnets.
    asked = {"from": [network.block(cidr) for cidr in addresses.ranges(Tier.PRIVATE)], "ports": dns}
    outside = {"to": [network.block(f"{addresses.resolver}/32")], "ports": dns}
    yield network.policy("name-service", at, NAME_SERVICE, ingress=[asked], egress=[outside, api])
    measured = network.ranges(addresses.ranges(Tier.PRIVATE), KUBELET_PORT)
    from_api = network.accept([network.block(cidr) for cidr in addresses.ranges(Tier.INTRA)], METRICS_PORT)
    yield network.policy("metrics-server", at, METRICS, ingress=[from_api], egress=[network.dns(), api, measured])
    endpoints = network.ranges(addresses.ranges(Tier.INTRA), ENDPOINT_PORT)
    agent = network.ranges([IDENTITY_AGENT], IDENTITY_PORT)
    yield network.policy("fluent-bit", at, COLLECTOR, ingress=[], egress=[network.dns(), endpoints, agent])
