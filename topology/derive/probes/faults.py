"""Faults that the topology injects: which calls may meet one, so that a fault anywhere else is a failure."""

from collections.abc import Callable, Iterator

from topology.model.base import ServiceName
from topology.model.service import Fault, Service
from topology.model.system import Topology


def may_fail(t: Topology, caller: ServiceName | None, callee: ServiceName) -> bool:
    """Say whether a call may be aborted on purpose: itself, or further on by a call of the callee's, who may pass the answer on.

    `caller` is None for a gateway, or anybody else that no fault names.
    """
    return _meets(t, caller, callee, lambda fault: fault.abort is not None)


def may_wait(t: Topology, caller: ServiceName | None, callee: ServiceName) -> bool:
    """Say whether a call may be held back on purpose: itself, or further on by a call of the callee's."""
    return _meets(t, caller, callee, lambda fault: fault.delay is not None)


def concerns(fault: Fault, caller: ServiceName | None) -> bool:
    """Say whether a fault is for calls of a caller."""
    return not fault.callers or caller in fault.callers


def _meets(t: Topology, caller: ServiceName | None, callee: ServiceName, kind: Callable[[Fault], bool]) -> bool:
    if not any(service.faults for service in t.services.values()):
        return False
    seen: set[tuple[ServiceName | None, ServiceName]] = set()
    left: list[tuple[ServiceName | None, ServiceName]] = [(caller, callee)]
    while left:
        call = left.pop()
        if call not in seen:
            seen.add(call)
            if any(kind(fault) and concerns(fault, call[0]) for fault in _faults(t, call[1])):
                return True
            left += [(call[1], further) for further in _called(t, call[1])]
    return False


def _faults(t: Topology, name: ServiceName) -> tuple[Fault, ...]:
    service = t.workload(name)
    return service.faults if isinstance(service, Service) else ()


def _called(t: Topology, name: ServiceName) -> Iterator[ServiceName]:
    """Yield whom a service or composition calls."""
    about = t.workload(name)
    if isinstance(about, Service):
        yield from about.calls
        yield from (bridge.target for bridge in t.bridges.values() if bridge.source == name)
    else:
        yield from (part.service for part in about.parts.values())
