"""Who calls the services of the topology, and by which host."""

from collections.abc import Container

from policies.reading.compare import key_of
from policies.reading.pods import Pod
from policies.reading.services import CLUSTER_DOMAIN
from policies.reading.stack import Stack
from topology.model.base import ServiceName
from topology.model.system import Topology


def hosts(t: Topology) -> dict[str, ServiceName]:
    """Return the services and compositions of a topology by their host in the cluster."""
    return {f"{name}.{t.namespace_of(name)}.svc.{CLUSTER_DOMAIN}": name for name in (*t.services, *t.compositions)}


def callers(stack: Stack, called: Container[str]) -> dict[tuple[str, str], Pod]:
    """Return the pods that send the calls of the topology to the pods behind some hosts, by their name and the host."""
    return {
        (str(sender), service.fqdn): sender
        for edge, trails in stack.ways.trails.items()
        if key_of(edge) in stack.expected_by_key
        for trail in trails
        for sender, receiver in trail.pairs
        for service in stack.services_of(receiver)
        if service.fqdn in called
    }
