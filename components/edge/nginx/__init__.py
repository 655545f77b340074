"""nginx with ModSecurity and the OWASP Core Rule Set, in the cluster: the edge of environment `local`, and a part of other edges."""

import pulumi

from components.binding import Binding
from components.component import Component
from components.contracts import Below, EdgeOutputs, GatewayOutputs, Platform
from components.edge.nginx import objects
from components.edge.nginx.balancer import Balancer
from topology.derive import names, network
from topology.derive.manifest import Manifest
from topology.model.system import Topology


class NginxEdge(Component, layer="edge"):
    """The only public address of the system: TLS, web application firewall, limit by address, one location for each door's path."""

    outputs: EdgeOutputs

    def __init__(self, binding: Binding, t: Topology, gateway: GatewayOutputs, below: Below, *, parent: pulumi.Resource) -> None:
        """Register the edge after the gateway's Service."""
        super().__init__("edge", {"hosts": list(t.public_hosts()), "nodePort": binding.public_port}, parent=parent)
        service = objects.service(objects.BY_NODES, node_port=binding.public_port)
        ready = nginx(self, binding, t, gateway, below.platform, service)
        self.outputs = EdgeOutputs(name=f"{names.EDGE_NAMESPACE}/{names.EDGE}", port=binding.public_port, ready=ready)
        self.register_outputs({"namespace": names.EDGE_NAMESPACE, "service": names.EDGE, "nodePort": binding.public_port})


def nginx(  # noqa: PLR0913, PLR0917 # what stands around it
    owner: Component,
    binding: Binding,
    t: Topology,
    gateway: GatewayOutputs,
    platform: Platform,
    service: Manifest,
    balancer: Balancer | None = None,
) -> pulumi.Resource:
    """Register nginx as children of an edge, after the gateway's Service, whose name it resolves once, when it starts.

    Args:
        owner: the edge.
        binding: of the stack.
        t: the system.
        gateway: where requests go.
        platform: namespace and certificates.
        service: by which clients, or a load balancer, find the pods (`objects.service`).
        balancer: what ends clients' TLS in front; without it clients connect themselves.

    Returns:
        The Service, once pods stand behind it.
    """
    namespace = platform.namespaces[names.EDGE_NAMESPACE]
    callers = balancer.addresses if balancer else (network.ANYWHERE,)
    closed = objects.network_policy(gateway.namespace, gateway.pod_labels, gateway.pod_port, callers)
    fence = owner.add(closed, after=[namespace])
    account = owner.add(objects.account(), after=[namespace])
    address = f"{names.fqdn(gateway.service, gateway.namespace)}:{gateway.port}"
    files = objects.configuration(t, address, balancer)
    config = owner.add(files, after=[namespace])
    waited = [fence, account, config, platform.certificates, gateway.ready]
    pods = owner.add_all(objects.workload(t, files, binding.image("waf"), binding.replicas.edge), after=waited)
    # Last, so that the wait for its endpoints begins when there can be some, and nothing is public before it works.
    return owner.add(service, after=pods)
