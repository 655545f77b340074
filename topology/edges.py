"""The meaning of a topology: the set of calls that are possible, everything else being refused.

This is the only thing the generators and the judge share, so it stays small and is tested against tables written by hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from topology.model.base import ServiceName
from topology.model.door import ApiKeyAuth, Auth, JwtAuth
from topology.model.service import GrpcOperation, HttpOperation, Operation, Protocol, Service
from topology.model.system import OutsideProtocol, Topology
from topology.paths import rewrite

INTERNET = "internet"
"""The caller of every north-south edge."""

ANY_PATH = "*"
"""The path of an edge on which only the connection can be told: TCP."""

ANY_METHOD = "*"
"""Every method: that of an edge to an outside host which is asked in HTTP, for what is asked there is the host's affair."""

TCP = "TCP"
"""The method of such an edge."""


class Direction(StrEnum):
    """Which line an edge crosses."""

    NORTH_SOUTH = "north-south"
    EAST_WEST = "east-west"
    BRIDGE = "bridge"
    EGRESS = "egress"


@dataclass(frozen=True, kw_only=True, order=True)
class Edge:
    """One allowed call.

    `source` and `target` are identities without scheme (`trust-domain/ns/namespace/sa/account`), `internet`, or, as the
    target of an egress edge, `host:port`. `host`, `entry` (the path the client asks for) and `credential` belong to
    north-south edges: `public`, `api-key`, or `jwt <issuer URL>`.
    """

    direction: Direction
    source: str
    target: str
    method: str
    path: str
    host: str = ""
    entry: str = ""
    credential: str = ""


def identity(t: Topology, service: ServiceName) -> str:
    """Return the SPIFFE identity of a service without its scheme, as Istio's `principals` spell it."""
    trust_domain = t.meshes[t.mesh_of(service)].trust_domain
    return f"{trust_domain}/ns/{t.namespace_of(service)}/sa/{service}"


def operations(granted: tuple[Operation, ...]) -> Iterator[tuple[str, str]]:
    """Yield method and path of each granted operation."""
    for operation in granted:
        match operation:
            case HttpOperation():
                yield from ((method, path) for method in operation.methods for path in operation.paths)
            case GrpcOperation():
                yield from (("POST", f"/{rpc}") for rpc in operation.rpcs)


def credential(t: Topology, auth: Auth) -> str:
    """Return what a client must show: `public`, `api-key`, or `jwt <issuer URL>`."""
    match auth:
        case JwtAuth():
            return f"jwt {t.issuers[auth.jwt].issuer}"
        case ApiKeyAuth():
            return "api-key"
        case _:
            return "public"


def edges(t: Topology) -> frozenset[Edge]:
    """Return every call that the topology allows."""
    return frozenset({*_north_south(t), *_east_west(t), *_bridges(t), *_egress(t)})


def _north_south(t: Topology) -> Iterator[Edge]:
    for door in t.doors.values():
        for method in door.methods:
            for path in door.paths:
                inner = rewrite(path, door.rewrite.prefix, door.rewrite.replacement) if door.rewrite else path
                yield Edge(
                    direction=Direction.NORTH_SOUTH,
                    source=INTERNET,
                    target=identity(t, door.service),
                    method=method,
                    path=inner,
                    host=t.host_of(door),
                    entry=path,
                    credential=credential(t, door.auth),
                )


def _east_west(t: Topology) -> Iterator[Edge]:
    for caller, service in t.services.items():
        for callee, granted in service.calls.items():
            yield from _calls(t, Direction.EAST_WEST, caller, callee, granted)
    for caller, composition in t.compositions.items():
        for part in composition.parts.values():
            granted = (HttpOperation(methods=("GET",), paths=(part.path,)),)
            yield from _calls(t, Direction.EAST_WEST, caller, part.service, granted)


def _bridges(t: Topology) -> Iterator[Edge]:
    for bridge in t.bridges.values():
        yield from _calls(t, Direction.BRIDGE, bridge.source, bridge.target, bridge.operations)


def _calls(t: Topology, direction: Direction, caller: ServiceName, callee: ServiceName, granted: tuple[Operation, ...]) -> Iterator[Edge]:
    source, target = identity(t, caller), identity(t, callee)
    workload = t.workload(callee)
    tcp = isinstance(workload, Service) and workload.protocol is Protocol.TCP
    for method, path in ((TCP, ANY_PATH),) if tcp else operations(granted):
        yield Edge(direction=direction, source=source, target=target, method=method, path=path)


def _egress(t: Topology) -> Iterator[Edge]:
    for exit_ in t.egress.values():
        for service in exit_.services:
            yield Edge(
                direction=Direction.EGRESS,
                source=identity(t, service),
                target=f"{exit_.host}:{exit_.port}",
                method=TCP if exit_.protocol is OutsideProtocol.TCP else ANY_METHOD,
                path=ANY_PATH,
            )
