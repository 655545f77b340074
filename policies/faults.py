"""Calls that routes fail or hold back on purpose: which, and whose, held against the faults of the topology.

Fields: https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection. Whose a route is, its `sourceLabels` and
`sourceNamespace` say (#HTTPMatchRequest). A fault that names callers is for their sidecars: it is nothing for requests that a gateway lets in.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.callers import hosts
from policies.checks import at
from policies.layers import workload, workload_of
from policies.reading.durations import length
from policies.reading.meshes import Proxy
from policies.reading.patterns import ByFirst
from policies.reading.pods import Pod
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError, mapping
from policies.reading.virtual_services import MESH, routes_of
from policies.request_kinds import of_calls
from topology.edges import identity
from topology.model.base import ServiceName, seconds
from topology.model.service import Service

_FIELDS: Final[Mapping[str, tuple[str, Callable[[Any], object]]]] = {
    "abort": ("httpStatus", lambda said: said),
    "delay": ("fixedDelay", lambda said: length(str(said))),
}
"""Kind: the field that says what happens to a call, and what its value means."""
_SPELLED: Final = {"abort": "answers {} instead", "delay": "holds back {}"}


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One way in which calls fail on purpose, as a route or the topology says it."""

    kind: str
    """`abort` or `delay`."""
    value: object
    """The status, or seconds; None where it cannot be read."""
    said: object
    """The same as it is written."""
    percent: float
    callers: tuple[ServiceName, ...] = ()
    """In the topology: of whose calls; empty: of everybody's."""

    def __str__(self) -> str:
        """Return what happens to a call."""
        return _SPELLED[self.kind].format(self.said)

    def concerns(self, caller: ServiceName | None) -> bool:
        """Say whether it is for calls of a caller; None is a gateway."""
        return not self.callers or caller in self.callers

    def same(self, other: "Failure") -> bool:
        """Say whether the same happens to a call."""
        return self.value is not None and (self.kind, self.value) == (other.kind, other.value)

    def keeps_to(self, declared: "Failure") -> bool:
        """Say whether it is as the topology declares it, or of fewer calls."""
        return self.same(declared) and self.percent <= declared.percent


def declared(service: Service) -> Iterator[Failure]:
    """Yield how calls to a service fail as the topology says."""
    for fault in service.faults:
        if fault.abort is not None:
            yield Failure(kind="abort", value=fault.abort, said=fault.abort, percent=fault.percent, callers=fault.callers)
        if fault.delay is not None:
            yield Failure(kind="delay", value=seconds(fault.delay), said=fault.delay, percent=fault.percent, callers=fault.callers)


def injected(route: Mapping[str, Any]) -> Iterator[Failure]:
    """Yield how calls fail by a route.

    Raises:
        UnknownValueError: for a share that is no number, or is not said: Istio's reference reads that as every call, its proxies as none.
    """
    fault = mapping(route.get("fault"))
    for kind, (field, read) in _FIELDS.items():
        if not (given := mapping(fault.get(kind))):
            continue
        percent: Any = at(given, "percentage", "value")
        if isinstance(percent, bool) or not isinstance(percent, int | float):
            raise UnknownValueError(
                f"fault.{kind}.percentage", f"{'absent' if percent is None else repr(percent)}, which is no share of calls"
            )
        said = given.get(field)
        yield Failure(kind=kind, value=read(said), said=said, percent=percent)


def undeclared(route: Mapping[str, Any], service: Service) -> Iterator[str]:
    """Yield the failures of a route that the topology does not have for anybody, or for fewer calls."""
    allowed = list(declared(service))
    for failure in injected(route):
        if not any(failure.keeps_to(each) for each in allowed):
            yield f"{failure} in {failure.percent:g} percent"


def misdirected(route: Mapping[str, Any], service: Service, caller: ServiceName | None, calls: str) -> Iterator[str]:
    """Yield the failures of a route that are not meant for a caller's calls, and those that are and are not there."""
    allowed, found = list(declared(service)), [failure for failure in injected(route) if failure.percent]
    for failure in found:
        meant = [each for each in allowed if failure.keeps_to(each)]
        if meant and not any(each.concerns(caller) for each in meant):
            names = ", ".join(dict.fromkeys(name for each in meant for name in each.callers))
            yield f"{failure} in {failure.percent:g} percent of {calls} on purpose; the topology means calls of {names} alone"
    for each in allowed:
        if each.concerns(caller) and not any(failure.same(each) for failure in found):
            yield f"{each} in none of {calls}; the topology says {each.percent:g} percent"


class Faults:
    """The services that fail on purpose, and who meets that."""

    def __init__(self, stack: Stack) -> None:
        """Index services and callers once."""
        self._stack = stack
        t = stack.intent
        self._named = {workload_of(identity(t, name)): name for name in (*t.services, *t.compositions)}
        self.hosts = {host: name for host, name in hosts(t).items() if name in t.services and t.services[name].faults}
        """Services with faults, by their host."""

    def met(self, sender: Pod, host: str) -> Iterator[tuple[Resource, str]]:
        """Yield what is wrong about the failures that a caller's requests to such a service meet, with the VirtualService that says it.

        Raises:
            UnknownValueError: where that cannot be told.
        """
        member = self._stack.member(sender)
        if member is None or member[1] is Proxy.GATEWAY:
            return
        name, caller = self.hosts[host], self._named.get(workload(sender))
        service = self._stack.intent.services[name]
        found = self._stack.traffic.mesh_routes(sender, host, service.port)
        routes = ByFirst((route.patterns, route) for route in found if not route.tcp)
        for kind in of_calls(self._stack.intent, name):
            for route in kind.answering(routes):
                for wrong in misdirected(route.written, service, caller, f"{kind.said} from {caller or sender}"):
                    yield route.resource, wrong

    def let_in(self, resource: Resource) -> Iterator[str]:
        """Yield what is wrong about the failures that requests meet which come by a gateway.

        Raises:
            UnknownValueError: where that cannot be told.
        """
        for route in routes_of(resource):
            for gateway in (each for each in route.gateways if each != MESH):
                for host in dict.fromkeys(each.host for each in route.destinations if not each.mirror and each.host in self.hosts):
                    name = self.hosts[host]
                    calls = f"requests to {name} by gateway {gateway}"
                    yield from misdirected(route.written, self._stack.intent.services[name], None, calls)
