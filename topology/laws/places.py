"""Namespaces, authorities and hosts have one owner."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from topology.findings import Finding, KeyPath, did_you_mean
from topology.laws.law import Law
from topology.model.system import OutsideProtocol, Topology

RESERVED_NAMESPACES = frozenset(
    {
        "edge",
        "gateway",
        "envoy-gateway-system",
        "kong",
        "ratelimit",
        "cert-manager",
        "default",
        "kube-system",
        "kube-public",
        "kube-node-lease",
    }
)
"""Namespaces of the layers around the mesh, and Kubernetes' own."""

RESERVED_TRUST_DOMAINS = frozenset({"boundary"})
"""The trust domain of the edge and the gateway. A mesh of that name could sign their identities."""

INSIDE = (".local", ".svc", ".internal", ".localhost")
"""Endings of host names that mean something inside a cluster or a machine."""


def platform_namespaces_are_distinct(t: Topology) -> Iterator[Finding]:
    """Each part of the platform has a namespace of its own."""
    taken = set(RESERVED_NAMESPACES)
    for mesh_name, parts in _platform(t).items():
        for key, namespace in parts.items():
            if namespace in taken:
                reason = "is already the namespace of another part of the platform"
                path = ("meshes", mesh_name, key)
                yield Finding(path=path, given=namespace, reason=reason, suggestion="give each part a namespace of its own")
            taken.add(namespace)


def _platform(t: Topology) -> dict[str, dict[str, str]]:
    """Return the namespaces of each mesh's own parts by their key in the file."""
    return {
        name: {"controlPlane": mesh.control_plane, "ingress": mesh.ingress, "egress": mesh.egress, "bridge": mesh.bridge}
        for name, mesh in t.meshes.items()
    }


def workloads_say_their_mesh(t: Topology) -> Iterator[Finding]:
    """Where there are several meshes, each workload names its own."""
    if len(t.meshes) == 1:
        return
    for kind, group in (("services", t.services), ("compositions", t.compositions)):
        for name, workload in group.items():
            if workload.mesh is None:
                reason = "is missing: there are several meshes"
                yield Finding(path=(kind, name, "mesh"), given=None, reason=reason, suggestion=did_you_mean("", t.meshes))


def namespaces_have_one_owner(t: Topology) -> Iterator[Finding]:
    """A namespace belongs to the services of one mesh, or to the platform."""
    platform = RESERVED_NAMESPACES.union(*(parts.values() for parts in _platform(t).values()))
    owner: dict[str, str] = {}
    for path, namespace, mesh in dict.fromkeys(_namespaces(t)):
        if namespace in platform or namespace.startswith("kube-"):
            yield Finding(path=path, given=namespace, reason="belongs to the platform", suggestion=_another(path, mesh))
        elif (other := owner.setdefault(namespace, mesh)) != mesh:
            reason = f"is a namespace of mesh {other}, and a namespace belongs to one mesh"
            yield Finding(path=path, given=namespace, reason=reason, suggestion=_another(path, mesh))


def _namespaces(t: Topology) -> Iterator[tuple[KeyPath, str, str]]:
    """Yield each namespace of workloads, where it is written, and its mesh; one that many inherit stands at one place."""
    for kind, group in (("services", t.services), ("compositions", t.compositions)):
        for name, workload in group.items():
            mesh = t.mesh_of(name)
            if mesh not in t.meshes or (workload.mesh is None and len(t.meshes) > 1):
                continue
            path: KeyPath = ("system",)
            if workload.namespace is not None:
                path = (kind, name, "namespace")
            elif t.meshes[mesh].namespace is not None:
                path = ("meshes", mesh, "namespace")
            yield path, t.namespace_of(name), mesh


def _another(path: KeyPath, mesh: str) -> str:
    return f"give mesh {mesh} a namespace of its own" if path == ("system",) else "choose another namespace"


def authorities_are_distinct(t: Topology) -> Iterator[Finding]:
    """Two certificate authorities never sign one identity, and two issuers never speak in one name."""
    seen: dict[str, str] = {}
    for name, mesh in t.meshes.items():
        path = ("meshes", name, "trustDomain")
        if mesh.trust_domain in RESERVED_TRUST_DOMAINS:
            reason = "is the trust domain of the edge and the gateway"
            yield Finding(path=path, given=mesh.trust_domain, reason=reason, suggestion="choose another")
        if (other := seen.setdefault(mesh.trust_domain, name)) != name:
            yield Finding(
                path=path, given=mesh.trust_domain, reason=f"is the trust domain of mesh {other} too", suggestion="choose another"
            )
    urls: dict[str, str] = {}
    for name, issuer in t.issuers.items():
        if (other := urls.setdefault(issuer.issuer, name)) != name:
            reason = f"is the URL of issuer {other} too, so a token could not tell which of them signed it"
            yield Finding(path=("issuers", name, "issuer"), given=issuer.issuer, reason=reason, suggestion="keep one")


FOREIGN_PORTS: Mapping[int, str] = {
    25: "SMTP",
    465: "SMTP",
    587: "SMTP",
    1433: "SQL Server",
    1521: "Oracle",
    3306: "MySQL",
    5432: "PostgreSQL",
    5671: "AMQP",
    5672: "AMQP",
    6379: "Redis",
    9092: "Kafka",
    27017: "MongoDB",
}
"""Ports of protocols other than HTTP (https://www.iana.org/assignments/service-names-port-numbers/; Kafka's by its own documents)."""


def exits_speak_http(t: Topology) -> Iterator[Finding]:
    """What leaves speaks HTTP unless it says otherwise; where the port alone gives it away, nobody waits for the timeout to learn it."""
    for name, exit_ in t.egress.items():
        if exit_.port in FOREIGN_PORTS and exit_.protocol is OutsideProtocol.HTTP:
            reason = f"is the port of {FOREIGN_PORTS[exit_.port]}, where the egress gateway would speak HTTP over TLS"
            yield Finding(path=("egress", name, "port"), given=exit_.port, reason=reason, suggestion="write `protocol: tcp` beside it")


def hosts_are_outside(t: Topology) -> Iterator[Finding]:
    """A public host is not a name inside; an egress host neither is inside nor one of our own; each is named once in a mesh."""
    for index, host in enumerate(t.hosts):
        if host.endswith(INSIDE):
            reason = "is a name inside the cluster"
            yield Finding(path=("hosts", index), given=host, reason=reason, suggestion="choose the name that clients use")
    seen: dict[tuple[str, int, str], str] = {}
    for name, exit_ in t.egress.items():
        path = ("egress", name, "host")
        if exit_.host in t.public_hosts():
            reason = "is one of our own hosts, and a call does not leave by the front door to come in again"
            yield Finding(path=path, given=exit_.host, reason=reason, suggestion="write a call")
        if exit_.host.endswith(INSIDE):
            yield Finding(path=path, given=exit_.host, reason="is a name inside the cluster", suggestion="write a call or a bridge")
        users: dict[str, list[str]] = defaultdict(list)
        for service in exit_.services:
            if service in t.services:
                users[t.mesh_of(service)].append(service)
        if len(users) > 1:
            who = "; ".join(f"{', '.join(services)} in mesh {mesh}" for mesh, services in users.items())
            reason = f"are of several meshes ({who})"
            yield Finding(path=("egress", name, "services"), given=None, reason=reason, suggestion="write one egress for each mesh")
        for mesh in users:
            if (other := seen.setdefault((exit_.host, exit_.port, mesh), name)) != name:
                yield Finding(path=path, given=exit_.host, reason=f"is named by egress {other} too", suggestion="merge the two")


LAWS: tuple[Law, ...] = (
    platform_namespaces_are_distinct,
    workloads_say_their_mesh,
    namespaces_have_one_owner,
    authorities_are_distinct,
    exits_speak_http,
    hosts_are_outside,
)
