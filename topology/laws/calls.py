"""Who may call whom, and how finely it can be said."""

from collections.abc import Iterator
from typing import Final

from topology.edges import operations
from topology.findings import Finding, KeyPath
from topology.laws.law import Law
from topology.model.base import ServiceName
from topology.model.service import GrpcOperation, HttpOperation, Operation, Protocol, Service
from topology.model.system import Topology
from topology.paths import is_exact

CARRIED: dict[Protocol, tuple[type[Operation], str]] = {
    Protocol.HTTP: (HttpOperation, "methods and paths"),
    Protocol.WEBSOCKET: (HttpOperation, "methods and paths"),
    Protocol.GRPC: (GrpcOperation, "rpcs"),
}
"""How operations of a protocol are written. TCP has none: one can connect or not."""

COMPOSED: Final = Service()
"""What a composition is to its callers: it speaks HTTP."""


def calls_stay_in_the_mesh(t: Topology) -> Iterator[Finding]:
    """A call joins two services of one mesh; another mesh is reached by a bridge, and a bridge joins two meshes.

    No service calls itself: the policies of each name its callers, of which it is none, so its instances do not reach each other. What
    needs that (members of a cluster, caches that tell each other) is two services here, or keeps its state elsewhere.
    """
    pairs: list[tuple[KeyPath, ServiceName, ServiceName]] = [
        (("services", name, "calls", callee), name, callee) for name, service in t.services.items() for callee in service.calls
    ]
    pairs += [
        (("compositions", name, "parts", key, "service"), name, part.service)
        for name, composition in t.compositions.items()
        if name not in t.services
        for key, part in composition.parts.items()
    ]
    for path, caller, callee in pairs:
        if caller == callee:
            reason = "is the service itself, and instances of one service do not reach each other in this model"
            yield Finding(path=path, given=callee, reason=reason, suggestion="make it two services, or keep the state elsewhere")
        elif _placed(t, callee) and _placed(t, caller) and t.mesh_of(callee) != t.mesh_of(caller):
            reason = f"is in mesh {t.mesh_of(callee)}, {caller} in mesh {t.mesh_of(caller)}"
            yield Finding(path=path, given=callee, reason=reason, suggestion="write a bridge")
    seen: dict[tuple[ServiceName, ServiceName], str] = {}
    for name, bridge in t.bridges.items():
        path = ("bridges", name, "target")
        if bridge.source == bridge.target:
            yield Finding(path=path, given=bridge.target, reason="is the source itself", suggestion="remove the bridge")
        elif _placed(t, bridge.source) and _placed(t, bridge.target) and t.mesh_of(bridge.source) == t.mesh_of(bridge.target):
            reason = f"is in mesh {t.mesh_of(bridge.target)} like {bridge.source}"
            yield Finding(path=path, given=bridge.target, reason=reason, suggestion="write a call")
        elif (other := seen.setdefault((bridge.source, bridge.target), name)) != name:
            reason = f"is reached from {bridge.source} by bridge {other} too"
            yield Finding(path=path, given=bridge.target, reason=reason, suggestion="merge their operations")


def _placed(t: Topology, name: ServiceName) -> bool:
    """Say whether the mesh of a name is beyond doubt."""
    if name not in t.services and name not in t.compositions:
        return False
    mesh = t.workload(name).mesh
    return mesh in t.meshes if mesh is not None else len(t.meshes) == 1


def operations_fit_the_protocol(t: Topology) -> Iterator[Finding]:
    """HTTP is granted by method and path, gRPC by method name, TCP as a whole."""
    for name, service in t.services.items():
        for callee, granted in service.calls.items():
            if callee in t.services or callee in t.compositions:
                yield from _operations(("services", name, "calls", callee), t.services.get(callee, COMPOSED), callee, granted)
    for name, bridge in t.bridges.items():
        target = t.services.get(bridge.target)
        if target and target.protocol is Protocol.TCP:
            reason = "speaks tcp, which the internal gateway does not carry: it could not tell one call from another"
            path = ("bridges", name, "target")
            yield Finding(path=path, given=bridge.target, reason=reason, suggestion="bridge an http or grpc service")
        elif target:
            yield from _operations(("bridges", name, "operations"), target, bridge.target, bridge.operations)


def _operations(path: KeyPath, callee: Service, name: str, granted: tuple[Operation, ...]) -> Iterator[Finding]:
    if callee.protocol is Protocol.TCP:
        if granted:
            reason = f"lists operations, but {name} speaks tcp: one can connect or not"
            yield Finding(path=path, given=None, reason=reason, suggestion="write an empty list: []")
        return
    wanted, spelled = CARRIED[callee.protocol]
    if not granted:
        yield Finding(path=path, given=None, reason="grants no operation", suggestion=f"list {spelled}")
    for index, operation in enumerate(granted):
        if not isinstance(operation, wanted):
            reason = f"does not fit {name}, which speaks {callee.protocol}"
            yield Finding(path=(*path, index), given=None, reason=reason, suggestion=f"list {spelled}")


def operations_are_said_once(t: Topology) -> Iterator[Finding]:
    """No method of a path is granted twice to one caller."""
    lists: list[tuple[KeyPath, tuple[Operation, ...]]] = [
        (("services", name, "calls", callee), granted) for name, service in t.services.items() for callee, granted in service.calls.items()
    ]
    lists += [(("bridges", name, "operations"), bridge.operations) for name, bridge in t.bridges.items()]
    for path, granted in lists:
        seen: set[tuple[str, str]] = set()
        for index, operation in enumerate(granted):
            for method, pattern in operations((operation,)):
                if (method, pattern) in seen:
                    reason = f"grants {method} {pattern} a second time"
                    yield Finding(path=(*path, index), given=None, reason=reason, suggestion="remove one")
                seen.add((method, pattern))


def compositions_ask_for_one_answer(t: Topology) -> Iterator[Finding]:
    """A part of a composition is one path of an http service."""
    for name, composition in t.compositions.items():
        for key, part in composition.parts.items():
            at = ("compositions", name, "parts", key)
            service = t.services.get(part.service)
            if service and service.protocol is not Protocol.HTTP:
                reason = f"speaks {service.protocol}, and only http answers can be composed"
                yield Finding(path=(*at, "service"), given=part.service, reason=reason, suggestion="compose http services")
            if not is_exact(part.path):
                reason = "is a pattern, and a composition asks for one path"
                yield Finding(path=(*at, "path"), given=part.path, reason=reason, suggestion="write the path")


LAWS: tuple[Law, ...] = (
    calls_stay_in_the_mesh,
    operations_fit_the_protocol,
    operations_are_said_once,
    compositions_ask_for_one_answer,
)
