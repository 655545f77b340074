"""The address level: which pods NetworkPolicies let connect to which, port by port.

Semantics as in the Kubernetes documentation (https://kubernetes.io/docs/concepts/services-networking/network-policies/): a pod
that no policy of a direction selects is open in that direction; policies add up; a connection needs both sides.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final, Literal

from policies.reading.cloud.addresses import Addresses
from policies.reading.cloud.addresses import addresses as addresses_of
from policies.reading.namespaces import NAME_LABEL, Namespace
from policies.reading.pods import Pod, Pods
from policies.reading.resource import Resource
from policies.reading.selectors import matches
from policies.reading.values import UnknownValueError, mapping, sequence

Direction = Literal["Ingress", "Egress"]
Network4or6 = IPv4Network | IPv6Network

PRIVATE: Final = tuple(ip_network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
"""Where pods and Services have their addresses (RFC 1918, RFC 6598, RFC 4193)."""

UNROUTED: Final = (*PRIVATE, *(ip_network(block) for block in ("169.254.0.0/16", "fe80::/10")))
"""What is not the internet: private addresses, and link-local ones (RFC 3927, RFC 4291), where clouds tell machines their credentials."""


@dataclass(frozen=True, kw_only=True)
class PortRange:
    """Ports that a rule opens; `name` stands for the container port of that name."""

    transport: str
    first: int | None = None
    last: int | None = None
    name: str = ""

    @property
    def is_one(self) -> bool:
        """Say whether it is one port: no range, and not every port of a transport."""
        return bool(self.name) or (self.first is not None and self.first == self.last)

    def holds(self, port: int, transport: str, pod: Pod | None) -> bool:
        """Say whether a port of a pod is among them."""
        if self.transport != transport:
            return False
        if self.name:
            return pod is not None and pod.port_number(self.name) == port
        return self.first is None or (self.last is not None and self.first <= port <= self.last)

    def __str__(self) -> str:
        """Spell the ports."""
        if self.name:
            return self.name
        if self.first is None:
            return "every port"
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


EVERY_PORT: Final = tuple(PortRange(transport=transport) for transport in ("TCP", "UDP", "SCTP"))


@dataclass(frozen=True, kw_only=True)
class Block:
    """Addresses of an `ipBlock`, without its exceptions."""

    network: Network4or6
    holes: tuple[Network4or6, ...]
    homes: tuple[Network4or6, ...] = PRIVATE
    """Where pods of the cluster may have their addresses."""

    def __str__(self) -> str:
        """Spell the addresses."""
        return f"{self.network}{f' except {len(self.holes)} ranges' if self.holes else ''}"

    @property
    def addresses(self) -> Addresses:
        """Return the addresses, without the exceptions."""
        return addresses_of(str(self.network)) - addresses_of(*map(str, self.holes))

    @property
    def may_hold_pods(self) -> bool:
        """Say whether some address that a pod may have is among them."""
        for home in self.homes:
            if home.version == self.network.version and home.overlaps(self.network):
                smaller = home if home.prefixlen >= self.network.prefixlen else self.network
                if not any(smaller.version == hole.version and smaller.subnet_of(hole) for hole in self.holes):  # type: ignore[arg-type] # same version
                    return True
        return False

    @property
    def is_private(self) -> bool:
        """Say whether some address that is not of the internet is among them, a pod's or not."""
        if self.network.version == 6:  # of which sets of addresses know no ranges
            return self.may_hold_pods or any(self.network.overlaps(each) for each in UNROUTED if each.version == 6)
        return self.may_hold_pods or bool(self.addresses & addresses_of(*map(str, UNROUTED)))

    @property
    def holds_outside(self) -> bool:
        """Say whether some public address is among them."""
        return not any(private.version == self.network.version and self.network.subnet_of(private) for private in PRIVATE)  # type: ignore[arg-type] # same version


@dataclass(frozen=True, kw_only=True, eq=False)
class Opening:
    """One rule of a policy: these peers, on these ports."""

    policy: Resource
    anyone: bool
    """No peer is named: everybody, inside and outside."""
    pods: frozenset[Pod]
    strangers: tuple[str, ...]
    """Selectors that match no pod of the program: pods that others run, such as the cluster's DNS."""
    blocks: tuple[Block, ...]
    ports: tuple[PortRange, ...]

    def on(self, port: int, transport: str, pod: Pod | None) -> bool:
        """Say whether the rule opens a port; `pod` is whose port it is."""
        return any(ports.holds(port, transport, pod) for ports in self.ports)

    def names(self, peer: Pod | None) -> bool:
        """Say whether the rule names a pod, or (None) an address outside the cluster."""
        if self.anyone:
            return True
        if peer is None:
            return any(block.holds_outside for block in self.blocks)
        return peer in self.pods or any(block.may_hold_pods for block in self.blocks)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Whether a connection is possible at address level, and by which resources."""

    allowed: bool
    by: tuple[str, ...]
    """What allows it, sender's side first; or what refuses it."""
    resource: Resource | None = None
    """A policy that takes part in the decision; the one that refuses where the connection is refused."""


@dataclass(kw_only=True)
class _Rules:
    policies: list[Resource] = field(default_factory=list[Resource])
    openings: list[Opening] = field(default_factory=list[Opening])


class Network:
    """All NetworkPolicies of a stack."""

    def __init__(
        self,
        policies: Iterable[Resource],
        pods: Pods,
        namespaces: Mapping[str, Namespace],
        note: Callable[[Resource, UnknownValueError], None],
        homes: tuple[Network4or6, ...] = (),
    ) -> None:
        """Resolve every selector once. A policy that cannot be read is given to `note`, which leaves the stack undecided.

        `homes` are the networks in which pods have their addresses, where that is known: any private one elsewhere.
        """
        self._homes = (*homes, PRIVATE[-1]) if homes else PRIVATE
        self._pods = pods
        self._namespaces = dict(namespaces)
        for pod in pods:
            if pod.namespace not in self._namespaces:
                self._namespaces[pod.namespace] = Namespace(name=pod.namespace, labels={NAME_LABEL: pod.namespace})
        self._rules: dict[tuple[Pod, str], _Rules] = {}
        for policy in policies:
            try:
                self._add(policy)
            except UnknownValueError as error:
                note(policy, error)
            except (TypeError, KeyError, AttributeError, ValueError) as error:
                note(policy, UnknownValueError(str(policy), f"not of the expected shape ({type(error).__name__}: {error})"))

    def policies_on(self, pod: Pod, direction: Direction) -> tuple[Resource, ...]:
        """Return the policies that select a pod for a direction; without any the pod is open in it."""
        rules = self._rules.get((pod, direction))
        return tuple(rules.policies) if rules else ()

    def openings(self, pod: Pod, direction: Direction) -> tuple[Opening, ...]:
        """Return what the policies on a pod open in a direction."""
        rules = self._rules.get((pod, direction))
        return tuple(rules.openings) if rules else ()

    def is_open(self, pod: Pod, direction: Direction) -> bool:
        """Say whether nothing restricts a pod in a direction: no policy selects it, or it uses the node's network."""
        return (pod, direction) not in self._rules or pod.host_network

    def flow(self, source: Pod | None, target: Pod | None, port: int, transport: str = "TCP") -> Decision:
        """Decide a connection to a container port. None is an address outside the cluster.

        A pod reaches itself whatever the policies say; that is not asked here.
        """
        by: list[str] = []
        used: Resource | None = None
        sides: tuple[tuple[Pod | None, Pod | None, Direction], ...] = ((source, target, "Egress"), (target, source, "Ingress"))
        for pod, peer, direction in sides:
            if pod is None:
                continue
            if self.is_open(pod, direction):
                by.append(f"no NetworkPolicy restricts {direction.lower()} of {pod}")
                continue
            found = next((o for o in self.openings(pod, direction) if o.on(port, transport, target) and o.names(peer)), None)
            if found is None:
                policies = self.policies_on(pod, direction)
                whom = str(peer) if peer else "addresses outside"
                names = ", ".join(sorted(str(policy) for policy in policies))
                word = "to" if direction == "Egress" else "from"
                return Decision(allowed=False, by=(f"{names}: no {direction.lower()} {word} {whom} on port {port}",), resource=policies[0])
            by.append(str(found.policy))
            used = found.policy
        return Decision(allowed=True, by=tuple(by), resource=used)

    def flow_to(self, source: Pod, addresses: Addresses, port: int, transport: str = "TCP") -> Decision:
        """Decide a connection to addresses outside the cluster's pods, such as those of a private host: allowed where all of them are opened."""
        if self.is_open(source, "Egress"):
            return Decision(allowed=True, by=(f"no NetworkPolicy restricts egress of {source}",))
        opened, policy = Addresses(), self.policies_on(source, "Egress")[0]
        for opening in self.openings(source, "Egress"):
            if opening.on(port, transport, None):
                if opening.anyone:
                    return Decision(allowed=True, by=(str(opening.policy),), resource=opening.policy)
                for block in opening.blocks:
                    opened, policy = opened | block.addresses, opening.policy
        if opened.holds(addresses):
            return Decision(allowed=True, by=(str(policy),), resource=policy)
        return Decision(allowed=False, by=(f"{policy}: no egress to all of {addresses} on port {port}",), resource=policy)

    def flow_from(self, addresses: Addresses, sender: str, target: Pod, port: int, transport: str = "TCP") -> Decision:
        """Decide a connection from addresses outside the cluster's pods, such as a load balancer's: allowed where some of them are let in."""
        if self.is_open(target, "Ingress"):
            return Decision(allowed=True, by=(f"no NetworkPolicy restricts ingress of {target}",))
        for opening in self.openings(target, "Ingress"):
            if opening.on(port, transport, target) and (opening.anyone or any(block.addresses & addresses for block in opening.blocks)):
                return Decision(allowed=True, by=(str(opening.policy),), resource=opening.policy)
        policies = self.policies_on(target, "Ingress")
        names = ", ".join(sorted(map(str, policies)))
        return Decision(allowed=False, by=(f"{names}: no ingress from {sender} ({addresses}) on port {port}",), resource=policies[0])

    def senders(self, target: Pod, port: int, transport: str = "TCP") -> tuple[bool, frozenset[Pod]]:
        """Return whether everybody may connect to a port as far as the receiver's policies go, and which pods are named."""
        if self.is_open(target, "Ingress"):
            return True, frozenset()
        named: set[Pod] = set()
        for opening in self.openings(target, "Ingress"):
            if opening.on(port, transport, target):
                if opening.anyone or any(block.may_hold_pods for block in opening.blocks):
                    return True, frozenset()
                named |= opening.pods
        return False, frozenset(named)

    def _add(self, policy: Resource) -> None:
        spec: Mapping[str, Any] = policy.at("spec", default={})
        directions = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
        selected = self._pods.selected(policy.namespace, spec.get("podSelector"))
        for direction, key, peers in (("Ingress", "ingress", "from"), ("Egress", "egress", "to")):
            if direction not in directions:
                continue
            openings = [self._opening(policy, rule, peers) for rule in sequence(spec.get(key))]
            for pod in selected:
                rules = self._rules.setdefault((pod, direction), _Rules())
                rules.policies.append(policy)
                rules.openings += openings

    def _opening(self, policy: Resource, rule: Mapping[str, Any], key: str) -> Opening:
        pods: set[Pod] = set()
        strangers: list[str] = []
        blocks: list[Block] = []
        peers = sequence(rule.get(key))
        for peer in peers:
            if block := peer.get("ipBlock"):
                holes = tuple(ip_network(hole) for hole in sequence(block.get("except")))
                blocks.append(Block(network=ip_network(block["cidr"]), holes=holes, homes=self._homes))
            else:
                found = set(self._peer(policy.namespace, peer))
                pods |= found
                strangers += [] if found else [str(peer)]
        ports = tuple(self._port(port) for port in sequence(rule.get("ports")))
        return Opening(
            policy=policy,
            anyone=not peers,
            pods=frozenset(pods),
            strangers=tuple(strangers),
            blocks=tuple(blocks),
            ports=ports or EVERY_PORT,
        )

    def _peer(self, namespace: str, peer: Mapping[str, Any]) -> Iterator[Pod]:
        for name in self._peer_namespaces(namespace, peer):
            yield from self._pods.selected(name, peer.get("podSelector"))

    def _peer_namespaces(self, own: str, peer: Mapping[str, Any]) -> Iterator[str]:
        selector = peer.get("namespaceSelector")
        if selector is None:
            yield own
            return
        wanted = mapping(selector.get("matchLabels")).get(NAME_LABEL)
        candidates = self._namespaces if wanted is None else [name for name in (wanted,) if name in self._namespaces]
        for name in candidates:
            if matches(selector, self._namespaces[name].labels):
                yield name

    @staticmethod
    def _port(port: Mapping[str, Any]) -> PortRange:
        transport = port.get("protocol") or "TCP"
        number = port.get("port")
        if number is None:
            return PortRange(transport=transport)
        if isinstance(number, str) and not number.isdigit():
            return PortRange(transport=transport, name=number)
        return PortRange(transport=transport, first=int(number), last=int(port.get("endPort") or number))


def in_any_namespace(peer: Mapping[str, Any]) -> bool:
    """Say whether a peer fits namespaces that it does not name: others may make more of them, or have them already."""
    if peer.get("namespaceSelector") is None:
        return False
    selector = mapping(peer["namespaceSelector"])
    if NAME_LABEL in mapping(selector.get("matchLabels")):
        return False
    return not any(each.get("key") == NAME_LABEL and each.get("operator") == "In" for each in sequence(selector.get("matchExpressions")))
