"""Names lead somewhere, and lead to one workload only."""

from collections.abc import Collection, Iterator

from topology.findings import Finding, KeyPath, did_you_mean
from topology.laws.law import Law
from topology.model.door import ApiKeyAuth, Door, JwtAuth
from topology.model.service import Service
from topology.model.system import Topology

RESERVED_NAMES = frozenset({"default"})
"""Names of workloads: every namespace has a ServiceAccount `default`, which belongs to nobody."""

Use = tuple[str, Collection[str], KeyPath, str]
"""A name that is used, the names that are defined, where it is used, and what it should be."""


def names_resolve(t: Topology) -> Iterator[Finding]:
    """Every name that is used is defined."""
    for given, names, path, kind in _uses(t):
        if given not in names:
            yield Finding(path=path, given=given, reason=f"is not {kind}", suggestion=did_you_mean(given, names))


def _uses(t: Topology) -> Iterator[Use]:
    workloads = {**t.services, **t.compositions}
    for name, service in t.services.items():
        yield from _below(("services", name), _uses_of_a_service(t, name, service))
        for callee in service.calls:
            yield callee, workloads, ("services", name, "calls", callee), "a service"
    for name, composition in t.compositions.items():
        if composition.mesh is not None:
            yield composition.mesh, t.meshes, ("compositions", name, "mesh"), "a mesh"
        for key, part in composition.parts.items():
            yield part.service, t.services, ("compositions", name, "parts", key, "service"), "a service"
    for name, consumer in t.consumers.items():
        yield consumer.tier, t.tiers, ("consumers", name, "tier"), "a tier"
    for name, door in t.doors.items():
        yield door.service, workloads, ("doors", name, "service"), "a service"
        yield from _below(("doors", name), _uses_of_a_door(t, door))
    yield from _uses_between_systems(t)


def _below(at: KeyPath, uses: Iterator[Use]) -> Iterator[Use]:
    return ((given, names, (*at, *path), kind) for given, names, path, kind in uses)


def _uses_between_systems(t: Topology) -> Iterator[Use]:
    for name, bridge in t.bridges.items():
        yield bridge.source, t.services, ("bridges", name, "source"), "a service"
        yield bridge.target, t.services, ("bridges", name, "target"), "a service"
    for name, exit_ in t.egress.items():
        for index, service in enumerate(exit_.services):
            yield service, t.services, ("egress", name, "services", index), "a service"


def _uses_of_a_service(t: Topology, name: str, service: Service) -> Iterator[Use]:
    if service.mesh is not None:
        yield service.mesh, t.meshes, ("mesh",), "a mesh"
    for index, place in enumerate(service.datacenters):
        yield place, t.datacenters, ("datacenters", index), "a datacenter"
    if service.canary:
        yield service.canary.version, service.versions, ("canary", "version"), f"a version of {name}"
    if service.mirror:
        yield service.mirror.version, service.versions, ("mirror", "version"), f"a version of {name}"
    for index, fault in enumerate(service.faults):
        for position, caller in enumerate(fault.callers):
            yield caller, {**t.services, **t.compositions}, ("faults", index, "callers", position), "a service"


def _uses_of_a_door(t: Topology, door: Door) -> Iterator[Use]:
    if door.host is not None:
        yield door.host, t.hosts, ("host",), "one of the system's hosts"
    if door.version is not None and door.service in t.services:
        yield door.version, t.services[door.service].versions, ("version",), f"a version of {door.service}"
    if isinstance(door.auth, JwtAuth):
        yield door.auth.jwt, t.issuers, ("auth", "jwt"), "an issuer"
    if isinstance(door.auth, ApiKeyAuth):
        for index, tier in enumerate(door.auth.api_key):
            yield tier, t.tiers, ("auth", "apiKey", index), "a tier"
    if door.cors is not None:
        yield door.cors, t.cors, ("cors",), "a CORS policy"
    for index, tier in enumerate(door.tiers):
        yield tier, t.tiers, ("tiers", index), "a tier"
    if door.api is not None:
        yield door.api.name, t.apis, ("api", "name"), "an API"
        if door.api.name in t.apis:
            yield door.api.version, t.apis[door.api.name].versions, ("api", "version"), f"a version of {door.api.name}"


def names_mean_one_workload(t: Topology) -> Iterator[Finding]:
    """No two workloads, and no two Deployments (`<service>-<version>`), bear one name."""
    for kind, group in (("services", t.services), ("compositions", t.compositions)):
        for name in group:
            if name in RESERVED_NAMES:
                reason = "is the name of the ServiceAccount that every namespace has"
                yield Finding(path=(kind, name), given=None, reason=reason, suggestion="choose another name")
    for name in t.compositions:
        if name in t.services:
            yield Finding(path=("compositions", name), given=None, reason="is also the name of a service", suggestion="rename one")
    deployments = {name: name for name in t.compositions}
    for name, service in t.services.items():
        for version in service.versions:
            deployment = f"{name}-{version}"
            if (other := deployments.setdefault(deployment, name)) != name:
                reason = f"makes a Deployment {deployment}, which {other} has too"
                yield Finding(path=("services", name, "versions", version), given=None, reason=reason, suggestion="rename one")


LAWS: tuple[Law, ...] = (
    names_resolve,
    names_mean_one_workload,
)
