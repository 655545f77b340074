"""NetworkPolicies: which addresses reach which, whatever runs there. One policy for each workload, both directions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from topology.derive import names
from topology.derive.manifest import Manifest, manifest

API: Final = "networking.k8s.io/v1"
ANYWHERE: Final = "0.0.0.0/0"

Rule = dict[str, Any]
Peer = dict[str, Any]
Labels = Mapping[str, str]


def default_deny(namespace: str) -> Manifest:
    """Return the policy that isolates every pod of a namespace in both directions."""
    return manifest(API, "NetworkPolicy", "default-deny", namespace, {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})


def policy(name: str, namespace: str, pods: Labels, *, ingress: Sequence[Rule], egress: Sequence[Rule]) -> Manifest:
    """Return the policy of one workload: everything it accepts and everything it may call."""
    spec: dict[str, Any] = {"podSelector": {"matchLabels": dict(pods)} if pods else {}, "policyTypes": ["Ingress", "Egress"]}
    # An empty list says what no list says, and the API server drops it: written, it would be a difference for ever.
    spec |= {direction: list(rules) for direction, rules in (("ingress", ingress), ("egress", egress)) if rules}
    return manifest(API, "NetworkPolicy", name, namespace, spec)


def pods(namespace: str, labels: Labels) -> dict[str, Any]:
    """Return the peer that is some pods of one namespace."""
    peer: dict[str, Any] = {"namespaceSelector": {"matchLabels": {names.NAMESPACE_NAME_LABEL: namespace}}}
    if labels:
        peer["podSelector"] = {"matchLabels": dict(labels)}
    return peer


def layer(namespace: str, role: str) -> dict[str, Any]:
    """Return the peer that is the proxies of a layer: `edge`, `gateway`, `ingress`, `egress`, `bridge`."""
    return pods(namespace, {names.LAYER_LABEL: role})


def block(cidr: str) -> dict[str, Any]:
    """Return the peer that is a range of addresses outside the cluster."""
    return {"ipBlock": {"cidr": cidr}}


def tcp(*ports: int) -> list[dict[str, Any]]:
    """Return TCP ports."""
    return [{"protocol": "TCP", "port": port} for port in ports]


def accept(peers: Iterable[dict[str, Any]], *ports: int) -> Rule:
    """Return the ingress rule: these peers, on these ports of the pod."""
    return {"from": list(peers), "ports": tcp(*ports)}


def reach(peers: Iterable[dict[str, Any]], *ports: int) -> Rule:
    """Return the egress rule: these peers, on these ports of theirs."""
    return {"to": list(peers), "ports": tcp(*ports)}


def dns() -> Rule:
    """Return the egress rule to the cluster's name service."""
    ports = [{"protocol": "UDP", "port": names.DNS_PORT}, {"protocol": "TCP", "port": names.DNS_PORT}]
    return {"to": [pods(names.DNS_NAMESPACE, {"k8s-app": "kube-dns"})], "ports": ports}


def outside(inside: Iterable[str], *ports: int) -> Rule:
    """Return the egress rule to addresses that are not inside: `inside` are address ranges of the cluster and its networks."""
    return reach([{"ipBlock": {"cidr": ANYWHERE, "except": list(inside)}}], *ports)


def ranges(addresses: Iterable[str], *ports: int) -> Rule:
    """Return the egress rule to address ranges, such as those of the Kubernetes API server."""
    return reach([block(cidr) for cidr in addresses], *ports)
