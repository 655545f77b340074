"""What is written is used. These laws speak of what is missing, so they are judged only on a file that is whole."""

from collections.abc import Collection, Iterable, Iterator

from topology.findings import Finding
from topology.laws.law import Law
from topology.model.door import ApiKeyAuth, JwtAuth, Lifecycle
from topology.model.system import Topology


def workloads_are_used(t: Topology) -> Iterator[Finding]:
    """A service is called or calls; a composition is called."""
    if _of_clients(t):
        return
    called = {callee for service in t.services.values() for callee in service.calls}
    called |= {part.service for composition in t.compositions.values() for part in composition.parts.values()}
    called |= {door.service for door in t.doors.values()} | {bridge.target for bridge in t.bridges.values()}
    calls = {name for name, service in t.services.items() if service.calls}
    calls |= {bridge.source for bridge in t.bridges.values()}
    calls |= {service for exit_ in t.egress.values() for service in exit_.services}
    for kind, names, used in (("services", t.services, called | calls), ("compositions", t.compositions, called)):
        for name in names:
            if name not in used:
                yield Finding(
                    path=(kind, name), given=None, reason="is reached by nobody", suggestion="add a door or a caller, or remove it"
                )


def clients_have_doors(t: Topology) -> Iterator[Finding]:
    """Where something is said of clients, there is a door that they use. The other laws are then silent about all that waits for one."""
    if said := _of_clients(t):
        listed = " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))
        reason = f"are missing: nobody comes in from outside, and no door uses the {listed}"
        yield Finding(path=("doors",), given=None, reason=reason, suggestion=f"write the ways in, or remove the {listed}")


def _of_clients(t: Topology) -> tuple[str, ...]:
    """Return what is there for clients alone, of a system without doors."""
    if t.doors:
        return ()
    sections: dict[str, object] = {
        "further hosts": t.hosts[1:],
        "issuers": t.issuers,
        "tiers": t.tiers,
        "consumers": t.consumers,
        "cors": t.cors,
        "apis": [*_promised(t)],
    }
    return tuple(section for section, entries in sections.items() if entries)


def definitions_are_used(t: Topology) -> Iterator[Finding]:
    """Meshes, datacenters, issuers, tiers, CORS policies, consumers and further hosts serve somebody."""
    yield from _places_are_used(t)
    if t.doors:
        yield from _clients_are_served(t)


def _places_are_used(t: Topology) -> Iterator[Finding]:
    everywhere = any(not service.datacenters for service in t.services.values())
    sections: tuple[tuple[str, Collection[str], Collection[str], str], ...] = (
        ("meshes", t.meshes, {t.mesh_of(name) for name in (*t.services, *t.compositions)}, "has no service"),
        ("datacenters", () if everywhere else t.datacenters, {p for s in t.services.values() for p in s.datacenters}, "runs no service"),
    )
    yield from _unused(sections)


def _clients_are_served(t: Topology) -> Iterator[Finding]:
    doors = t.doors.values()
    auths = [door.auth for door in doors]
    keyed = {tier for auth in auths if isinstance(auth, ApiKeyAuth) for tier in auth.api_key}
    sections: tuple[tuple[str, Collection[str], Collection[str], str], ...] = (
        ("issuers", t.issuers, {auth.jwt for auth in auths if isinstance(auth, JwtAuth)}, "is trusted by no door"),
        ("tiers", t.tiers, keyed | {tier for door in doors for tier in door.tiers}, "limits no door"),
        ("cors", t.cors, {door.cors for door in doors if door.cors}, "is named by no door"),
    )
    yield from _unused(sections)
    for name, consumer in t.consumers.items():
        if consumer.tier in t.tiers and consumer.tier not in keyed:
            reason = f"is of tier {consumer.tier}, whose API keys open no door"
            yield Finding(path=("consumers", name), given=None, reason=reason, suggestion="name the tier in a door's auth.apiKey")
    opened = {t.host_of(door) for door in doors}
    for index, host in enumerate(t.hosts[1:], start=1):
        if host not in opened:
            yield Finding(path=("hosts", index), given=host, reason="has no door", suggestion="use it, or remove it")


def _unused(sections: Iterable[tuple[str, Collection[str], Collection[str], str]]) -> Iterator[Finding]:
    """Yield what each section defines and nobody uses; a section is its name, what it defines, what is used, and the reason told."""
    for section, names, used, reason in sections:
        for name in names:
            if name not in used:
                yield Finding(path=(section, name), given=None, reason=reason, suggestion="use it, or remove it")


def promised_versions_have_doors(t: Topology) -> Iterator[Finding]:
    """A version that the developer portal offers can be used."""
    open_ = {(door.api.name, door.api.version) for door in t.doors.values() if door.api}
    for name, version, lifecycle in _promised(t) if t.doors else ():
        if (name, version) not in open_:
            path = ("apis", name, "versions", version)
            reason = f"is {lifecycle}, but has no door"
            yield Finding(path=path, given=None, reason=reason, suggestion="add a door, or say draft or retired")


def _promised(t: Topology) -> Iterator[tuple[str, str, Lifecycle]]:
    """Yield the API versions that can be used, each with its place in life."""
    for name, api in t.apis.items():
        for version, about in api.versions.items():
            if about.lifecycle in {Lifecycle.PUBLISHED, Lifecycle.DEPRECATED}:
                yield name, version, about.lifecycle


LAWS: tuple[Law, ...] = (
    clients_have_doors,
    workloads_are_used,
    definitions_are_used,
    promised_versions_have_doors,
)
