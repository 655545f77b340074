"""What a topology can say and no environment can carry: said as findings before anything is made, never dropped."""

from collections.abc import Iterator
from typing import Final

from topology.derive import names, ratelimit
from topology.derive.composition import VERSION
from topology.derive.workloads import deployment_name, deployment_names, places
from topology.findings import Finding
from topology.model.base import HostName, Name, ServiceName
from topology.model.service import Scope, Service
from topology.model.system import Topology

RESERVED: Final = frozenset({"default"})
"""ServiceAccounts that Kubernetes makes in every namespace."""


def unsupported(t: Topology) -> Iterator[Finding]:
    """Yield every part of the topology that the derived objects could not say."""
    yield from _names(t)
    yield from _versions(t)
    for name, service in t.services.items():
        yield from _faults(name, service)
        if service.limit and service.limit.scope is Scope.GLOBAL and service.limit.burst:
            path = ("services", name, "limit", "burst")
            reason = "cannot be kept: a limit counted once for all instances has no burst"
            yield Finding(path=path, given=service.limit.burst, reason=reason, suggestion="remove it, or write scope: local")
    yield from _egress(t)
    yield from _counting(t)


def _names(t: Topology) -> Iterator[Finding]:
    for kind, group in (("services", t.services), ("compositions", t.compositions)):
        for name in group:
            if name in RESERVED:
                reason = "is the name of the ServiceAccount that Kubernetes gives every namespace"
                yield Finding(path=(kind, name), given=None, reason=reason, suggestion="rename it")
    for name, bridge in t.bridges.items():
        if bridge.target == names.BRIDGE:
            reason = "is the name of the internal gateway itself"
            yield Finding(path=("bridges", name, "target"), given=bridge.target, reason=reason, suggestion="rename the service")


def _versions(t: Topology) -> Iterator[Finding]:
    """Yield Deployments that would bear one name, as of `a` in version `b-v1` and of `a-b` in version `v1`."""
    owner: dict[tuple[Name, Name], ServiceName] = {
        (t.namespace_of(name), deployment_name(name, VERSION, place)): name for name in t.compositions for place in places(t)
    }
    for name in t.services:
        for deployment in deployment_names(t, name):
            other = owner.setdefault((t.namespace_of(name), deployment), name)
            taken = [found for found in deployment_names(t, name) if found == deployment]
            if other != name or len(taken) > 1:
                reason = f"needs a Deployment named {deployment}, which {other} needs too"
                yield Finding(path=("services", name, "versions"), given=None, reason=reason, suggestion="rename a version or a service")
                break


def _faults(name: ServiceName, service: Service) -> Iterator[Finding]:
    """Yield faults that Istio cannot inject together: a call meets one abort and one delay at most."""
    callers = {caller for fault in service.faults for caller in fault.callers} | {None}
    reported: set[int] = set()
    for caller in callers:
        seen: set[str] = set()
        for index, fault in enumerate(service.faults):
            if fault.callers and caller not in fault.callers:
                continue
            kinds = {kind for kind in ("abort", "delay") if getattr(fault, kind) is not None}
            if kinds & seen and index not in reported:
                reported.add(index)
                which = " and ".join(sorted(kinds & seen))
                reason = f"is a second {which} for the same calls; a call meets one of each at most"
                path = ("services", name, "faults", index)
                yield Finding(path=path, given=None, reason=reason, suggestion="merge the two, or give them different callers")
            seen |= kinds


def _egress(t: Topology) -> Iterator[Finding]:
    """Yield hosts that are named with two ports: the egress gateway tells its hosts apart by name alone."""
    seen: dict[tuple[Name, HostName], Name] = {}
    for name, exit_ in t.egress.items():
        key = (t.mesh_of(exit_.services[0]), exit_.host)
        if (other := seen.setdefault(key, name)) != name:
            reason = f"is named with another port by egress {other}; the egress gateway tells hosts apart by name alone"
            yield Finding(path=("egress", name, "host"), given=exit_.host, reason=reason, suggestion="use one port")


def _counting(t: Topology) -> Iterator[Finding]:
    """Yield meshes whose rate-limit service would need the namespace of services."""
    taken = {t.namespace_of(name) for name in (*t.services, *t.compositions)}
    for name, service in t.services.items():
        namespace = ratelimit.namespace_of(t.mesh_of(name))
        if service.limit and service.limit.scope is Scope.GLOBAL and namespace in taken:
            reason = f"needs a rate-limit service in namespace {namespace}, which holds services"
            path = ("services", name, "limit", "scope")
            yield Finding(path=path, given=str(service.limit.scope), reason=reason, suggestion="put those services elsewhere")
