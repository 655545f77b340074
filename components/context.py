"""What the layers of the cluster and the mesh are built from: the stack's binding, and the topology with its calls indexed."""

from dataclasses import dataclass

from components.binding import Binding
from components.contracts import OutsideGateway, PublicIssuer
from components.ways import inside
from topology.derive import names, network
from topology.derive.fences import Surroundings
from topology.derive.relations import Relations
from topology.model.base import Name
from topology.model.system import Topology


@dataclass(frozen=True, kw_only=True)
class Context:
    """One system in one environment."""

    binding: Binding
    relations: Relations
    around: Surroundings
    outside: OutsideGateway | None = None
    """The gateway, where the stack file has one outside the cluster."""
    issuer: PublicIssuer | None = None
    """Who signs what clients see, where the cloud proves the hosts."""

    @property
    def traced(self) -> bool:
        """Whether proxies send traces anywhere."""
        return self.around.collector is not None


def context(binding: Binding, t: Topology, outside: OutsideGateway | None = None, issuer: PublicIssuer | None = None) -> Context:
    """Return the context of a stack; the topology's calls are indexed here, once."""
    collector = binding.collector
    around = Surroundings(
        inside=binding.inside,
        api_server=binding.api_server,
        api_server_ports=binding.api_server_ports,
        private_hosts=binding.private_hosts,
        gateways=_callers(binding, t, outside) if outside else {},
        collector=(network.pods(collector.namespace, collector.pod_labels), collector.port) if collector else None,
    )
    return Context(binding=binding, relations=Relations(t), around=around, outside=outside, issuer=issuer)


def _callers(binding: Binding, t: Topology, outside: OutsideGateway) -> dict[Name, list[network.Peer]]:
    """Return by mesh who calls its ingress: the gateway outside, that of the stack's alternative, or both."""
    blocks = [network.block(cidr) for cidr in outside.addresses]
    found = {mesh: list(blocks) for mesh in outside.load_balancers}
    beside = inside(binding, t)
    for mesh in beside.doors_by_mesh() if beside else ():
        found.setdefault(mesh, []).append(network.layer(names.GATEWAY_NAMESPACE, names.GATEWAY))
    return found
