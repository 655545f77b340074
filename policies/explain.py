"""Whether and why one party can reach another: the ways that resources allow, or where they end."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from policies.parties import OUTSIDE, PartyError, party, stranger
from policies.proof import SHOWN, call
from policies.reading.accepted import ANYONE
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError
from policies.rule import Hop
from topology.edges import INTERNET, Edge

__all__ = ["Explanation", "PartyError", "Path", "Reach", "explain"]


class Reach(StrEnum):
    """Whether one party can reach another. Undecided: no way was found, and some way could not be followed."""

    YES = "can reach"
    NO = "cannot reach"
    UNDECIDED = "is not proved to be kept from"


@dataclass(frozen=True, kw_only=True)
class Path:
    """One way, or the place where it ends."""

    title: str
    """The call: method, path and credential; or why there is none."""
    hops: tuple[Hop, ...]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The answer: `reach` says whether `source` can reach `target` in any way."""

    source: str
    target: str
    reach: Reach
    paths: tuple[Path, ...]


def explain(stack: Stack, source: str, target: str) -> Explanation:
    """Say whether and why a party can reach another.

    A party is a service or composition of the topology, `internet`, `anyone` (whoever has an address in the cluster), or an
    outside host.

    Raises:
        PartyError: for a name that is none of these.
    """
    sender, receivers = party(stack.intent, source), _targets(stack, target)
    found = sorted(edge for edge in stack.ways.trails if _sent_by(edge, sender) and _sent_to(edge, receivers))
    if found:
        paths = tuple(Path(title=call(edge), hops=trail.hops) for edge in found for trail in stack.ways.trails[edge][:1])
        return Explanation(source=source, target=target, reach=Reach.YES, paths=_once(paths))
    doubts, endings = [*_doubts(stack, sender)], [*_undeclared(stack, source, target)]
    try:
        endings.extend(_endings(stack, sender, receivers))
    except UnknownValueError as error:
        doubts.append(Path(title=f"not decided: a value is not known: {error}", hops=()))
    if not doubts and not endings:
        endings.append(_nothing(source, target))
    return Explanation(source=source, target=target, reach=Reach.UNDECIDED if doubts else Reach.NO, paths=(*endings, *doubts))


def _targets(stack: Stack, name: str) -> frozenset[str]:
    """Return the targets that a name means: an identity, or an outside host on any port."""
    found = party(stack.intent, name)
    if found in OUTSIDE or "/" in found:
        return frozenset({found})
    ports = {443, *(exit_.port for exit_ in stack.intent.egress.values() if exit_.host == found)}
    return frozenset({found, *(f"{found}:{port}" for port in ports)})


def _sent_by(edge: Edge, sender: str) -> bool:
    if sender == ANYONE:
        return edge.source.startswith(ANYONE)
    # What anyone may do, a service may do too.
    return edge.source == sender or (sender != INTERNET and edge.source.startswith(ANYONE))


def _sent_to(edge: Edge, receivers: frozenset[str]) -> bool:
    return edge.target in receivers


def _once(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple({path.title: path for path in paths}.values())


def _endings(stack: Stack, sender: str, receivers: frozenset[str]) -> Iterator[Path]:
    """Yield where what the party asks ends: at identity level and at address level, each by itself."""
    ways = stack.ways
    for target in sorted(receivers):
        pods = stack.holders(target)
        for pod in pods[:1]:
            yield from _by_address(stack, sender, target)
            guard = stack.guard(pod)
            if guard is not None and sender != INTERNET:
                policies = ", ".join(dict.fromkeys(map(str, guard.allowing))) or "none"
                reason = f"no rule of {policies} names it"
                yield Path(title=f"identity level: {target} does not accept {sender}", hops=(Hop(place=str(pod), allowed_by=reason),))
    declared = sorted(edge for edge in stack.expected if _sent_by(edge, sender) and _sent_to(edge, receivers))
    if refused := [(edge, hop) for edge in declared if (hop := ways.refused(edge))]:
        yield from (Path(title=f"{call(edge)} is refused, which the topology allows", hops=(hop,)) for edge, hop in refused[:SHOWN])
        return
    ends = [refusal for refusal in ways.refusals if refusal.flow.source == sender]
    # What a listener of another host does not take says nothing, for there is one that does.
    told = [refusal for refusal in ends if not refusal.elsewhere] or ends
    furthest = {refusal.hop.place: refusal for refusal in sorted(told, key=lambda refusal: len(refusal.flow.hops))}
    for refusal in sorted(furthest.values(), key=lambda refusal: -len(refusal.flow.hops))[:SHOWN]:
        yield Path(title=f"{refusal.flow.requests} ends at {refusal.hop.place}", hops=(*refusal.flow.hops, refusal.hop))


def _undeclared(stack: Stack, source: str, target: str) -> Iterator[Path]:
    """Yield why the topology itself knows no such way; nothing where it does, or where whoever is asked about only asks."""
    t = stack.intent
    sender, receivers = party(t, source), _targets(stack, target)
    if target in OUTSIDE or any(_sent_by(edge, sender) and _sent_to(edge, receivers) for edge in stack.expected):
        return
    unknown = [said for name in (source, target) if (said := stranger(t, name))]
    if unknown or sender == ANYONE:
        yield from (Path(title=said, hops=()) for said in unknown)
    elif sender == INTERNET:
        yield Path(title=f"no door leads to {target}", hops=())
    else:
        yield Path(title=f"the topology has no call from {source} to {target}", hops=())


def _doubts(stack: Stack, sender: str) -> Iterator[Path]:
    """Yield what could not be followed or read, and so may be a way."""
    for doubt in stack.ways.doubts:
        if doubt.north_south is (sender == INTERNET):
            yield Path(title=f"not decided: {doubt.message}", hops=())
    for resource, error in stack.unreadable:
        yield Path(title=f"not decided: {resource} cannot be read: {error}", hops=())


def _nothing(source: str, target: str) -> Path:
    """Return the reason where nothing that the party asks ends anywhere."""
    if target in OUTSIDE:
        return Path(title=f"`{target}` only asks: name the outside host that {source} may call", hops=())
    return Path(title=f"nothing in the plan leads from {source} to {target}", hops=())


def _by_address(stack: Stack, sender: str, target: str) -> Iterator[Path]:
    senders = stack.holders(sender)
    for source in senders[:1]:
        for pod in stack.holders(target)[:1]:
            ports = {port.target for service in stack.services_of(pod) for port in service.ports}
            for port in sorted(number for each in ports if (number := pod.port_number(each)) is not None):
                decision = stack.network.flow(source, pod, port)
                word = "allow" if decision.allowed else "refuse"
                hops = (Hop(place=str(source), allowed_by=""), Hop(place=f"{pod} port {port}", allowed_by="; ".join(decision.by)))
                yield Path(title=f"address level: NetworkPolicies {word} the connection", hops=hops)
