"""Compiled policies as nftables text: one table, and the transaction that turns what is there into what should be there."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from lab.enforcer.semantics import Compiled, Policy, Ports, Rule
from lab.enforcer.spans import EVERY_ADDRESS, Span

TABLE: Final = "ip perimeter_lab"
_LONGEST: Final = 120
"""Characters of a chain's or set's name; nftables takes 127."""
_PEER: Final = {"Ingress": "saddr", "Egress": "daddr"}
_OWN: Final = {"Ingress": "daddr", "Egress": "saddr"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection:
    """A named set or map. An element of a map reads `key : value`."""

    kind: str
    """`set` or `map`."""
    type: str
    elements: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """A chain; `hook` is the declaration of one that the kernel enters by itself, empty for all others."""

    hook: str = ""
    rules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ruleset:
    """The content of the table, by name."""

    collections: Mapping[str, Collection]
    chains: Mapping[str, Chain]


EMPTY: Final = Ruleset(collections={}, chains={})


def ruleset(compiled: Compiled, pod_range: str) -> Ruleset:
    """Return the table's content. `pod_range` is the range in CIDR notation that all pod addresses come from."""
    collections: dict[str, Collection] = {
        "pods": _set("ipv4_addr", compiled.pods),
        "itself": _set("ipv4_addr . ipv4_addr", (f"{pod} . {pod}" for pod in compiled.pods)),
    }
    chains: dict[str, Chain] = {}
    for kind, policies in compiled.policies.items():
        for policy in policies:
            chains[_name(kind, policy.name)] = Chain(rules=tuple(_policy(policy, kind, collections)))
        isolated: set[str] = set()
        for pod, selecting in compiled.selected[kind].items():
            names = [_name(kind, policy.name) for policy in selecting]
            profile = f"{kind.lower()}-profile/{_digest(*names)}"
            chains[profile] = Chain(rules=(*(f"jump {name}" for name in names), "counter drop"))
            isolated.add(f"{pod} : goto {profile}")
        own, direction = _OWN[kind], kind.lower()
        collections[f"isolated-{direction}"] = Collection(kind="map", type="ipv4_addr : verdict", elements=frozenset(isolated))
        chains[f"judge-{direction}"] = Chain(
            rules=(
                "ct state established,related accept",
                f"ip {own} {pod_range} ip {own} != @pods counter drop",
                "ip saddr . ip daddr @itself accept",
                f"ip {own} vmap @isolated-{direction}",
            )
        )
    # Each in a chain of its own hook, so that what the egress rules accept still meets the ingress rules.
    chains["egress-to-others"] = Chain(hook="type filter hook forward priority -10; policy accept;", rules=("jump judge-egress",))
    chains["egress-to-node"] = Chain(
        hook="type filter hook input priority -10; policy accept;", rules=('iifname "lo" accept', "jump judge-egress")
    )
    chains["ingress-from-others"] = Chain(hook="type filter hook forward priority -5; policy accept;", rules=("jump judge-ingress",))
    return Ruleset(collections=collections, chains=chains)


def _policy(policy: Policy, kind: str, collections: dict[str, Collection]) -> Iterable[str]:
    """Return the rules of one policy's chain, and add the sets that they ask."""
    for number, rule in enumerate(policy.rules):
        peers = [f"ip {_PEER[kind]} {{ {', '.join(map(_addresses, rule.blocks))} }} "] if rule.blocks else []
        if rule.blocks == (EVERY_ADDRESS,):
            peers = [""]
        elif rule.pods:
            name = _name(kind, policy.name, str(number), "peers")
            collections[name] = _set("ipv4_addr", rule.pods)
            peers.append(f"ip {_PEER[kind]} @{name} ")
        for peer in peers:
            for port in _ports(rule, _name(kind, policy.name, str(number), "ports"), collections):
                yield f"{peer}{port}accept"


def _ports(rule: Rule, name: str, collections: dict[str, Collection]) -> list[str]:
    """Return the port matches of a rule, any of which suffices."""
    if rule.ports is None:
        return [""]
    matches = [f"{protocol.lower()} dport {{ {', '.join(map(_numbers, spans))} }} " for protocol, spans in sorted(rule.ports.spans.items())]
    if rule.ports.named:
        collections[name] = _named(rule.ports)
        matches.append(f"ip daddr . meta l4proto . th dport @{name} ")
    return matches


def _named(ports: Ports) -> Collection:
    elements = (f"{address} . {protocol.lower()} . {number}" for address, protocol, number in ports.named)
    return _set("ipv4_addr . inet_proto . inet_service", elements)


def _set(kind: str, elements: Iterable[str]) -> Collection:
    return Collection(kind="set", type=kind, elements=frozenset(elements))


def _numbers(span: Span) -> str:
    first, last = span
    return str(first) if first == last else f"{first}-{last}"


def _addresses(span: Span) -> str:
    first, last = map(IPv4Address, span)
    return str(first) if first == last else f"{first}-{last}"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _name(*parts: str) -> str:
    """Return the name of a chain or set: readable, unique, and not too long."""
    name = "/".join((parts[0].lower(), *parts[1:]))
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 17]}/{_digest(name)}"


def transaction(before: Ruleset | None, after: Ruleset) -> str:
    """Return the commands that turn one content of the table into another, for one `nft -f`, which applies all or none.

    None as `before` is a table of unknown content, or none: it is replaced as a whole. The same content twice gives no commands.
    """
    head = [] if before is not None else [f"table {TABLE}", f"delete table {TABLE}", f"table {TABLE}"]
    before = before or EMPTY
    lines = [*_declared(before, after), *_elements(before, after), *_filled(before, after), *_removed(before, after)]
    return "".join(f"{line}\n" for line in (*head, *lines))


def _declared(before: Ruleset, after: Ruleset) -> Iterable[str]:
    """Declare what is new, before anything refers to it."""
    for name, new in after.collections.items():
        if name not in before.collections:
            yield f"add {new.kind} {TABLE} {name} {{ type {new.type}; }}"
    for name, chain in after.chains.items():
        if name not in before.chains:
            yield f"add chain {TABLE} {name}" + (f" {{ {chain.hook} }}" if chain.hook else "")


def _elements(before: Ruleset, after: Ruleset) -> Iterable[str]:
    """Bring every set and map that stays to its new elements."""
    for name, new in after.collections.items():
        old = before.collections[name].elements if name in before.collections else frozenset[str]()
        if gone := sorted(element.partition(" : ")[0] for element in old - new.elements):
            yield f"delete element {TABLE} {name} {_listed(gone)}"
        if added := sorted(new.elements - old):
            yield f"add element {TABLE} {name} {_listed(added)}"


def _filled(before: Ruleset, after: Ruleset) -> Iterable[str]:
    """Write the rules of every chain that is new or says something else."""
    for name, chain in after.chains.items():
        if name in before.chains and before.chains[name] == chain:
            continue
        if name in before.chains:
            yield f"flush chain {TABLE} {name}"
        yield from (f"add rule {TABLE} {name} {rule}" for rule in chain.rules)


def _removed(before: Ruleset, after: Ruleset) -> Iterable[str]:
    """Take away what nothing refers to any more: first all rules, then the chains, then the sets."""
    chains = [name for name in before.chains if name not in after.chains]
    yield from (f"flush chain {TABLE} {name}" for name in chains)
    yield from (f"delete chain {TABLE} {name}" for name in chains)
    yield from (f"delete {before.collections[name].kind} {TABLE} {name}" for name in before.collections if name not in after.collections)


def _listed(elements: Sequence[str]) -> str:
    return f"{{ {', '.join(elements)} }}"
