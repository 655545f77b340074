"""What the proof rules share: edges read back, held against the topology's, with the way of each that should not be."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from policies.reading.cloud.joined import provider_of
from policies.reading.compare import beyond
from policies.reading.flow import Trail
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.rule import Finding, Hop, Rule
from topology.edges import ANY_METHOD, ANY_PATH, Direction, Edge

SHOWN = 3
"""So many calls are written out in one message."""

TIGHTEN = "remove it from the resource named last, or add it to the topology and have that reviewed"
WIDEN = "allow it there, or remove it from the topology"


def call(edge: Edge) -> str:
    """Return a call as people write it: `internet → a: GET api.abc.example/a/* (public)`."""
    asked = "" if edge.path == ANY_PATH else f"{edge.host}{edge.entry}" if edge.entry else edge.path
    method = "any method" if edge.method == ANY_METHOD else edge.method
    credential = f" ({edge.credential})" if edge.credential else ""
    return f"{edge.source} → {edge.target}: {method} {asked}".rstrip() + credential


def listed(edges: Iterable[Edge]) -> str:
    """Return some calls and how many more there are."""
    texts = sorted(call(edge) for edge in edges)
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return "; ".join(texts[:SHOWN]) + more


class ProofRule(Rule):
    """A rule that compares everything the resources make possible in one direction with everything the topology allows."""

    direction: Direction
    reads: frozenset[str]
    """Kinds whose unreadable objects leave this rule undecided."""

    def compare(self, stack: Stack) -> Iterator[Finding]:
        """Yield every call too many, every call too few, and everything that could not be read on the way."""
        unread = list(self.not_read(stack))
        yield from self.too_many(stack)
        yield from self.too_few(stack, proved=not unread)
        yield from unread

    def too_many(self, stack: Stack) -> Iterator[Finding]:
        """Yield the calls that are possible and not allowed, one finding for each pair of parties."""
        ways = stack.ways
        possible = [edge for edge in ways.edges if edge.direction is self.direction]
        groups: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
        for edge in beyond(possible, stack.expected_by_key):
            groups[edge.source, edge.target].append(edge)
        for _, edges in sorted(groups.items()):
            trail = ways.trails[min(edges)][0]
            message = f"the resources allow what the topology does not: {listed(edges)}"
            yield self.broken(blamed(stack, trail), message, TIGHTEN, trail.hops)

    def too_few(self, stack: Stack, *, proved: bool) -> Iterator[Finding]:
        """Yield the calls that are allowed and refused, one finding for each place where they are refused.

        Only where everything was read it is `proved` that no other way lets them pass.
        """
        groups: defaultdict[Hop, list[Edge]] = defaultdict(list)
        for edge in stack.expected:
            if edge.direction is self.direction and (hop := stack.ways.refused(edge)):
                groups[hop].append(edge)
        for hop, edges in sorted(groups.items(), key=lambda group: (group[0].place, group[0].allowed_by)):
            message = f"the topology allows what the plan refuses at {hop.place} ({hop.allowed_by}): {listed(edges)}"
            resource = stack.by_urn.get(hop.urn)
            if proved:
                yield self.broken(resource, message, WIDEN, [hop])
            else:
                yield self.undecided(resource, f"{message}; what cannot be read may let it pass", "mend first what cannot be read")

    def not_read(self, stack: Stack) -> Iterator[Finding]:
        """Yield what stood in the way of the proof."""
        north_south = self.direction is Direction.NORTH_SOUTH
        for doubt in stack.ways.doubts:
            if doubt.north_south is north_south:
                yield self.undecided(doubt.resource, f"the way of some requests cannot be followed: {doubt.message}")
        for resource, error in stack.unreadable:
            if resource.kind in self.reads or (north_south and provider_of(resource)):
                yield self.undecided(resource, f"it cannot be read: {error}")

    def strangers(self, stack: Stack, target: Pod, ports: Iterable[int]) -> Iterator[Finding]:
        """Yield who may connect to a pod at address level without being on the way of an allowed call."""
        for port in ports:
            everyone, named = stack.network.senders(target, port)
            if everyone:
                policies = stack.network.policies_on(target, "Ingress")
                by = ", ".join(map(str, policies)) or "no NetworkPolicy restricts it"
                message = f"anyone can connect to {target} on port {port}: {by}"
                yield self.broken(policies[0] if policies else target.resource, message, "name the pods that may, by namespace and label")
                continue
            yield from self._addresses(stack, target, port)
            for sender in sorted(named, key=lambda pod: (pod.namespace, pod.name)):
                decision = stack.network.flow(sender, target, port)
                if not stack.ways.uses(sender, target) and sender is not target and decision.allowed:
                    message = f"{sender} can connect to {target} on port {port}, and no allowed call goes that way"
                    hops = [Hop(place=str(sender), allowed_by=""), Hop(place=f"{target} port {port}", allowed_by="; ".join(decision.by))]
                    yield self.broken(decision.resource, message, "take the sender out of the NetworkPolicy", hops)

    def _addresses(self, stack: Stack, target: Pod, port: int) -> Iterator[Finding]:
        """Yield what outside the cluster may connect to a pod at address level without being on the way of an allowed call."""
        landed = stack.ways.landed_on(target)
        for opening in stack.network.openings(target, "Ingress"):
            for block in opening.blocks if opening.on(port, "TCP", target) else ():
                if not block.holds_outside and not landed.holds(block.addresses):
                    message = f"the addresses {block} can connect to {target} on port {port}, and no allowed call comes from all of them"
                    yield self.broken(opening.policy, message, "name the addresses of the layer before it alone")


def blamed(stack: Stack, trail: Trail) -> Resource | None:
    """Return the last resource on a way that allowed a hop: where it is easiest to close."""
    return next((stack.by_urn[hop.urn] for hop in reversed(trail.hops) if hop.urn in stack.by_urn), None)


def trails_of(stack: Stack, direction: Direction) -> Iterator[tuple[Edge, Trail]]:
    """Yield every way of a direction."""
    for edge, trails in stack.ways.trails.items():
        if edge.direction is direction:
            yield from ((edge, trail) for trail in trails)


def proxies_on(stack: Stack, direction: Direction) -> dict[Pod, None]:
    """Return the pods on the ways of a direction that pass requests on, in the order of their names."""
    found: set[Pod] = set()
    for edge, trail in trails_of(stack, direction):
        found |= {pod for _, pod in (*trail.pairs, *trail.landed) if stack.identity(pod) != edge.target}
    return dict.fromkeys(sorted(found, key=lambda pod: (pod.namespace, pod.name)))


def shortcuts(rule: Rule, stack: Stack, direction: Direction, fits: Callable[[tuple[str, ...]], bool], layers: str) -> Iterator[Finding]:
    """Yield the ways of allowed calls that leave out a layer."""
    seen: set[tuple[str, str, tuple[str, ...]]] = set()
    for edge, trail in trails_of(stack, direction):
        key = (edge.source, edge.target, trail.roles)
        if fits(trail.roles) or key in seen:
            continue
        seen.add(key)
        message = f"{call(edge)} is possible on a way that does not pass {layers}"
        yield rule.broken(blamed(stack, trail), message, "close the way round; the path below shows it", trail.hops)
