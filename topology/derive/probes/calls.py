"""Calls from service to service: what is allowed is admitted, everything beside it refused, and so is every other pair."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from topology.derive import names
from topology.derive.probes import examples
from topology.derive.probes.examples import Operation
from topology.derive.probes.expectation import Admitted, Answered, Refused
from topology.derive.probes.faults import may_fail
from topology.derive.probes.layer import INSIDE, Layer
from topology.derive.probes.probe import Family, Probe, Stage
from topology.derive.probes.request import Request
from topology.derive.probes.target import At, Target
from topology.derive.probes.vantage import Place, Vantage, inside
from topology.edges import Direction, Edge, edges, identity
from topology.model.base import Name, ServiceName
from topology.model.service import Protocol
from topology.model.system import Topology

FEW = 2
"""Near misses of each operation."""
ALIVE = "controls/alive/"
FORBIDDEN = (403,)


def alive(t: Topology, name: ServiceName) -> str:
    """Return the id of the control that a service's pod can ask."""
    return f"{ALIVE}{t.namespace_of(name)}/{name}"


def everybody(t: Topology) -> list[ServiceName]:
    """Return services and compositions."""
    return [*t.services, *t.compositions]


def allowed_id(direction: Direction, caller: ServiceName, callee: ServiceName, operation: Operation) -> str:
    """Return the id of the probe of an allowed operation."""
    family = Family.BRIDGES if direction is Direction.BRIDGE else Family.CALLS
    return f"{family}/{caller}->{callee}/{operation.slug}"


def granted(t: Topology, direction: Direction) -> dict[tuple[ServiceName, ServiceName], list[Operation]]:
    """Return the operations by caller and callee."""
    owner = {identity(t, name): name for name in everybody(t)}
    found: defaultdict[tuple[ServiceName, ServiceName], list[Edge]] = defaultdict(list)
    for edge in edges(t):
        if edge.direction is direction:
            found[owner[edge.source], owner[edge.target]].append(edge)
    return {pair: examples.operations(of) for pair, of in sorted(found.items())}


def target_of(t: Topology, caller: ServiceName, callee: ServiceName) -> Target:
    """Return a service as a caller of this or another mesh names it."""
    if t.mesh_of(caller) == t.mesh_of(callee):
        return examples.by_name(t, callee)
    here = t.meshes[t.mesh_of(caller)].bridge
    return Target(at=At.NAME, name=names.fqdn(callee, here), port=examples.port_of(t, callee))


def reachable(t: Topology) -> dict[ServiceName, str]:
    """Return for each service the id of a probe that shows that it answers: the first call that is allowed."""
    found: dict[ServiceName, str] = {}
    for direction in (Direction.EAST_WEST, Direction.BRIDGE):
        for (caller, callee), operations in granted(t, direction).items():
            found.setdefault(callee, allowed_id(direction, caller, callee, operations[0]))
    return found


def controls(t: Topology) -> Iterator[Probe]:
    """Yield for each service the probe that its pod can ask at all: its own proxy says that it is ready."""
    for name in everybody(t):
        yield Probe(
            id=alive(t, name),
            family=Family.CONTROL,
            vantage=inside(t, name),
            target=Target(at=At.NAME, name="127.0.0.1", port=15021),
            request=Request(path="/healthz/ready"),
            expect=Answered(status=200),
            why="the sidecar is ready",
            stage=Stage.CONTROL,
        )


def calls(t: Topology) -> Iterator[Probe]:
    """Yield the probes of every pair of services."""
    known = reachable(t)
    for direction in (Direction.EAST_WEST, Direction.BRIDGE):
        for (caller, callee), operations in granted(t, direction).items():
            yield from _pair(t, direction, caller, callee, operations)
    yield from _others(t, known)
    yield from _members(t, known)
    yield from _bridges(t)


def _pair(t: Topology, direction: Direction, caller: ServiceName, callee: ServiceName, operations: list[Operation]) -> Iterator[Probe]:
    family = Family.BRIDGES if direction is Direction.BRIDGE else Family.CALLS
    protocol, target, edge = examples.protocol_of(t, callee), target_of(t, caller, callee), f"{caller} → {callee}"
    here, faulty = inside(t, caller), may_fail(t, caller, callee)
    for operation in operations:
        asked = examples.request(protocol, operation.method, examples.path_of(operation.pattern))
        own = allowed_id(direction, caller, callee, operation)
        yield Probe(
            id=own,
            family=family,
            vantage=here,
            target=target,
            request=asked,
            expect=Admitted(service=callee),
            why=f"{edge}: {operation.slug}",
            stage=Stage.CONTROL,
            may_fail=faulty,
        )
        if protocol is Protocol.TCP:
            continue
        tried = [
            ("path", operation.method, path) for path in islice(examples.near_misses(operations, operation.method, operation.pattern), FEW)
        ]
        if protocol is not Protocol.GRPC and (method := examples.wrong_method(operations, asked.path)):
            tried.append(("method", method, asked.path))
        for kind, method, path in tried:
            yield Probe(
                id=f"{own}/wrong-{kind}/{method} {path}",
                family=family,
                vantage=here,
                target=target,
                request=examples.request(protocol, method, path),
                expect=Refused(by=(Layer.PROXY,), statuses=FORBIDDEN),
                why=f"{edge} does not cover {method} {path}",
                controls=(own,),
                may_fail=faulty,
            )


def _others(t: Topology, known: dict[ServiceName, str]) -> Iterator[Probe]:
    """Yield every pair that is not allowed, asked for what others may ask."""
    allowed = {pair for direction in (Direction.EAST_WEST, Direction.BRIDGE) for pair in granted(t, direction)}
    typical = typical_operations(t)
    for caller in everybody(t):
        for callee in everybody(t):
            if caller == callee or (caller, callee) in allowed:
                continue
            operation = typical[callee]
            yield Probe(
                id=f"{Family.CALLS}/{caller}->{callee}/none",
                family=Family.CALLS,
                vantage=inside(t, caller),
                target=examples.by_name(t, callee),
                request=examples.request(examples.protocol_of(t, callee), operation.method, examples.path_of(operation.pattern)),
                expect=Refused(by=INSIDE),
                why=f"no edge {caller} → {callee}",
                controls=(alive(t, caller), *([known[callee]] if callee in known else [])),
                may_fail=may_fail(t, caller, callee),
            )


def _members(t: Topology, known: dict[ServiceName, str]) -> Iterator[Probe]:
    """Yield calls from pods that have an identity of the mesh and no part in the system."""
    typical = typical_operations(t)
    for name in everybody(t):
        operation, mesh = typical[name], t.mesh_of(name)
        yield Probe(
            id=f"{Family.CALLS}/member of {mesh}->{name}",
            family=Family.CALLS,
            vantage=Vantage(place=Place.MEMBER, mesh=mesh),
            target=examples.by_name(t, name),
            request=examples.request(examples.protocol_of(t, name), operation.method, examples.path_of(operation.pattern)),
            expect=Refused(by=INSIDE),
            why=f"an identity of {t.meshes[mesh].trust_domain} alone opens nothing",
            controls=(member_control(mesh), *([known[name]] if name in known else [])),
            may_fail=may_fail(t, None, name),
        )


def _bridges(t: Topology) -> Iterator[Probe]:
    """Yield calls that ask for a bridged service by its name in the caller's own mesh, from all of that mesh that may not."""
    crossing = granted(t, Direction.BRIDGE)
    seen: set[tuple[Name, ServiceName]] = set()
    for (source, callee), (operation, *_) in crossing.items():
        mesh = t.mesh_of(source)
        if (mesh, callee) in seen:
            continue
        seen.add((mesh, callee))
        asked = examples.request(examples.protocol_of(t, callee), operation.method, examples.path_of(operation.pattern))
        askers = [
            (name, inside(t, name), alive(t, name)) for name in everybody(t) if t.mesh_of(name) == mesh and (name, callee) not in crossing
        ]
        askers.append((f"member of {mesh}", Vantage(place=Place.MEMBER, mesh=mesh), member_control(mesh)))
        for who, vantage, control in askers:
            yield Probe(
                id=f"{Family.BRIDGES}/{who}->{callee}/none",
                family=Family.BRIDGES,
                vantage=vantage,
                target=target_of(t, source, callee),
                request=asked,
                expect=Refused(by=INSIDE),
                why=f"no bridge {who} → {callee}",
                controls=(control, allowed_id(Direction.BRIDGE, source, callee, operation)),
                may_fail=may_fail(t, None, callee),
            )


def member_control(mesh: Name) -> str:
    """Return the id of the control that a member of a mesh can ask."""
    return f"controls/member/{mesh}"


def typical_operations(t: Topology) -> dict[ServiceName, Operation]:
    """Return what each service is asked for by somebody who may; `GET /` where nobody may."""
    owner = {identity(t, name): name for name in everybody(t)}
    found: dict[ServiceName, Operation] = {name: Operation(method="GET", pattern="/") for name in everybody(t)}
    for edge in sorted(edges(t), reverse=True):
        if edge.target in owner:
            found[owner[edge.target]] = Operation(method=edge.method, pattern=edge.path)
    return found
