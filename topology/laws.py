"""Whole-model laws: each a pure function that returns every way a topology breaks it. `LAWS` is the list."""

from collections.abc import Callable, Iterator

import topology.model.base as base
from topology.findings import Finding, KeyPath, TopologyError, did_you_mean
from topology.model.door import ApiKeyAuth, Door, JwtAuth, Lifecycle, PublicAuth
from topology.model.service import DataClass, GrpcOperation, HttpOperation, Operation, Protocol, Service
from topology.model.system import Topology
from topology.paths import is_prefix, is_template, stem

Law = Callable[[Topology], Iterator[Finding]]

PLATFORM_NAMESPACES = frozenset({"edge", "gateway", "cert-manager", "default", "kube-system", "kube-public", "kube-node-lease"})
"""Namespaces that belong to the layers around the mesh, or to Kubernetes."""

SENSITIVE = frozenset({DataClass.PERSONAL, DataClass.HEALTH, DataClass.PAYMENT})
"""Data that is never one public door away."""

MANAGEMENT_PATHS = ("/metrics", "/healthz", "/readyz", "/livez", "/admin", "/debug", "/actuator", "/stats", "/config_dump")
"""Paths that speak to operators, not to clients (OWASP API8, API9)."""

HOP_HEADERS = frozenset({"host", "authorization", "connection", "content-length", "transfer-encoding", "x-request-id"})
"""Headers that a layer owns; a door may not edit them."""


def admit(t: Topology) -> Topology:
    """Return the topology unchanged if it keeps every law.

    Raises:
        TopologyError: with the findings of all laws.
    """
    if found := [finding for law in LAWS for finding in law(t)]:
        raise TopologyError(found)
    return t


def _known(given: str, names: object, path: KeyPath, kind: str) -> Iterator[Finding]:
    known = list(names)  # type: ignore[call-overload] # any iterable of names
    if given not in known:
        yield Finding(path=path, given=given, reason=f"is not {kind}", suggestion=did_you_mean(given, known))


def names_resolve(t: Topology) -> Iterator[Finding]:
    """Every name that is used is defined."""
    for name, service in t.services.items():
        at = ("services", name)
        if service.mesh is not None:
            yield from _known(service.mesh, t.meshes, (*at, "mesh"), "a mesh")
        for callee in service.calls:
            yield from _known(callee, (*t.services, *t.compositions), (*at, "calls", callee), "a service")
        for index, place in enumerate(service.datacenters):
            yield from _known(place, t.datacenters, (*at, "datacenters", index), "a datacenter")
        if service.canary:
            yield from _known(service.canary.version, service.versions, (*at, "canary", "version"), f"a version of {name}")
        if service.mirror:
            yield from _known(service.mirror.version, service.versions, (*at, "mirror", "version"), f"a version of {name}")
        for index, fault in enumerate(service.faults):
            for position, caller in enumerate(fault.callers):
                yield from _known(caller, t.services, (*at, "faults", index, "callers", position), "a service")
    for name, composition in t.compositions.items():
        if composition.mesh is not None:
            yield from _known(composition.mesh, t.meshes, ("compositions", name, "mesh"), "a mesh")
        for key, part in composition.parts.items():
            yield from _known(part.service, t.services, ("compositions", name, "parts", key, "service"), "a service")
    for name, consumer in t.consumers.items():
        yield from _known(consumer.tier, t.tiers, ("consumers", name, "tier"), "a tier")
    for name, door in t.doors.items():
        yield from _door_names(t, name, door)
    for name, bridge in t.bridges.items():
        yield from _known(bridge.source, t.services, ("bridges", name, "source"), "a service")
        yield from _known(bridge.target, t.services, ("bridges", name, "target"), "a service")
    for name, exit_ in t.egress.items():
        for index, service in enumerate(exit_.services):
            yield from _known(service, t.services, ("egress", name, "services", index), "a service")


def _door_names(t: Topology, name: str, door: Door) -> Iterator[Finding]:
    at = ("doors", name)
    yield from _known(door.service, (*t.services, *t.compositions), (*at, "service"), "a service")
    if door.version is not None and door.service in t.services:
        yield from _known(door.version, t.services[door.service].versions, (*at, "version"), f"a version of {door.service}")
    match door.auth:
        case JwtAuth():
            yield from _known(door.auth.jwt, t.issuers, (*at, "auth", "jwt"), "an issuer")
        case ApiKeyAuth():
            for index, tier in enumerate(door.auth.api_key):
                yield from _known(tier, t.tiers, (*at, "auth", "apiKey", index), "a tier")
        case PublicAuth():
            pass
    for index, tier in enumerate(door.tiers):
        yield from _known(tier, t.tiers, (*at, "tiers", index), "a tier")
    if door.api is not None:
        yield from _known(door.api.name, t.apis, (*at, "api", "name"), "an API")
        if door.api.name in t.apis:
            versions = t.apis[door.api.name].versions
            yield from _known(door.api.version, versions, (*at, "api", "version"), f"a version of {door.api.name}")


def names_are_free(t: Topology) -> Iterator[Finding]:
    """One name means one workload, and no workload lives in a namespace of another layer or of another mesh."""
    for name in t.compositions:
        if name in t.services:
            yield Finding(path=("compositions", name), given=None, reason="is also the name of a service", suggestion="rename one")
    several = len(t.meshes) > 1
    owner: dict[str, str] = {}
    roots: dict[str, KeyPath] = {}
    for mesh_name, mesh in t.meshes.items():
        for role in ("control_plane", "ingress", "egress", "bridge"):
            namespace = getattr(mesh, role)
            path = ("meshes", mesh_name, "controlPlane" if role == "control_plane" else role)
            if namespace in roots or namespace in PLATFORM_NAMESPACES:
                reason = "is already the namespace of another part of the platform"
                yield Finding(path=path, given=namespace, reason=reason, suggestion="give each part a namespace of its own")
            roots[namespace] = path
    kinds = (("services", t.services), ("compositions", t.compositions))
    for kind, name, workload in ((kind, name, workload) for kind, group in kinds for name, workload in group.items()):
        path = (kind, name, "namespace")
        if several and workload.mesh is None:
            known = did_you_mean("", t.meshes)
            yield Finding(path=(kind, name, "mesh"), given=None, reason="is missing: there are several meshes", suggestion=known)
            continue
        namespace = t.namespace_of(name)
        if namespace in PLATFORM_NAMESPACES or namespace in roots:
            yield Finding(path=path, given=namespace, reason="belongs to the platform", suggestion="choose another namespace")
        mesh = t.mesh_of(name)
        if owner.setdefault(namespace, mesh) != mesh:
            reason = f"is a namespace of mesh {owner[namespace]}; a namespace belongs to one mesh"
            yield Finding(path=path, given=namespace, reason=reason, suggestion=f"give the services of mesh {mesh} another one")


def trust_domains_are_distinct(t: Topology) -> Iterator[Finding]:
    """Two certificate authorities never sign the same identity."""
    seen: dict[str, str] = {}
    for name, mesh in t.meshes.items():
        if other := seen.get(mesh.trust_domain):
            reason = f"is the trust domain of mesh {other} too"
            yield Finding(path=("meshes", name, "trustDomain"), given=mesh.trust_domain, reason=reason, suggestion="choose another")
        seen.setdefault(mesh.trust_domain, name)


def calls_stay_in_the_mesh(t: Topology) -> Iterator[Finding]:
    """A call joins two different services of one mesh; another mesh is reached by a bridge, and a bridge joins two meshes."""
    pairs = [(("services", name, "calls", callee), name, callee) for name, s in t.services.items() for callee in s.calls]
    pairs += [
        (("compositions", name, "parts", key, "service"), name, part.service)
        for name, c in t.compositions.items()
        for key, part in c.parts.items()
    ]
    known = {*t.services, *t.compositions}
    for path, caller, callee in pairs:
        if caller == callee:
            yield Finding(path=path, given=callee, reason="is the service itself", suggestion="a service needs no leave to call itself")
        elif callee in known and _mesh(t, caller) != _mesh(t, callee):
            reason = f"is in mesh {_mesh(t, callee)}, {caller} in mesh {_mesh(t, caller)}"
            yield Finding(path=path, given=callee, reason=reason, suggestion="write a bridge")
    for name, bridge in t.bridges.items():
        if bridge.source in known and bridge.target in known and _mesh(t, bridge.source) == _mesh(t, bridge.target):
            reason = f"is in mesh {_mesh(t, bridge.target)} like {bridge.source}"
            yield Finding(path=("bridges", name, "target"), given=bridge.target, reason=reason, suggestion="write a call")


def _mesh(t: Topology, name: str) -> str:
    return t.workload(name).mesh or next(iter(t.meshes))


def operations_fit_the_protocol(t: Topology) -> Iterator[Finding]:
    """HTTP is granted by method and path, gRPC by method name, TCP as a whole; composed and bridged calls are HTTP or gRPC."""
    for name, service in t.services.items():
        for callee, granted in service.calls.items():
            if callee in t.services:
                yield from _operations(("services", name, "calls", callee), t.services[callee], callee, granted)
            elif callee in t.compositions:
                yield from _operations(("services", name, "calls", callee), Service(), callee, granted)
    for name, bridge in t.bridges.items():
        if bridge.target in t.services:
            path = ("bridges", name, "operations")
            if t.services[bridge.target].protocol is Protocol.TCP:
                reason = "speaks tcp, which the internal gateway does not carry: it could not tell one call from another"
                yield Finding(path=("bridges", name, "target"), given=bridge.target, reason=reason, suggestion="bridge an http or grpc service")
            else:
                yield from _operations(path, t.services[bridge.target], bridge.target, bridge.operations)
    for name, composition in t.compositions.items():
        for key, part in composition.parts.items():
            at = ("compositions", name, "parts", key)
            if part.service in t.services and t.services[part.service].protocol is not Protocol.HTTP:
                reason = f"speaks {t.services[part.service].protocol}; only http answers can be composed"
                yield Finding(path=(*at, "service"), given=part.service, reason=reason, suggestion="compose http services")
            if is_prefix(part.path) or is_template(part.path):
                yield Finding(path=(*at, "path"), given=part.path, reason="is a pattern; a composition asks for one path", suggestion="write the path")


def _operations(path: KeyPath, callee: Service, name: str, granted: tuple[Operation, ...]) -> Iterator[Finding]:
    if callee.protocol is Protocol.TCP:
        if granted:
            yield Finding(path=path, given=None, reason=f"lists operations, but {name} speaks tcp", suggestion="write an empty list: []")
        return
    wanted, spelled = (GrpcOperation, "rpcs") if callee.protocol is Protocol.GRPC else (HttpOperation, "methods and paths")
    if not granted:
        yield Finding(path=path, given=None, reason="grants no operation", suggestion=f"list {spelled}")
    for index, operation in enumerate(granted):
        if not isinstance(operation, wanted):
            yield Finding(path=(*path, index), given=None, reason=f"does not fit {name}, which speaks {callee.protocol}", suggestion=f"list {spelled}")


def weights_sum_to_100(t: Topology) -> Iterator[Finding]:
    """The versions of a service share 100 percent, or none has a weight."""
    for name, service in t.services.items():
        weights = [version.weight for version in service.versions.values()]
        given = [weight for weight in weights if weight is not None]
        path = ("services", name, "versions")
        if given and len(given) != len(weights):
            yield Finding(path=path, given=None, reason="has weights for some versions only", suggestion="give every version a weight, 0 included")
        elif given and sum(given) != 100:
            yield Finding(path=path, given=sum(given), reason="is the sum of the weights, not 100", suggestion="change the weights")
        elif not given and len(weights) > 1:
            yield Finding(path=path, given=None, reason="has several versions without weights", suggestion="give every version a weight")
        if service.protocol is Protocol.TCP:
            for key in ("canary", "mirror", "faults", "limit"):
                if getattr(service, key):
                    reason = "needs http or grpc: in tcp one call cannot be told from another"
                    yield Finding(path=("services", name, key), given=None, reason=reason, suggestion="remove it")


def faults_do_something(t: Topology) -> Iterator[Finding]:
    """A fault aborts or delays."""
    for name, service in t.services.items():
        for index, fault in enumerate(service.faults):
            if fault.abort is None and fault.delay is None:
                yield Finding(path=("services", name, "faults", index), given=None, reason="does nothing", suggestion="give `abort` or `delay`")


def availability_is_possible(t: Topology) -> Iterator[Finding]:
    """The upper bound of instances is above the lower one."""
    for name, service in t.services.items():
        a = service.availability
        if a.max_replicas is not None and a.max_replicas < max(a.replicas, 1):
            reason = f"is below replicas ({a.replicas})"
            yield Finding(path=("services", name, "availability", "maxReplicas"), given=a.max_replicas, reason=reason, suggestion="raise it")


def times_fit(t: Topology) -> Iterator[Finding]:
    """A try ends before the whole call does, and a caller's door waits no shorter than the service may take."""
    for name, service in t.services.items():
        r = service.resilience
        if r.retries and base.seconds(r.retries.per_try) > base.seconds(r.timeout):
            path = ("services", name, "resilience", "retries", "perTry")
            yield Finding(path=path, given=r.retries.per_try, reason=f"is longer than the timeout ({r.timeout})", suggestion="shorten it")


def doors_open_to_http(t: Topology) -> Iterator[Finding]:
    """A door leads to an http, grpc or websocket service, never to tcp, which no gateway can check."""
    for name, door in t.doors.items():
        service = t.services.get(door.service)
        if service and service.protocol is Protocol.TCP:
            path = ("doors", name, "service")
            yield Finding(path=path, given=door.service, reason="speaks tcp, which no gateway can check", suggestion="put an http service in front")
        if service and service.protocol is Protocol.GRPC and door.methods != ("POST",):
            yield Finding(path=("doors", name, "methods"), given=None, reason="leads to a grpc service", suggestion="write [POST]")
        if service and service.protocol is Protocol.WEBSOCKET and door.methods != ("GET",):
            yield Finding(path=("doors", name, "methods"), given=None, reason="leads to a websocket service", suggestion="write [GET]")
        if door.service in t.compositions and door.methods != ("GET",):
            yield Finding(path=("doors", name, "methods"), given=None, reason="leads to a composition, which answers GET", suggestion="write [GET]")


def doors_are_narrow(t: Topology) -> Iterator[Finding]:
    """No door is a catch-all, none opens a management path, and no two doors open the same path."""
    seen: dict[tuple[str, str, str, str], str] = {}
    for name, door in t.doors.items():
        for index, path in enumerate(door.paths):
            at = ("doors", name, "paths", index)
            if path == "/*" and isinstance(door.auth, PublicAuth):
                yield Finding(path=at, given=path, reason="opens everything to everybody", suggestion="name the paths")
            low = stem(path).lower().rstrip("/")
            for management in MANAGEMENT_PATHS:
                if low == management or low.startswith(f"{management}/"):
                    reason = f"is below {management}, which speaks to operators"
                    yield Finding(path=at, given=path, reason=reason, suggestion="reach it from inside the mesh")
            for method in door.methods:
                version = door.api.version if door.api and door.api.name in t.apis and t.apis[door.api.name].version_header else ""
                key = (t.host_of(door), method, path, version)
                if (other := seen.setdefault(key, name)) != name:
                    yield Finding(path=at, given=path, reason=f"is opened for {method} by door {other} too", suggestion="merge the doors")
            if door.rewrite and not stem(path).startswith(door.rewrite.prefix):
                reason = f"does not begin with the rewritten prefix {door.rewrite.prefix}"
                yield Finding(path=at, given=path, reason=reason, suggestion="write a second door")
        for side in ("request_headers", "response_headers"):
            edit = getattr(door, side)
            for header in sorted({*edit.set, *edit.remove} & HOP_HEADERS):
                key = "requestHeaders" if side == "request_headers" else "responseHeaders"
                yield Finding(path=("doors", name, key), given=header, reason="belongs to a layer", suggestion="leave it alone")


def doors_name_their_clients(t: Topology) -> Iterator[Finding]:
    """The tiers of a door fit its auth: an API key names them itself, a token says them in the issuer's tier claim."""
    for name, door in t.doors.items():
        path = ("doors", name, "tiers")
        match door.auth:
            case ApiKeyAuth() if door.tiers:
                yield Finding(path=path, given=None, reason="is given twice: the API key says the tier", suggestion="keep them in auth.apiKey")
            case ApiKeyAuth():
                for index, tier in enumerate(door.auth.api_key):
                    if tier in t.tiers and all(consumer.tier != tier for consumer in t.consumers.values()):
                        at = ("doors", name, "auth", "apiKey", index)
                        yield Finding(path=at, given=tier, reason="has no consumer, so nobody could use it", suggestion="add a consumer")
            case JwtAuth():
                issuer = t.issuers.get(door.auth.jwt)
                if issuer and len(door.tiers) > 1 and issuer.tier_claim is None:
                    reason = f"names several tiers, but issuer {door.auth.jwt} has no tierClaim to tell them by"
                    yield Finding(path=path, given=None, reason=reason, suggestion="give the issuer a tierClaim")
            case PublicAuth():
                if len(door.tiers) > 1:
                    yield Finding(path=path, given=None, reason="names several tiers, but public clients cannot be told apart", suggestion="keep one")


def versions_live_their_life(t: Topology) -> Iterator[Finding]:
    """A draft or retired API version has no door; a deprecated one has a sunset."""
    for name, api in t.apis.items():
        for version, about in api.versions.items():
            if about.lifecycle is Lifecycle.DEPRECATED and about.sunset is None:
                path = ("apis", name, "versions", version, "sunset")
                yield Finding(path=path, given=None, reason="is missing: a deprecated version says when it ends", suggestion="add a date")
            if about.lifecycle is not Lifecycle.DEPRECATED and (about.sunset or about.deprecated_since):
                path = ("apis", name, "versions", version, "lifecycle")
                yield Finding(path=path, given=str(about.lifecycle), reason="has a date of deprecation or sunset", suggestion="write deprecated")
    for name, door in t.doors.items():
        if door.api and door.api.name in t.apis:
            about = t.apis[door.api.name].versions.get(door.api.version)
            if about and about.lifecycle in {Lifecycle.DRAFT, Lifecycle.RETIRED}:
                reason = f"is {about.lifecycle}; only published and deprecated versions have doors"
                yield Finding(path=("doors", name, "api", "version"), given=door.api.version, reason=reason, suggestion="remove the door")


def sensitive_data_is_not_public(t: Topology) -> Iterator[Finding]:
    """Personal, health and payment data is never behind a public door, a composition's parts included, nor in a cache."""
    for name, door in t.doors.items():
        behind = [door.service]
        if door.service in t.compositions:
            behind = [part.service for part in t.compositions[door.service].parts.values()]
        for service in behind:
            data = t.services[service].data if service in t.services else DataClass.INTERNAL
            if data not in SENSITIVE:
                continue
            if isinstance(door.auth, PublicAuth):
                reason = f"is public, but {service} holds {data} data"
                yield Finding(path=("doors", name, "auth"), given=None, reason=reason, suggestion="require jwt or apiKey")
            if door.cache:
                reason = f"would keep {data} data of {service} in a cache"
                yield Finding(path=("doors", name, "cache"), given=None, reason=reason, suggestion="remove the cache")


def caches_hold_reads(t: Topology) -> Iterator[Finding]:
    """Only GET and HEAD are cached."""
    for name, door in t.doors.items():
        if door.cache and not set(door.methods) <= {"GET", "HEAD"}:
            yield Finding(path=("doors", name, "cache"), given=None, reason="keeps answers to writes", suggestion="split reads into a door of their own")


def egress_is_outside(t: Topology) -> Iterator[Finding]:
    """An egress host is neither one of our own doors nor a name inside the cluster, and is named once."""
    seen: dict[tuple[str, int], str] = {}
    for name, exit_ in t.egress.items():
        path = ("egress", name, "host")
        if exit_.host in t.public_hosts():
            yield Finding(path=path, given=exit_.host, reason="is one of our own doors: that is a hairpin", suggestion="write a call")
        if exit_.host.endswith((".local", ".svc", ".internal")):
            yield Finding(path=path, given=exit_.host, reason="is a name inside", suggestion="write a call or a bridge")
        if other := seen.get((exit_.host, exit_.port)):
            yield Finding(path=path, given=exit_.host, reason=f"is named by egress {other} too", suggestion="merge the two")
        seen.setdefault((exit_.host, exit_.port), name)
        meshes = {_mesh(t, service) for service in exit_.services if service in t.services}
        if len(meshes) > 1:
            reason = f"joins services of meshes {', '.join(sorted(meshes))}"
            yield Finding(path=("egress", name, "services"), given=None, reason=reason, suggestion="write one egress for each mesh")


def everything_is_used(t: Topology) -> Iterator[Finding]:
    """A service that nobody may call and that calls nobody is a mistake; so is a composition without a door or caller."""
    called = {callee for service in t.services.values() for callee in service.calls}
    called |= {part.service for composition in t.compositions.values() for part in composition.parts.values()}
    called |= {door.service for door in t.doors.values()} | {bridge.target for bridge in t.bridges.values()}
    calls = {name for name, service in t.services.items() if service.calls}
    calls |= {bridge.source for bridge in t.bridges.values()}
    calls |= {service for exit_ in t.egress.values() for service in exit_.services}
    for kind, names in (("services", t.services), ("compositions", t.compositions)):
        for name in names:
            if name not in called and (kind == "compositions" or name not in calls):
                yield Finding(path=(kind, name), given=None, reason="is reached by nobody", suggestion="add a door or a caller, or remove it")


LAWS: tuple[Law, ...] = (
    names_resolve,
    names_are_free,
    trust_domains_are_distinct,
    calls_stay_in_the_mesh,
    operations_fit_the_protocol,
    weights_sum_to_100,
    faults_do_something,
    availability_is_possible,
    times_fit,
    doors_open_to_http,
    doors_are_narrow,
    doors_name_their_clients,
    versions_live_their_life,
    sensitive_data_is_not_public,
    caches_hold_reads,
    egress_is_outside,
    everything_is_used,
)
"""Every law, in the order a reader thinks of them."""


def cycles(t: Topology) -> tuple[tuple[str, ...], ...]:
    """Return the call cycles of the topology, each once, beginning with its smallest name: reported, not forbidden."""
    graph = {name: sorted(set(service.calls) & set(t.services)) for name, service in t.services.items()}
    found: set[tuple[str, ...]] = set()

    def walk(path: tuple[str, ...]) -> None:
        for callee in graph[path[-1]]:
            if callee == path[0]:
                found.add(path)
            elif callee not in path and callee > path[0]:
                walk((*path, callee))

    for name in sorted(graph):
        walk((name,))
    return tuple(sorted(found))
