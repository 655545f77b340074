"""What NetworkPolicies mean: which pod addresses may talk to which others, on which ports.

The standard is the description of networking.k8s.io/v1 NetworkPolicy: a pod is isolated in a direction as soon as one policy that selects it names that
direction; then only what some policy of that direction allows passes; a connection needs both its ends to agree.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address
from typing import Any, Final

from lab.enforcer.objects import Cluster, Json, Pod
from lab.enforcer.objects import Policy as Given
from lab.enforcer.selectors import matches
from lab.enforcer.spans import EVERY_ADDRESS, EVERY_PORT, Span, addresses, holds, union, without

DIRECTIONS: Final[Mapping[str, tuple[str, str]]] = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}
"""Per policy type: the fields that hold its rules, and in a rule its peers."""

Endpoint = tuple[str, str, int]
"""Address, protocol (TCP, UDP, SCTP) and port of a server."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """Where a rule leads to: ports by number, and by the name that the server's pod gives them."""

    spans: Mapping[str, tuple[Span, ...]]
    """By protocol."""
    named: frozenset[Endpoint]


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One way to pass: these peers, on these ports."""

    pods: frozenset[str]
    """Addresses of the pods that the peers' selectors mean."""
    blocks: tuple[Span, ...]
    ports: Ports | None
    """None: every protocol and port."""

    def admits(self, peer: str, server: Endpoint) -> bool:
        """Tell whether a connection with this peer to this server passes."""
        _, protocol, port = server
        return (peer in self.pods or holds(self.blocks, int(IPv4Address(peer)))) and (
            self.ports is None or server in self.ports.named or holds(self.ports.spans.get(protocol, ()), port)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """One policy in one direction: the pods that it isolates, and what it lets pass."""

    name: str
    """`namespace/name`."""
    pods: frozenset[str]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """All policies of a cluster, resolved to addresses."""

    pods: frozenset[str]
    """Every pod address there is."""
    policies: Mapping[str, tuple[Policy, ...]]
    """By policy type: `Ingress`, `Egress`."""

    @cached_property
    def selected(self) -> Mapping[str, Mapping[str, tuple[Policy, ...]]]:
        """The policies of each isolated pod address, by policy type."""
        found: dict[str, dict[str, tuple[Policy, ...]]] = {kind: {} for kind in DIRECTIONS}
        for kind, policies in self.policies.items():
            for policy in policies:
                for address in policy.pods:
                    found[kind][address] = (*found[kind].get(address, ()), policy)
        return found

    def admits(self, client: str, server: Endpoint) -> bool:
        """Tell whether a new connection from an address to a server passes. Meaningful between pods, and between a pod and another machine."""
        if client == server[0]:
            return True
        ends = (("Egress", client, server[0]), ("Ingress", server[0], client))
        return all(
            any(rule.admits(peer, server) for policy in policies for rule in policy.rules)
            for kind, pod, peer in ends
            if (policies := self.selected[kind].get(pod)) is not None
        )


class _Compiler:
    """Resolves selectors of one cluster, each kind of question once."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._by_namespace: dict[str, list[Pod]] = {}
        self._by_port: dict[str, set[Endpoint]] = {}
        self._answers: dict[str, tuple[frozenset[str], tuple[Span, ...]]] = {}
        for pod in cluster.pods.values():
            self._by_namespace.setdefault(pod.namespace, []).append(pod)
            for port in pod.ports:
                self._by_port.setdefault(port.name, set()).add((pod.address, port.protocol, port.number))

    def pods(self, namespaces: Iterable[str], selector: Json) -> frozenset[str]:
        """Return the addresses of the pods of these namespaces that a selector means."""
        return frozenset(pod.address for name in namespaces for pod in self._by_namespace.get(name, ()) if matches(selector, pod.labels))

    def _peer(self, home: str, peer: Json) -> tuple[frozenset[str], tuple[Span, ...]]:
        """Resolve one peer of a policy in a namespace; policies ask for the same peers again and again."""
        question = f"{home} {json.dumps(peer, sort_keys=True)}" if "namespaceSelector" not in peer else json.dumps(peer, sort_keys=True)
        if question not in self._answers:
            self._answers[question] = self._resolved(home, peer)
        return self._answers[question]

    def _resolved(self, home: str, peer: Json) -> tuple[frozenset[str], tuple[Span, ...]]:
        """Resolve one peer. One that says nothing this version knows means nobody, as the API asks of implementers."""
        if block := peer.get("ipBlock"):
            holes = [span for hole in block.get("except") or () for span in addresses(hole)]
            return frozenset(), tuple(left for span in addresses(block["cidr"]) for left in without(span, holes))
        chosen, pods = peer.get("namespaceSelector"), peer.get("podSelector")
        if chosen is None and pods is None:
            return frozenset(), ()
        names = [home] if chosen is None else [name for name, labels in self._cluster.namespaces.items() if matches(chosen, labels)]
        return self.pods(names, pods or {}), ()

    def _ports(self, ports: Sequence[Json], servers: frozenset[str] | None) -> Ports:
        """Resolve ports. `servers` are the pods whose names count: those that an ingress policy selects; any, for egress."""
        spans: dict[str, list[Span]] = {}
        named: set[Endpoint] = set()
        for given in ports:
            protocol, port = given.get("protocol") or "TCP", given.get("port")
            if isinstance(port, str):
                named |= {one for one in self._by_port.get(port, ()) if one[1] == protocol and (servers is None or one[0] in servers)}
            else:
                spans.setdefault(protocol, []).append(EVERY_PORT if port is None else (port, given.get("endPort") or port))
        return Ports(spans={protocol: union(found) for protocol, found in spans.items()}, named=frozenset(named))

    def _rule(self, given: Json, peers_field: str, home: str, servers: frozenset[str] | None) -> Rule:
        peers, ports = given.get(peers_field) or (), given.get("ports") or ()
        resolved = [self._peer(home, peer) for peer in peers]
        return Rule(
            pods=frozenset[str]().union(*(pods for pods, _ in resolved)),
            blocks=union(span for _, blocks in resolved for span in blocks) if peers else (EVERY_ADDRESS,),
            ports=self._ports(ports, servers) if ports else None,
        )

    def policy(self, given: Given, kind: str) -> Policy | None:
        """Resolve one direction of a policy. None: it does not speak about that direction.

        What cannot be understood is not allowed: the policy then isolates the pods that it selects, or its whole namespace, and lets nothing pass.
        """
        rules_field, peers_field = DIRECTIONS[kind]
        if kind not in (given.spec.get("policyTypes") or _default_types(given.spec)):
            return None
        name = f"{given.namespace}/{given.name}"
        pods = self.pods([given.namespace], {})
        try:
            pods = self.pods([given.namespace], given.spec.get("podSelector") or {})
            servers = pods if kind == "Ingress" else None
            rules = tuple(self._rule(rule, peers_field, given.namespace, servers) for rule in given.spec.get(rules_field) or ())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            logging.getLogger(__name__).warning("policy %s: %r; nothing passes its pods by it", name, error)
            rules = ()
        return Policy(name=name, pods=pods, rules=rules)


def _default_types(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the policy types of a policy that names none."""
    return ("Ingress", "Egress") if spec.get("egress") else ("Ingress",)


def compiled(cluster: Cluster) -> Compiled:
    """Resolve all policies of a cluster to addresses."""
    compiler = _Compiler(cluster)
    return Compiled(
        pods=frozenset(cluster.pods),
        policies={
            kind: tuple(found for one in cluster.policies if (found := compiler.policy(one, kind)) is not None) for kind in DIRECTIONS
        },
    )
