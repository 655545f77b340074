"""M21: a service connects to whom it calls, to the name service and to its control plane."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from policies.checks import at, attempt
from policies.layers import Collector, Layer, collectors, layers_of
from policies.reading.cloud.addresses import Addresses, addresses
from policies.reading.meshes import Mesh
from policies.reading.namespaces import NAME_LABEL
from policies.reading.network import EVERY_PORT, PRIVATE, Block, Opening
from policies.reading.pods import Pod
from policies.reading.private_hosts import private_on, public_ports
from policies.reading.stack import Stack
from policies.rule import Finding, Rule, Severity
from policies.rules.k10_network_call_graph import (
    CallGraph,
    call_graph,
    controllers_of,
    openings_of,
    others_of,
    spelled,
    strangers,
    unread_policies,
)

DNS_NAMESPACE: Final = "kube-system"
DNS_LABELS: Final = ({"k8s-app": "kube-dns"}, {"k8s-app": "node-local-dns"})
"""How the cluster's name service is labelled by kubeadm, kind and the managed clusters."""
DNS_PORT: Final = 53
DISCOVERY_PORT: Final = 15012


class M21(Rule):
    """The way out of a service's pod is as narrow as its calls.

    Forbids:
        For pods of services and of a mesh's own gateways: egress rules without `to`, to address ranges (but for the egress
        gateway, and there to those private ones alone where `privateHosts` of the stack file says that a host is), to pods that the topology does not let them call, or on every port; anything
        else than declared callees, the name service on 53, istiod on 15012, and the proxies' telemetry.

    Why:
        A sidecar does not stop outbound traffic: a process may pass by it (UDP, user 1337, another network namespace), and
        REGISTRY_ONLY is no boundary by Istio's own words. A broken service then reaches the cloud's metadata address,
        the API server, other services' pods and the Internet. Only the network stops it.

    Instead:
        List the callees, DNS and istiod; outside hosts go under `egress` of the topology::

            egress:
              - to:
                  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
                    podSelector: {matchLabels: {k8s-app: kube-dns}}
                ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]
    """

    id = "M21"
    name = "egress-is-declared"
    severity = Severity.HIGH
    frameworks = ("Istio security best practices: egress", "C-0260", "NSA Kubernetes Hardening")

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check what each pod of a service or of a mesh's gateways may connect to."""
        layers, graph, telemetry = layers_of(stack), call_graph(stack), collectors(stack.meshes)
        yield from (self.undecided(policy, str(error)) for policy, error in unread_policies(stack).items())
        for pod in graph.senders:
            check = self._pod(pod, layers.pods.get(pod), graph, telemetry, stack)
            yield from attempt(self, pod.resource, check)
        for pod, layer in layers.pods.items():
            if layer in {Layer.EDGE, Layer.GATEWAY}:
                yield from attempt(self, pod.resource, self._front(pod, stack))
        for pod in (*others_of(graph, stack), *controllers_of(stack)):
            yield from attempt(self, pod.resource, self._front(pod, stack))

    def _front(self, pod: Pod, stack: Stack) -> Iterator[Finding]:
        for opening in stack.network.openings(pod, "Egress"):
            if opening.anyone:
                yield self.broken(opening.policy, f"a rule without to lets {pod} connect to everything", "name whom it calls")
            for block in opening.blocks:
                if block.may_hold_pods and block.network.prefixlen == 0:
                    yield self.broken(
                        opening.policy,
                        f"it lets {pod} connect to {block}, pods and nodes among them",
                        "except the addresses of the cluster (ipBlock.except)",
                    )
            if services := sorted(str(peer) for peer in opening.pods if peer.namespace in stack.app_namespaces):
                yield self.broken(
                    opening.policy,
                    f"it lets {pod} connect to {services[0]}: requests reach services through the mesh's own gateways",
                    "name the layer behind it alone",
                )

    def _pod(self, pod: Pod, layer: Layer | None, graph: CallGraph, telemetry: frozenset[Collector], stack: Stack) -> Iterator[Finding]:
        expected = graph.receivers.get(pod, frozenset())
        for opening, rule in openings_of(pod, "Egress", stack):
            policy = opening.policy
            if opening.anyone:
                yield self.broken(policy, f"a rule without to lets {pod} connect to everything", "name whom it calls")
                continue
            yield from self._blocks(pod, layer, opening, stack)
            yield from self._outside(pod, layer, opening, stack)
            yield from self._strangers(pod, opening, rule, telemetry)
            undeclared = sorted(str(peer) for peer in opening.pods - expected if not _is_needed(pod, peer, opening, telemetry, stack))
            if undeclared:
                more = f" and {len(undeclared) - 1} more" if len(undeclared) > 1 else ""
                yield self.broken(
                    policy,
                    f"it lets {pod} connect to {undeclared[0]}{more}, which the topology does not let it call",
                    "name declared callees only",
                )
            if opening.ports == EVERY_PORT:
                yield self.broken(policy, f"a rule without ports lets {pod} connect to every port", "name the ports of the callees")

    def _blocks(self, pod: Pod, layer: Layer | None, opening: Opening, stack: Stack) -> Iterator[Finding]:
        for block in opening.blocks:
            if layer is not Layer.EGRESS:
                yield self.broken(
                    opening.policy,
                    f"it lets {pod} connect to the addresses {block}: the way out is the egress gateway",
                    "declare the host under egress",
                )
            elif block.is_private and not _is_of_hosts(block, opening, stack, _meshes(pod, stack)):
                among = "pods and nodes" if block.may_hold_pods else "private addresses"
                yield self.broken(
                    opening.policy,
                    f"it lets {pod} connect to {block}, {among} among them",
                    "except private addresses (ipBlock.except); `privateHosts` of the stack file says where private hosts are",
                )

    def _outside(self, pod: Pod, layer: Layer | None, opening: Opening, stack: Stack) -> Iterator[Finding]:
        """Check that the way out is open on the ports of hosts only that services of its own mesh call, which they do over TCP."""
        blocks = [block for block in opening.blocks if block.holds_outside]
        declared = public_ports(stack, _meshes(pod, stack))
        if layer is Layer.EGRESS and blocks and opening.ports != EVERY_PORT:
            for opened in opening.ports:
                if not opened.is_one or opened.first not in declared or opened.transport != "TCP":
                    yield self.broken(opening.policy, f"it opens {opened} of addresses outside, which no egress names", "remove the port")

    def _strangers(self, pod: Pod, opening: Opening, rule: Mapping[str, Any], telemetry: frozenset[Collector]) -> Iterator[Finding]:
        for peer in strangers(opening, at(rule, "to", default=[])):
            if not _is_dns(peer, opening) and not _is_collector(peer, opening, telemetry):
                yield self.broken(
                    opening.policy,
                    f"it lets {pod} connect to {spelled(peer)}, which this stack does not show",
                    "name declared callees, kube-dns or istiod only",
                )


def _meshes(pod: Pod, stack: Stack) -> tuple[Mesh, ...]:
    member = stack.member(pod)
    return (member[0],) if member else ()


def _is_of_hosts(block: Block, opening: Opening, stack: Stack, meshes: Iterable[Mesh]) -> bool:
    """Say whether a range holds addresses of private hosts alone that some meshes call, on their ports, and none that a pod is known to have."""
    homes = addresses(*map(str, block.homes)) if block.homes is not PRIVATE else Addresses()
    ports = [opened.first for opened in opening.ports if opened.is_one and opened.first is not None]
    return (
        len(ports) == len(opening.ports)
        and block.network.version == 4  # privateHosts gives no other
        and not homes & block.addresses
        and all(private_on(stack, port, meshes).holds(block.addresses) for port in ports)
    )


def _is_needed(pod: Pod, peer: Pod, opening: Opening, telemetry: frozenset[Collector], stack: Stack) -> bool:
    """Say whether every proxy needs a peer: its control plane on 15012, a telemetry service on its port."""
    ports = {(each.first, each.last) for each in opening.ports}
    member = stack.member(pod)
    if member and peer.maker and peer.resource.urn == member[0].release.urn:
        return ports == {(DISCOVERY_PORT, DISCOVERY_PORT)}
    hosts = {service.fqdn for service in stack.services_of(peer)} | {f"{s.name}.{s.namespace}" for s in stack.services_of(peer)}
    return any(collector.host in hosts for collector in telemetry)


def _is_dns(peer: Mapping[str, Any], opening: Opening) -> bool:
    """Say whether a peer is the cluster's name service, asked on its port alone."""
    place = at(peer, "namespaceSelector", "matchLabels", default={})
    labels = at(peer, "podSelector", "matchLabels", default={})
    return (
        place == {NAME_LABEL: DNS_NAMESPACE} and labels in DNS_LABELS and all(each.first == each.last == DNS_PORT for each in opening.ports)
    )


def _is_collector(peer: Mapping[str, Any], opening: Opening, telemetry: frozenset[Collector]) -> bool:
    """Say whether a peer is in the namespace of a telemetry service and asked on its port alone."""
    place = at(peer, "namespaceSelector", "matchLabels", NAME_LABEL, default="")
    ports = {each.first for each in opening.ports if each.first == each.last}
    return any(collector.host.split(".")[1:2] == [place] and ports == {collector.port} for collector in telemetry)
