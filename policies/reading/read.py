"""Who can reach whom: the edges of a stack, read from its resources alone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from policies.reading.accepted import follow_accepted
from policies.reading.cloud.addresses import Addresses
from policies.reading.compare import beyond, by_key, demands_of, key_of, largest, operation_within, pattern_of, within
from policies.reading.counters import counter_calls
from policies.reading.flow import Doubt, Refusal, Trail
from policies.reading.patterns import covered, meet_hosts
from policies.reading.pods import Pod
from policies.reading.services import CLUSTER_DOMAIN
from policies.reading.values import UnknownValueError, sequence
from policies.reading.walk import Walk
from policies.reading.walk_hosts import from_pods
from policies.rule import Hop
from topology.edges import INTERNET, Direction, Edge

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def read(stack: "Stack") -> frozenset[Edge]:
    """Return every call that the resources of a stack make possible, in the spelling of `topology.edges`."""
    return stack.observed


@dataclass(kw_only=True)
class Observed:
    """What was read back."""

    stack: "Stack"
    trails: Mapping[Edge, tuple[Trail, ...]]
    """Every possible edge with the ways that make it possible."""
    refusals: tuple[Refusal, ...]
    doubts: tuple[Doubt, ...]

    @cached_property
    def edges(self) -> frozenset[Edge]:
        """Return the possible edges, in the topology's spelling where it has one, without what proxies ask for themselves.

        The same calls can be spelled in several ways (`/a/*` beside `/a/b`). So an edge of the topology is in the set when all
        of it is possible, and a possible edge is in the set when it is no part of an edge of the topology: the set equals the
        topology's exactly when both allow the same.
        """
        allowed = self.stack.expected_by_key
        possible = {edge for edge in self.stack.expected if any(within(edge, other) for other in self._keyed.get(key_of(edge), ()))}
        return frozenset(possible | largest(beyond(self.trails, allowed))) - self.counter_calls

    @cached_property
    def counter_calls(self) -> frozenset[Edge]:
        """Return the calls of proxies to the counters of global limits that the topology asks for."""
        return counter_calls(self.stack)

    def trails_to(self, target: str) -> Sequence[tuple[Edge, tuple[Trail, ...]]]:
        """Return the possible edges to a target with their ways."""
        return self._by_target.get(target, ())

    @cached_property
    def _by_target(self) -> Mapping[str, list[tuple[Edge, tuple[Trail, ...]]]]:
        result: defaultdict[str, list[tuple[Edge, tuple[Trail, ...]]]] = defaultdict(list)
        for edge, trails in self.trails.items():
            result[edge.target].append((edge, trails))
        return result

    @cached_property
    def _keyed(self) -> Mapping[tuple[Direction, str, str, str], list[Edge]]:
        return by_key(self.trails)

    @cached_property
    def _usable(self) -> Mapping[tuple[Direction, str, str, str], list[tuple[Edge, Trail]]]:
        result: defaultdict[tuple[Direction, str, str, str], list[tuple[Edge, Trail]]] = defaultdict(list)
        for edge, trails in self.trails.items():
            for trail in trails:
                if trail.refusal is None:
                    result[key_of(edge)].append((edge, trail))
        return result

    def refused(self, edge: Edge) -> Hop | None:
        """Return where an allowed call is refused; None where a well-meaning caller gets through with all of it."""
        fitting = [(other, trail) for other, trail in self._usable.get(key_of(edge), ()) if _serves(other, edge)]
        if not fitting:
            return self._nearest_refusal(edge)
        if edge.direction is not Direction.NORTH_SOUTH:
            return None
        holes = [self._hole(edge, trail) for _, trail in fitting]
        if not all(holes):
            return None
        return Hop(place=holes[0], allowed_by="another route takes this part of it, and leads nowhere")

    def _hole(self, edge: Edge, trail: Trail) -> str:
        """Return a part of a door that something else took on the way, and that neither another door nor another way accounts for."""
        asked = pattern_of(edge.entry)
        doors = [*self._doors.get((edge.host, edge.method), ()), *(other for other, _ in self._usable.get(key_of(edge), ()))]
        for hole in trail.holes:
            try:
                part = hole.meet(asked)
            except UnknownValueError:
                continue
            if part is not None and not covered(part, [pattern_of(door.entry) for door in doors if door.entry != edge.entry]):
                return str(part)
        return ""

    @cached_property
    def _doors(self) -> Mapping[tuple[str, str], list[Edge]]:
        result: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
        for edge in self.stack.expected:
            if edge.direction is Direction.NORTH_SOUTH:
                result[edge.host, edge.method].append(edge)
        return result

    @cached_property
    def _refusals_by_source(self) -> Mapping[str, list[Refusal]]:
        result: defaultdict[str, list[Refusal]] = defaultdict(list)
        for refusal in self.refusals:
            result[refusal.flow.source].append(refusal)
        return result

    def _nearest_refusal(self, edge: Edge) -> Hop:
        """Return the refusal that stopped requests of an edge furthest on their way."""
        found = [r for r in self._refusals_by_source.get(edge.source, ()) if self._concerns(r, edge)]
        partial = [t.refusal for e in self._keyed.get(key_of(edge), ()) if _serves(e, edge) for t in self.trails[e] if t.refusal]
        partial = [hop for hop in partial if hop.place]
        # A server that takes every host refuses this one too; it is the answer only where nothing knows the host better.
        nearest = [refusal for refusal in found if edge.direction is not Direction.NORTH_SOUTH or refusal.flow.entry_host == edge.host]
        if nearest:
            return max(nearest, key=lambda refusal: len(refusal.flow.hops)).hop
        if partial:
            return partial[0]
        if any(_serves(e, edge) for e in self._keyed.get(key_of(edge), ())):
            return Hop(place=edge.target, allowed_by="it would be accepted there, but no way through the caller's own proxy leads there")
        near = [e for e in self._keyed.get(key_of(edge), ()) if e.method in {edge.method, "*"} or e.path == edge.path]
        if near:
            said = ", ".join(sorted({_told(e, edge) for e in near})[:3])
            return Hop(place=edge.target, allowed_by=f"what the plan allows there is {said}")
        if found:
            return max(found, key=lambda refusal: len(refusal.flow.hops)).hop
        place = edge.host if edge.source == INTERNET else edge.source
        return Hop(place=place, allowed_by="nothing in the plan leads there")

    def _concerns(self, refusal: Refusal, edge: Edge) -> bool:
        flow = refusal.flow
        if edge.direction is Direction.NORTH_SOUTH:
            try:
                same_path = flow.entry.meet(pattern_of(edge.entry)) is not None
            except UnknownValueError:
                same_path = True
            if meet_hosts(flow.entry_host, edge.host) is None or flow.requests.method not in {"*", edge.method} or not same_path:
                return False
            return not covered(pattern_of(edge.entry), flow.holes)
        if any(self.stack.identity(pod) == edge.target for _, pod in flow.pairs):
            return True
        name = edge.target.rpartition("/sa/")[2] if edge.direction is not Direction.EGRESS else edge.target.partition(":")[0]
        return flow.requests.host == name or flow.requests.host.startswith(f"{name}.")

    def landed_on(self, pod: Pod) -> Addresses:
        """Return the addresses outside the cluster from which allowed calls come to a pod: those of stations of a cloud."""
        return self._landed.get(pod, Addresses())

    @cached_property
    def _landed(self) -> Mapping[Pod, Addresses]:
        allowed = self.stack.expected_by_key
        found: dict[Pod, Addresses] = {}
        for edge, trails in self.trails.items():
            landed = [each for trail in trails for each in trail.landed]
            if landed and any(operation_within(edge, other) for other in allowed.get(key_of(edge), ())):
                for place, pod in landed:
                    found[pod] = found.get(pod, Addresses()) | place.addresses
        return found

    def uses(self, sender: Pod, target: Pod) -> bool:
        """Say whether some allowed call goes from one pod to another, or to one that holds the same identity."""
        return (self._party(sender), self._party(target)) in self._used_pairs

    def _party(self, pod: Pod) -> str:
        return self.stack.identity(pod) or str(pod)

    @cached_property
    def _used_pairs(self) -> frozenset[tuple[str, str]]:
        allowed = self.stack.expected_by_key
        pairs: set[tuple[str, str]] = set()
        for edge, trails in self.trails.items():
            if any(operation_within(edge, other) for other in allowed.get(key_of(edge), ())):
                pairs |= {(self._party(sender), self._party(target)) for trail in trails for sender, target in trail.pairs}
        return frozenset(pairs)


def _told(near: Edge, edge: Edge) -> str:
    """Return a call that is possible as a message names it beside the one that is not; the path behind the gateway where only that differs."""
    credential = f" ({near.credential})" if near.credential else ""
    rewritten = f", which arrives as {near.path} and not as {edge.path}" if near.entry == edge.entry and near.entry else ""
    return f"{near.method} {near.entry or near.path}{credential}{rewritten if near.path != edge.path else ''}"


def _serves(wide: Edge, edge: Edge) -> bool:
    """Say whether a client that shows what an edge asks for gets all of the edge through another."""
    return operation_within(edge, wide) and demands_of(wide) <= demands_of(edge)


def observe(stack: "Stack") -> Observed:
    """Follow every way through a stack."""
    walk = Walk(stack)
    walk.from_internet()
    for source in sorted({edge.source for edge in stack.expected} - {INTERNET}):
        holders = stack.holders(source)
        if holders:
            from_pods(walk, holders, source, _names_for(stack, source, holders))
    follow_accepted(walk)
    return Observed(
        stack=stack,
        trails={edge: tuple(trails.values()) for edge, trails in walk.trails.items()},
        refusals=tuple(walk.refusals),
        doubts=tuple(walk.doubts.values()),
    )


def _names_for(stack: "Stack", source: str, holders: tuple[Pod, ...]) -> Iterable[str]:
    """Return the names that pods of an identity may ask for: those that lead to the targets it is allowed, and those it is shown."""
    names: dict[str, None] = {}
    for edge in stack.expected_of(source):
        if edge.direction is Direction.EAST_WEST:
            for pod in stack.holders(edge.target):
                names.update((service.fqdn, None) for service in stack.services_of(pod))
        elif edge.direction is Direction.EGRESS:
            names[edge.target.rpartition(":")[0]] = None
    for pod in holders:
        sidecar = stack.traffic.sidecar(pod)
        for listener in sidecar.at("spec", "egress", default=[]) if sidecar else ():
            for host in sequence(listener.get("hosts")):
                name = host.partition("/")[2]
                if "*" not in name and not host.startswith("~"):
                    names[name] = None
    if any(edge.direction is Direction.BRIDGE for edge in stack.expected_of(source)):
        targets = {edge.target.rpartition("/sa/")[2] for edge in stack.expected_of(source)}
        names.update((f"{s.name}.{s.namespace}.svc.{CLUSTER_DOMAIN}", None) for s in stack.services if s.name in targets)
    return tuple(names)
