"""A service: a workload with a sidecar and an identity, whom it calls, and how calls to it are treated."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, Tag

from topology.model.base import (
    Count,
    CountOrZero,
    Cpu,
    DataKey,
    Directory,
    Duration,
    Flag,
    HeaderName,
    HeaderValue,
    HttpMethod,
    Image,
    Memory,
    Model,
    Name,
    Percent,
    Port,
    Rpc,
    SecretName,
    ServiceName,
    Variable,
    VersionName,
    WholePercent,
    by_key,
)
from topology.paths import PathPattern


class Protocol(StrEnum):
    """What a service speaks on its port. Decides at which layer its callers can be told apart."""

    HTTP = "http"
    """Requests with method and path: callers are granted both, one by one."""
    GRPC = "grpc"
    """Callers are granted methods (`rpcs`)."""
    WEBSOCKET = "websocket"
    """Callers are granted paths, by GET; what passes afterwards is not looked at, and has no time limit."""
    TCP = "tcp"
    """One can connect or not. Has no doors, bridges, limits, faults or retries."""


class DataClass(StrEnum):
    """The most sensitive data a service handles. Not an access right: it raises what the boundary must do."""

    PUBLIC = "public"
    """Everybody may see it: may be behind a public door, and in a cache at any door."""
    INTERNAL = "internal"
    """May be behind a public door, and in a cache there."""
    PERSONAL = "personal"
    """About people: never behind a public door, never in a cache."""
    HEALTH = "health"
    """About people's health: as `personal`."""
    PAYMENT = "payment"
    """About people's money: as `personal`."""


class Scope(StrEnum):
    """Where a limit is counted: in each proxy (`local`) or once for all of them (`global`).

    `local` costs nothing and protects; its count is per proxy and, at a gateway, per route of a door, so a client may get more
    than the nominal rate. `global` is one count, kept in Redis.
    """

    LOCAL = "local"
    """Each proxy counts by itself; at a gateway, each route of a door."""
    GLOBAL = "global"
    """All proxies share one count, kept in Redis."""


class HttpOperation(Model):
    """Methods and paths of an HTTP or WebSocket service that may be called."""

    methods: Annotated[tuple[HttpMethod, ...], Field(min_length=1)]
    """Methods; each is granted on each of the paths."""
    paths: Annotated[tuple[PathPattern, ...], Field(min_length=1)]
    """Path patterns."""


class GrpcOperation(Model):
    """Methods of a gRPC service that may be called: `package.Service/Method`, or `package.Service/*`."""

    rpcs: Annotated[tuple[Rpc, ...], Field(min_length=1)]
    """Methods, or all methods of a service."""


Operation = Annotated[
    Annotated[HttpOperation, Tag("http")] | Annotated[GrpcOperation, Tag("grpc")],
    by_key(methods="http", paths="http", rpcs="grpc"),
]
"""What may be called. A gRPC call is the HTTP/2 request `POST /package.Service/Method`."""


class Rate(Model):
    """So many requests per unit of time, counted per client or per service."""

    requests: Count
    """How many requests may be made in one unit of time."""
    per: Literal["second", "minute", "hour"]
    """The unit of time."""
    burst: CountOrZero = 0
    """So many requests more may come at once, after a time of rest."""


class ServiceLimit(Rate):
    """A limit that protects a service whatever the client."""

    scope: Scope = Scope.LOCAL
    """Where requests are counted."""


class SecretValue(Model):
    """One value of a Secret in the service's namespace. Somebody else fills it: an operator of a secret store, a person."""

    secret: SecretName
    """Name of the Secret. While it is not there, instances wait for it."""
    key: DataKey
    """Which of its values."""


class Resources(Model):
    """What each instance of a service gets of the machine it runs on."""

    cpu: Cpu = "50m"
    """Reserved processor time; what others leave may be used besides."""
    memory: Memory | None = None
    """Reserved memory, and the most: an instance that takes more is killed. Default: 64Mi reserved, 256Mi the most."""


class Version(Model):
    """One deployed version of a service: one Deployment."""

    image: Image | None = None
    """Container image with tag or digest. Default: the environment's demonstration image."""
    command: tuple[str, ...] = ()
    """Replaces the command of the image."""
    env: Mapping[Variable, str] = {}
    """Environment of the container. No place for secrets: everybody who reads this file reads it."""
    secrets: Mapping[Variable, SecretValue] = {}
    """Environment of the container whose values are in Secrets, of which this file says the names alone."""
    scratch: tuple[Directory, ...] = ()
    """Directories that the container may write to besides `/tmp`: empty at start, gone with the instance."""
    weight: Annotated[int, Field(strict=True, ge=0, le=100)] | None = None
    """Share of requests in percent; all versions of a service have one, or none has."""


class Canary(Model):
    """Requests with this header value go to this version, whatever the weights say."""

    header: HeaderName
    """The request header that decides."""
    value: HeaderValue
    """What it says, letter by letter."""
    version: VersionName
    """One of the versions of the service."""


class Mirror(Model):
    """A copy of this share of requests is sent to another version; its answers are thrown away."""

    version: VersionName
    """One of the versions of the service."""
    percent: Percent = 100.0
    """Share of the requests that are copied."""


class Retries(Model):
    """How often a failed call is tried again."""

    attempts: Annotated[int, Field(strict=True, ge=1, le=10)]
    """Tries after the first one."""
    per_try: Duration
    """How long each try may take."""
    retry_on: tuple[
        Literal[
            "5xx", "gateway-error", "reset", "connect-failure", "refused-stream", "retriable-4xx", "retriable-status-codes",
            "cancelled", "unavailable", "resource-exhausted", "deadline-exceeded",
        ],
        ...,
    ] = ("connect-failure", "refused-stream", "unavailable", "cancelled")  # fmt: skip
    """Which failures. The default tries again only what the service has not begun to work on."""


class Ejection(Model):
    """An instance that keeps failing is taken out of the pool for a while (outlier detection)."""

    consecutive_errors: Count = 5
    """So many failures in a row, and the instance is out."""
    interval: Duration = "10s"
    """How often failures are counted."""
    duration: Duration = "30s"
    """How long it stays out, longer each time."""
    max_percent: WholePercent = 50
    """At most this share of the instances is out at one time."""


class Connections(Model):
    """Upper bounds per caller proxy: beyond them a call fails at once instead of queueing (circuit breaking)."""

    max_connections: Count = 1024
    """Open connections."""
    max_pending: Count = 1024
    """Requests that wait for a connection."""
    max_requests_per_connection: CountOrZero = 0
    """0: no bound."""


class Resilience(Model):
    """How calls to a service are bounded, retried and kept from failing instances."""

    timeout: Duration = "15s"
    """How long a call may take, all tries together; then it ends with 504. Streams (WebSocket, TCP) have none."""
    retries: Retries | None = None
    """Tries after a failure; absent: none."""
    ejection: Ejection | None = Ejection()
    """When an instance that fails is left alone; `null`: never, unless there are datacenters."""
    connections: Connections = Connections()
    """How many connections and waiting requests a caller may have."""


class Fault(Model):
    """A failure injected on purpose into a share of the calls to a service, to see what its callers do."""

    percent: Percent
    """Share of the calls that fail."""
    abort: Annotated[int, Field(strict=True, ge=400, le=599)] | None = None
    """HTTP status to answer with."""
    delay: Duration | None = None
    """How long a call is held back."""
    callers: tuple[ServiceName, ...] = ()
    """Only calls of these services; empty: every call."""


class Availability(Model):
    """How many instances there are and how they are spread."""

    replicas: CountOrZero = 1
    """Instances of each version in each datacenter; the lower bound where `maxReplicas` is given."""
    max_replicas: Count | None = None
    """Upper bound of autoscaling; absent: no autoscaling."""
    cpu_target: WholePercent = 70
    """Mean CPU use, in percent of the request, that autoscaling aims at."""
    spread: Literal["none", "nodes", "zones"] = "zones"
    """What the instances are spread over."""
    max_unavailable: CountOrZero = 1
    """Instances that may be missing at one time, while nodes are drained and while a new image is rolled out."""
    max_surge: CountOrZero = 1
    """Instances that may run beyond the wanted number while a new image is rolled out."""


class Service(Model):
    """A workload of a mesh. Only the callers named here or by a door or a bridge reach it."""

    mesh: Name | None = None
    """Default: the only mesh."""
    namespace: Name | None = None
    """Default: the namespace of its mesh."""
    description: str = ""
    """What it does."""
    protocol: Protocol = Protocol.HTTP
    """What it speaks on its port."""
    port: Port = 8080
    """Port of the container and of the Service."""
    health: PathPattern | None = None
    """Path of the HTTP health check; default: a TCP check of the port."""
    versions: Annotated[Mapping[VersionName, Version], Field(min_length=1)] = {"v1": Version()}
    """What is deployed, side by side."""
    datacenters: tuple[Name, ...] = ()
    """Where it runs; empty: in every datacenter."""
    calls: Mapping[ServiceName, tuple[Operation, ...]] = {}
    """Callee and operations. A TCP callee takes an empty list."""
    canary: Canary | None = None
    """Requests that see one version, whatever the weights say."""
    mirror: Mirror | None = None
    """Copies of requests for another version."""
    resilience: Resilience = Resilience()
    """How long calls to it may take, and what happens when they fail."""
    faults: tuple[Fault, ...] = ()
    """Failures on purpose."""
    limit: ServiceLimit | None = None
    """How often it may be asked, by all callers together."""
    data: DataClass = DataClass.INTERNAL
    """The most sensitive data that it handles."""
    audit: Flag = False
    """Every request is logged with caller, method, path and status, and traced, at the doors that lead to it too."""
    availability: Availability = Availability()
    """How many instances there are, and where."""
    resources: Resources = Resources()
    """What each instance reserves of its machine."""
