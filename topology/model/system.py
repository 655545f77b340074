"""A system: everything one topology file says."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from topology.model.base import HeaderName, HostName, Model, Name, Port, ServiceName, TrustDomain, VersionName
from topology.model.cors import Cors
from topology.model.door import Api, Composition, Consumer, Door, Issuer, Tier
from topology.model.service import Ejection, Operation, Protocol, Resilience, Service


class Mesh(Model):
    """One certificate authority and the name space of identities it signs."""

    trust_domain: TrustDomain
    """Begins every identity in the mesh: `spiffe://<trustDomain>/ns/<namespace>/sa/<service>`. No two meshes share one."""
    namespace: Name | None = None
    """Namespace of its services, where a service does not name another. Default: the name of the system."""
    control_plane: Name = "istio-system"
    """Namespace of istiod, which is the root namespace of the mesh's policies."""
    ingress: Name = "istio-ingress"
    """Namespace of the door that only the API gateway may use."""
    egress: Name = "istio-egress"
    """Namespace of the only way out."""
    bridge: Name = "istio-bridge"
    """Namespace of this mesh's side of the internal gateway."""


class Datacenter(Model):
    """A place where services run. Clients and callers prefer the nearest one that is healthy."""

    region: Name
    """Datacenters of one region are near each other."""
    description: str = ""
    """What is special about it."""


class Bridge(Model):
    """A service of one mesh calls a service of another, through the internal gateway between them."""

    source: ServiceName
    """The service that calls, in one mesh."""
    target: ServiceName
    """The service that is called, in another mesh."""
    operations: Annotated[tuple[Operation, ...], Field(min_length=1)]
    """What may be called."""


class OutsideProtocol(StrEnum):
    """What an outside host is asked in. Decides what the egress gateway can do on the way."""

    HTTP = "http"
    """Requests in plain HTTP, which the egress gateway encrypts: it speaks TLS to the host and verifies its certificate."""
    TCP = "tcp"
    """Bytes, passed on as they are: databases, brokers, mail, gRPC, programs that speak TLS themselves. **Nobody on the way encrypts them**
    or verifies the host's certificate: demand both in the program, such as `sslmode=verify-full` of PostgreSQL."""


class Egress(Model):
    """An outside host that named services may call, through the egress gateway."""

    host: HostName
    """The outside host."""
    port: Port = 443
    """Where the host speaks TLS; with `tcp`, where it listens."""
    protocol: OutsideProtocol = OutsideProtocol.HTTP
    """What the services send."""
    services: Annotated[tuple[ServiceName, ...], Field(min_length=1)]
    """Who may call it."""
    description: str = ""
    """What it is for."""


class Topology(Model):
    """One system: its meshes, services and doors, and every call that is allowed. What is not here is refused."""

    system: Name
    """Name of the system, and of the namespace of its services where their mesh names none."""
    description: str = ""
    """What the system does."""
    hosts: Annotated[tuple[HostName, ...], Field(min_length=1)]
    """Public host names. The first is that of doors which name none."""
    meshes: Annotated[Mapping[Name, Mesh], Field(min_length=1)]
    """One for most systems; several where services must not trust the same authority."""
    datacenters: Mapping[Name, Datacenter] = {}
    """Where services run, if in more than one place."""
    issuers: Mapping[Name, Issuer] = {}
    """Who signs the tokens of clients."""
    tiers: Mapping[Name, Tier] = {}
    """How often clients may ask."""
    consumers: Mapping[Name, Consumer] = {}
    """Clients with an API key."""
    cors: Mapping[Name, Cors] = {}
    """Whose pages' scripts may use doors from a browser."""
    apis: Mapping[Name, Api] = {}
    """Products in the developer portal, and their versions."""
    services: Annotated[Mapping[ServiceName, Service], Field(min_length=1)]
    """The workloads."""
    compositions: Mapping[ServiceName, Composition] = {}
    """Answers made from those of several services."""
    doors: Mapping[Name, Door] = {}
    """The only ways in from outside."""
    bridges: Mapping[Name, Bridge] = {}
    """The only ways from one mesh to another."""
    egress: Mapping[Name, Egress] = {}
    """The only ways out."""

    def workload(self, name: ServiceName) -> Service | Composition:
        """Return the service or composition of that name."""
        return self.services[name] if name in self.services else self.compositions[name]

    def protocol_of(self, name: ServiceName) -> Protocol:
        """Return what a service speaks; a composition speaks HTTP."""
        workload = self.workload(name)
        return workload.protocol if isinstance(workload, Service) else Protocol.HTTP

    def mesh_of(self, name: ServiceName) -> Name:
        """Return the mesh that a service or composition belongs to."""
        return self.workload(name).mesh or next(iter(self.meshes))

    def ejection_of(self, resilience: Resilience) -> Ejection | None:
        """Return how failing instances are taken out: with datacenters always, for a call goes elsewhere than nearby only when nearby is seen to fail."""
        return resilience.ejection or (Ejection() if self.datacenters else None)

    def doors_by_mesh(self) -> dict[Name, list[Name]]:
        """Return the meshes that have doors, each with its doors, in the order of the doors."""
        found: dict[Name, list[Name]] = {}
        for name, door in self.doors.items():
            found.setdefault(self.mesh_of(door.service), []).append(name)
        return found

    def namespace_of(self, name: ServiceName) -> Name:
        """Return the namespace of a service or composition: its own, else its mesh's, else the name of the system."""
        return self.workload(name).namespace or self.meshes[self.mesh_of(name)].namespace or self.system

    def host_of(self, door: Door) -> HostName:
        """Return the public host of a door."""
        return door.host or self.hosts[0]

    def version_header(self, door: Door) -> tuple[HeaderName, VersionName] | None:
        """Return the header and value by which clients choose the version of a door's API; None where the path says it."""
        header = self.apis[door.api.name].version_header if door.api else None
        return (header, door.api.version) if door.api and header else None

    def public_hosts(self) -> tuple[HostName, ...]:
        """Return every public host, sorted."""
        return tuple(sorted({*self.hosts, *(self.host_of(door) for door in self.doors.values())}))


COMPOSITION_PORT: Final = 8080
"""The port a composition answers on."""
