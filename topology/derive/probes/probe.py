"""What a probe is: one question to a running system, put from one place, and the answer that the topology makes right.

Every guard is asked from where it alone stands in the way: a call that three guards refuse says nothing about any one of them.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final

from topology.derive import names
from topology.model.base import Name, ServiceName
from topology.model.system import Topology


class Family(StrEnum):
    """What a probe is about. A report counts by it."""

    CALLS = "calls"
    BRIDGES = "bridges"
    EGRESS = "egress"
    DOORS = "doors"
    TOKENS = "tokens"
    KEYS = "api-keys"
    TIERS = "tiers"
    FIREWALL = "firewall"
    HEADERS = "headers"
    SPELLINGS = "spellings"
    SMUGGLING = "smuggling"
    TLS = "tls"
    EXPOSURE = "exposure"
    NETWORK = "network"
    ENCRYPTION = "encryption"
    CERTIFICATES = "certificates"
    ADMIN = "admin-ports"
    ROUTING = "routing"
    FAULTS = "faults"
    RESILIENCE = "resilience"
    SERVICE_LIMITS = "service-limits"
    REQUEST_IDS = "request-ids"
    TRACES = "traces"
    OUTAGE = "issuer-outage"
    CONTROL = "controls"
    """Nothing about the boundary: whether a place can ask at all."""


class Place(StrEnum):
    """Where a probe is put from."""

    OUTSIDE = "client"
    """A machine outside the cluster, at the public address."""
    POD = "pod"
    """Beside the container of a pod, and so through its sidecar where it has one."""
    UNCAPTURED = "pod past its sidecar"
    """The same, as the sidecar's own user, whose traffic is not captured."""
    STRANGER = "pod outside every mesh"
    MEMBER = "pod of a mesh, no service of it"
    NODE = "node"
    """A pod on the network of its node: most enforcers of NetworkPolicy let it pass."""


@dataclass(frozen=True, kw_only=True, order=True)
class Pods:
    """Pods of one namespace, told by one label."""

    namespace: Name
    label: str
    value: str

    def __str__(self) -> str:
        """Return `namespace/value`."""
        return f"{self.namespace}/{self.value}"


@dataclass(frozen=True, kw_only=True, order=True)
class Vantage:
    """A place, with the pods or the mesh that make it one."""

    place: Place
    pods: Pods | None = None
    mesh: Name = ""

    def __str__(self) -> str:
        """Return the place in words."""
        match self.place:
            case Place.POD:
                return f"pod {self.pods}"
            case Place.UNCAPTURED:
                return f"pod {self.pods} past its sidecar"
            case Place.MEMBER:
                return f"stranger in mesh {self.mesh}"
            case Place.STRANGER:
                return "stranger in the cluster"
            case _:
                return str(self.place)


OUTSIDE: Final = Vantage(place=Place.OUTSIDE)
STRANGER: Final = Vantage(place=Place.STRANGER)
NODE: Final = Vantage(place=Place.NODE)


class At(StrEnum):
    """How the address of a target is found."""

    EDGE = "edge"
    """The public address."""
    NAME = "name"
    """A name, or an address as it stands."""
    POD = "pod"
    """The address of one pod, found on the run."""


@dataclass(frozen=True, kw_only=True, order=True)
class Target:
    """Whom a probe asks."""

    at: At
    name: str = ""
    pods: Pods | None = None
    port: int = 0

    def __str__(self) -> str:
        """Return the target in words."""
        match self.at:
            case At.EDGE:
                return "the public address"
            case At.POD:
                return f"pod {self.pods}:{self.port}"
            case At.NAME:
                return f"{self.name}:{self.port}"


EDGE: Final = Target(at=At.EDGE)


class Scheme(StrEnum):
    """What is spoken on the connection."""

    HTTP = "http"
    HTTPS = "https"
    GRPC = "grpc"
    """HTTP/2 without TLS from inside, with TLS from outside."""
    TCP = "tcp"
    """A connection, and whether it is kept."""
    RAW = "raw"
    """Bytes as they are, over TLS, and how many answers come."""
    SCAN = "scan"
    """Connections to many ports."""


class Flaw(StrEnum):
    """What is wrong with a token."""

    NONE = ""
    EXPIRED = "expired"
    NOT_YET = "not yet valid"
    NO_EXPIRY = "without exp"
    NO_SUBJECT = "without sub"
    WRONG_ISSUER = "of another issuer"
    WRONG_AUDIENCE = "for another audience"
    NO_AUDIENCE = "without aud"
    NO_CLAIM = "without a required claim"
    WRONG_CLAIM = "with another value of a required claim"
    OTHER_TIER = "of a tier that the door has not"
    ALG_NONE = "alg none"
    ALG_NONE_MIXED = "alg nOnE"
    HMAC_PUBLIC_KEY = "HS256 with the public key"
    TAMPERED = "claims changed after signing"
    CUT_SIGNATURE = "without signature"
    OTHER_KEY = "signed by another key"
    UNKNOWN_KEY = "signed by an unknown key id"
    EMBEDDED_KEY = "brings its own key (jwk)"
    LINKED_KEY = "links its own keys (jku)"
    GARBAGE = "no token at all"


class Carried(StrEnum):
    """Where a credential is shown."""

    USUAL = "where it belongs"
    QUERY = "in the query"
    COOKIE = "in a cookie"
    BASIC = "as Basic"
    TWICE = "twice"
    OTHER_HEADER = "in X-Authorization"


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token of an issuer for one subject."""

    issuer: str
    audience: str
    subject: str
    claims: tuple[tuple[str, str], ...] = ()
    flaw: Flaw = Flaw.NONE
    carried: Carried = Carried.USUAL


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A consumer's API key; without consumer, one that was never given out."""

    consumer: Name = ""
    carried: Carried = Carried.USUAL


Credential = Token | ApiKey | None


class Certificate(StrEnum):
    """The client certificate that is shown."""

    NONE = "no certificate"
    SELF_MADE = "a self-made certificate with the right name"
    EDGE = "the edge's certificate"
    GATEWAY = "the gateway's certificate"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is sent, and how often. The path is sent as it stands."""

    method: str = "GET"
    path: str = "/"
    scheme: Scheme = Scheme.HTTP
    host: str = ""
    """Of the `Host` header; empty: the target's name."""
    sni: str = ""
    """Empty: as `host`."""
    headers: tuple[tuple[str, str], ...] = ()
    credential: Credential = None
    certificate: Certificate = Certificate.NONE
    body: str = ""
    count: int = 1
    pace: float = 0.0
    """With `count` from outside: requests a second; 0: as fast as can be."""
    spread: bool = False
    """With `count`: one request after the other instead of as fast as can be."""
    raw: str = ""
    """With `Scheme.RAW`: bytes as Latin-1; `{host}`, `{path}` and `{credential}` are filled in, `{method}` too."""
    ports: tuple[int, ...] = ()
    """With `Scheme.SCAN`."""
    tls: str = ""
    """The newest version of TLS that is offered; empty: any."""
    seconds: float = 5.0
    """After which no answer is awaited any more."""


class Layer(StrEnum):
    """Who ended a request."""

    NETWORK = "network"
    """No connection came about."""
    TRANSPORT = "transport"
    """A connection came about and was closed without an answer: TLS refused, or plaintext refused."""
    EDGE = "edge"
    FIREWALL = "firewall"
    PROXY = "proxy"
    """An Envoy or Kong in the way: gateway, mesh ingress or the sidecar of the callee."""
    OWN_PROXY = "own sidecar"
    """The caller's sidecar knows no such destination."""
    LIMIT = "limit"
    FAULT = "fault"
    UPSTREAM = "upstream"
    """A proxy let the request pass and could not reach whom it sent it to."""
    SERVICE = "service"
    UNKNOWN = "unknown"


REFUSALS: Final = (Layer.NETWORK, Layer.TRANSPORT, Layer.EDGE, Layer.FIREWALL, Layer.PROXY, Layer.OWN_PROXY)
FRONT: Final = (Layer.EDGE, Layer.FIREWALL, Layer.PROXY)
"""The layers of the way in that answer in HTTP."""
UNREACHED: Final = (Layer.NETWORK, Layer.TRANSPORT)
INSIDE: Final = (Layer.NETWORK, Layer.TRANSPORT, Layer.PROXY, Layer.OWN_PROXY)


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """The service itself answers, whatever it says; of this version where one is named."""

    service: ServiceName = ""
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """Anybody answers at all, with this status where one is named: the place can ask."""

    status: int = 0


@dataclass(frozen=True, kw_only=True)
class Refused:
    """One of these layers ends the request, by one of these statuses where some are named."""

    by: tuple[Layer, ...]
    statuses: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Contained:
    """Refused by any layer, or answered by the service, which then was asked for a path that is allowed."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Received:
    """What the service receives: these values, none of those headers, none of those values under any name."""

    equal: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()
    nowhere: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    """Empty: any."""


@dataclass(frozen=True, kw_only=True)
class Limited:
    """So many requests pass, not all, and after some rest they pass again.

    `capacity` is the most that may pass at once, `refill` how many more each second.
    """

    least: int
    capacity: int
    refill: float
    rest: float
    """Seconds."""
    window: float = 0.0
    """Seconds of a fixed window, counted from the clock's full minute: across its end twice as many may pass. 0: none."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """Versions answer in these shares, in percent."""

    shares: tuple[tuple[str, float], ...]


@dataclass(frozen=True, kw_only=True)
class Faulted:
    """This share of calls, in percent, fails with the status, or is held back for so many seconds."""

    percent: float
    status: int = 0
    delay: float = 0.0


@dataclass(frozen=True, kw_only=True)
class GivenUp:
    """The proxy answers instead of a service that is too slow, after so many seconds: when its last try has failed."""

    after: float


@dataclass(frozen=True, kw_only=True)
class Ejected:
    """Of so many instances that all fail, only so many are asked at last; after so many seconds the others are back."""

    instances: int
    left: int
    duration: float


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """The answer bears a request id of the system's own making, never the client's; layers' logs bear the same one."""

    forged: str
    trail: tuple[Pods, ...]


@dataclass(frozen=True, kw_only=True)
class SameTrace:
    """The service is asked in the trace of its caller (`True`), or in one that does not follow the client's (`False`)."""

    trace: str
    same: bool


@dataclass(frozen=True, kw_only=True)
class Single:
    """At most one answer comes: one request was seen, or none."""


@dataclass(frozen=True, kw_only=True)
class Closed:
    """No port answers, but the public one."""


@dataclass(frozen=True, kw_only=True)
class CachedKeys:
    """While the issuer is down, tokens of known keys are admitted."""


Expectation = (
    Admitted | Answered | Refused | Contained | Received | Limited | Split | Faulted | GivenUp | Ejected | Renewed | SameTrace | Single
    | Closed | CachedKeys
)  # fmt: skip


class Stage(IntEnum):
    """Probes of one stage disturb nobody of the same stage; stages follow each other."""

    CONTROL = 0
    PLAIN = 1
    LOAD = 2
    """Uses up a budget."""
    DAMAGE = 3
    """Takes an instance or an issuer out for a while."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One question and its right answer."""

    id: str
    family: Family
    vantage: Vantage
    target: Target
    request: Request
    expect: Expectation
    why: str
    """The edge or the law that it follows from."""
    controls: tuple[str, ...] = ()
    """Probes that must have passed, or a refusal means nothing: that the place can ask, and that the asked one can answer."""
    stage: Stage = Stage.PLAIN


def pods_of(t: Topology, name: ServiceName) -> Pods:
    """Return the pods of a service or composition."""
    return Pods(namespace=t.namespace_of(name), label=names.APP_LABEL, value=name)


def layer_pods(namespace: Name, role: Name) -> Pods:
    """Return the pods of a layer: `edge`, `gateway`, `ingress`, `egress` or `bridge`."""
    return Pods(namespace=namespace, label=names.LAYER_LABEL, value=role)


def inside(t: Topology, name: ServiceName) -> Vantage:
    """Return the vantage of a service's pod."""
    return Vantage(place=Place.POD, pods=pods_of(t, name))


def uncaptured(t: Topology, name: ServiceName) -> Vantage:
    """Return the vantage of a service's pod past its sidecar."""
    return Vantage(place=Place.UNCAPTURED, pods=pods_of(t, name))
