"""The edge of environment `local`: nginx with ModSecurity and the OWASP Core Rule Set, in the cluster."""

import pulumi

from components.binding import Binding
from components.component import Component
from components.contracts import Below, EdgeOutputs, GatewayOutputs
from components.edge.nginx import objects
from topology.derive import names
from topology.model.system import Topology


class NginxEdge(Component, layer="edge"):
    """The only public address of the system: TLS, web application firewall, limit by address, one location for each door's path."""

    outputs: EdgeOutputs

    def __init__(self, binding: Binding, t: Topology, gateway: GatewayOutputs, below: Below, *, parent: pulumi.Resource) -> None:
        """Register the edge after the gateway's Service, whose name nginx resolves once, when it starts."""
        super().__init__("edge", {"hosts": list(t.public_hosts()), "nodePort": binding.public_port}, parent=parent)
        platform = below.platform
        namespace = platform.namespaces[names.EDGE_NAMESPACE]
        fence = self.add(objects.network_policy(gateway.namespace, gateway.pod_labels, gateway.pod_port), after=[namespace])
        account = self.add(objects.account(), after=[namespace])
        address = f"{names.fqdn(gateway.service, gateway.namespace)}:{gateway.port}"
        files = objects.configuration(t, address)
        config = self.add(files, after=[namespace])
        waited = [fence, account, config, platform.certificates, gateway.ready]
        pods = self.add_all(objects.workload(t, files, binding.image("waf"), binding.replicas.edge), after=waited)
        # Last, so that the wait for its endpoints begins when there can be some, and nothing is public before it works.
        service = self.add(objects.service(binding.public_port), after=pods)
        self.outputs = EdgeOutputs(name=f"{names.EDGE_NAMESPACE}/{names.EDGE}", port=binding.public_port, ready=service)
        self.register_outputs({"namespace": names.EDGE_NAMESPACE, "service": names.EDGE, "nodePort": binding.public_port})
