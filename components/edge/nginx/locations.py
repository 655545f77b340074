"""Where each path of a host goes: one nginx location for each pattern of its doors, and for each place where patterns meet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from components.edge.methods import taken
from components.edge.patterns import closure, narrowest_first
from topology.model.base import HostName, HttpMethod, Name, seconds, size_in_bytes
from topology.model.door import ApiKeyAuth, Door, JwtAuth, PublicAuth
from topology.model.service import Protocol, Service
from topology.model.system import Topology
from topology.paths import covers, is_prefix, is_template, regex, stem


class Credential(StrEnum):
    """What a client shows at a location; the edge passes on this and nothing else."""

    JWT = "jwt"
    API_KEY = "api-key"
    NONE = "public"
    ANY = "any"
    """Doors with different auth meet here; the gateway tells them apart."""


@dataclass(frozen=True, kw_only=True)
class Cached:
    """Answers to GET are kept. `vary` are the request headers that tell one answer from another."""

    ttl: str
    vary: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Location:
    """One nginx location. `modifier` is `=` (exactly), `~` (regular expression) or empty (longest prefix)."""

    modifier: str
    match: str
    doors: tuple[Name, ...]
    """Narrowest first. None: the path is nobody's, and the location only keeps nginx from redirecting."""
    methods: tuple[HttpMethod, ...] = ()
    credential: Credential = Credential.NONE
    max_body: int = 0
    """Bytes."""
    timeout: float = 0.0
    """Seconds."""
    protocol: Protocol = Protocol.HTTP
    cache: Cached | None = None


Doors = Mapping[Name, Door]


def locations(t: Topology, host: HostName) -> list[Location]:
    """Return the locations of a host, in the order nginx must read them."""
    doors = {name: door for name, door in t.doors.items() if t.host_of(door) == host}
    patterns = closure(path for door in doors.values() for path in door.paths)
    without_slash = {stem(pattern)[:-1] for pattern in patterns if is_prefix(pattern) and not is_template(pattern)} - {""}
    written = narrowest_first(patterns | {path for path in without_slash if _behind(doors, path)})
    templates = [pattern for pattern in written if is_template(pattern)]
    found = [_location(t, _behind(doors, pattern), pattern, templates) for pattern in written]
    # nginx answers 301 to `/a` where only the location `/a/` exists; a door for `/a/*` says nothing about `/a`.
    return [*found, *(Location(modifier="=", match=path, doors=()) for path in sorted(without_slash - set(written)))]


def _behind(doors: Doors, pattern: str) -> Doors:
    """Return the doors that every path of the pattern may use, the one with the narrowest pattern first."""
    at = {name: [path for path in door.paths if covers(path, pattern)] for name, door in doors.items()}
    order = {path: rank for rank, path in enumerate(narrowest_first({path for paths in at.values() for path in paths}))}
    names = sorted((name for name, paths in at.items() if paths), key=lambda name: (min(order[path] for path in at[name]), name))
    return {name: doors[name] for name in names}


def _location(t: Topology, doors: Doors, pattern: str, templates: Iterable[str]) -> Location:
    modifier, match = _match(pattern, templates)
    return Location(
        modifier=modifier,
        match=match,
        doors=tuple(doors),
        methods=taken(doors.values()),
        credential=_credential(doors.values()),
        max_body=max(size_in_bytes(door.max_body) for door in doors.values()),
        timeout=max(seconds(door.timeout) for door in doors.values()),
        protocol=_protocol(t, doors.values()),
        cache=_cache(t, doors.values()),
    )


def _match(pattern: str, templates: Iterable[str]) -> tuple[str, str]:
    """Return modifier and match. nginx prefers any regular expression to a prefix, so a prefix inside a template must be one too."""
    if is_template(pattern) or (is_prefix(pattern) and any(covers(template, pattern) for template in templates)):
        return "~", f"^{regex(pattern)}$"
    return ("", stem(pattern)) if is_prefix(pattern) else ("=", pattern)


def _credential(doors: Iterable[Door]) -> Credential:
    kinds = {
        Credential.JWT if isinstance(door.auth, JwtAuth) else Credential.API_KEY if isinstance(door.auth, ApiKeyAuth) else Credential.NONE
        for door in doors
    }
    return kinds.pop() if len(kinds) == 1 else Credential.ANY


def _protocol(t: Topology, doors: Iterable[Door]) -> Protocol:
    """Return the protocol that carries all doors: WebSocket begins as HTTP, and HTTP/2 carries HTTP and gRPC alike."""
    workloads = [t.workload(door.service) for door in doors]
    kinds = {workload.protocol if isinstance(workload, Service) else Protocol.HTTP for workload in workloads}
    return next((kind for kind in (Protocol.GRPC, Protocol.WEBSOCKET) if kind in kinds), Protocol.HTTP)


def _cache(t: Topology, doors: Iterable[Door]) -> Cached | None:
    """Return how answers are kept: only where every reader may have the same answer without showing anything."""
    readers = [door for door in doors if {"GET", "HEAD"} & set(door.methods)]
    kept = [door.cache for door in readers if door.cache and isinstance(door.auth, PublicAuth)]
    if not kept or len(kept) != len(readers):
        return None
    versions = {header for door in readers if door.api and (header := t.apis[door.api.name].version_header)}
    origins = {"origin" for door in readers if door.cors}  # an answer says whose scripts may read it
    shortest = min(kept, key=lambda cache: seconds(cache.ttl))
    return Cached(ttl=shortest.ttl, vary=tuple(sorted(versions | origins | {header for cache in kept for header in cache.vary})))
