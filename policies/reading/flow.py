"""Requests on their way: where they came from, what they are now, what was shown for them, and what allowed each hop."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from policies.reading.cloud.model import Place
from policies.reading.meshes import Mesh
from policies.reading.patterns import EVERY, Pattern, prefix
from policies.reading.pods import Pod
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError
from policies.rule import Hop
from topology.edges import INTERNET


@dataclass(frozen=True, kw_only=True)
class Peer:
    """What the next hop learns of the sender from the connection."""

    identity: str = ""
    """SPIFFE identity without scheme; empty where none is shown."""
    mesh: Mesh | None = None
    """The mesh whose istiod signed the sender's certificate."""
    authority: str = ""
    """The authority outside the meshes that signed it."""
    tls: bool = False
    sni: str = "*"


PLAIN = Peer()
"""A sender in plain text."""


@dataclass(frozen=True, kw_only=True)
class Sending:
    """Who sends, and what the receiver learns of them."""

    pods: tuple[Pod, ...]
    peer: Peer
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels that the sender asks of the receiving pods: a subset of the Service's."""
    place: Place | None = None
    """Who sends, where it is no pod of the cluster: a station of a cloud."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """Where requests arrive, and from whom."""

    pod: Pod
    port: int
    peer: Peer


@dataclass(frozen=True, kw_only=True, slots=True)
class _Rewrite:
    """One change of the path: `old` at its beginning became `new`; or all of it did, and was `whole` before."""

    old: str = ""
    new: str = ""
    whole: Pattern | None = None


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A set of requests from one source, at one place of its way."""

    source: str
    requests: Requests
    entry_host: str = "*"
    """The host that the client asks for."""
    asked: str = ""
    """The name that the sender's program connected to, where that is known: what leaves for another host is astray."""
    demands: frozenset[str] = frozenset()
    http: bool = True
    """The proxy that has them reads requests; else it passes on bytes, of which it can tell nothing but the connection."""
    token: bool = True
    """The client's token is still on the request."""
    forged: frozenset[str] = frozenset()
    """Headers that a layer gave a value of its own: what they show is not shown by the client."""
    rewrites: tuple[_Rewrite, ...] = ()
    rehosted: bool = False
    hops: tuple[Hop, ...] = ()
    pairs: tuple[tuple[Pod, Pod], ...] = ()
    landed: tuple[tuple[Place, Pod], ...] = ()
    """Pods that places of a cloud connected to on the way."""
    roles: tuple[str, ...] = ()
    """Layers passed: `edge`, `gateway`, and the identity of each proxy of a mesh that serves an Istio Gateway."""
    refusal: Hop | None = None
    """What refuses some of these requests where they are meant well: the way exists, but it cannot be relied on."""
    doubt: str = ""

    @property
    def north_south(self) -> bool:
        """Say whether the requests come from outside."""
        return self.source == INTERNET

    def hop(self, place: str, allowed_by: str, resource: Resource | None = None) -> "Flow":
        """Return the flow one hop further."""
        return replace(self, hops=(*self.hops, Hop(place=place, allowed_by=allowed_by, urn=resource.urn if resource else "")))

    def with_requests(self, requests: Requests) -> "Flow":
        """Return the flow with fewer requests."""
        host = self.entry_host if self.rehosted or requests.host == "*" else requests.host
        return replace(self, requests=requests, entry_host=host)

    def demanding(self, demands: Iterable[str]) -> "Flow":
        """Return the flow with more to be shown. A token of a known issuer is also a token of any issuer."""
        both = self.demands | frozenset(demands)
        if any(demand.startswith("jwt ") and demand != "jwt *" for demand in both):
            both -= {"jwt *"}
        return replace(self, demands=both)

    def rehost(self, host: str) -> "Flow":
        """Return the flow with another `Host`."""
        if not host or host == self.requests.host:
            return self
        return replace(self, requests=replace(self.requests, host=host), rehosted=True)

    def rewritten(self, old: str, new: str) -> "Flow":
        """Return the flow with `old` at the beginning of its paths replaced by `new`.

        Raises:
            UnknownValueError: where some path does not begin so.
        """
        if old == new:
            return self
        narrowed = next(iter(self.requests.at([prefix(old)])), None)
        if narrowed is None or narrowed.path != self.requests.path:
            raise UnknownValueError(str(self.requests), f"a set of paths of which some do not begin with {old}")
        holes: list[Pattern] = []
        for pattern in self.requests.without:
            met = pattern.meet(prefix(old))
            if met is not None and met != prefix(old):
                holes.append(met.replaced(old, new))
        requests = replace(self.requests, path=self.requests.path.replaced(old, new), without=tuple(holes))
        return replace(self, requests=requests, rewrites=(*self.rewrites, _Rewrite(old=old, new=new)))

    def rewritten_to(self, path: Pattern) -> "Flow":
        """Return the flow with one path in the place of all."""
        requests = replace(self.requests, path=path, without=())
        return replace(self, requests=requests, rewrites=(*self.rewrites, _Rewrite(whole=self.requests.path)))

    @property
    def entry(self) -> Pattern:
        """Return the paths as the client asks for them."""
        return self._back(self.requests.path)

    @property
    def holes(self) -> tuple[Pattern, ...]:
        """Return the paths that something else took, as the client asks for them."""
        found: list[Pattern] = []
        for pattern in self.requests.without:
            try:
                found.append(self._back(pattern))
            except UnknownValueError:
                found.append(EVERY)
        return tuple(found)

    def _back(self, path: Pattern) -> Pattern:
        for step in reversed(self.rewrites):
            path = step.whole if step.whole is not None else path.replaced(step.new, step.old)
        return path


@dataclass(frozen=True, kw_only=True)
class Trail:
    """One way by which an edge is possible."""

    hops: tuple[Hop, ...]
    pairs: tuple[tuple[Pod, Pod], ...]
    roles: tuple[str, ...]
    refusal: Hop | None = None
    holes: tuple[Pattern, ...] = ()
    landed: tuple[tuple[Place, Pod], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Requests that end before they reach a service, and where."""

    flow: Flow
    hop: Hop
    elsewhere: bool = False
    """They are refused by a listener of another host, beside the one that they are meant for."""


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """Something that could not be read on the way of some requests."""

    north_south: bool
    resource: Resource | None
    message: str
