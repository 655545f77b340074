"""Doors: the only ways in from outside, who may use them, how often, and in which API version."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, Tag

from topology.model.base import (
    Claim,
    Count,
    Day,
    Duration,
    HeaderName,
    HeaderValue,
    HostName,
    HttpMethod,
    HttpsUrl,
    JsonKey,
    Lifetime,
    Model,
    Name,
    NonEmpty,
    PathPrefix,
    Reason,
    ServiceName,
    Size,
    VersionName,
    by_key,
)
from topology.model.service import Rate, Scope
from topology.paths import PathPattern

API_KEY_HEADER: Final = "x-api-key"
"""Where clients show an API key."""


class Issuer(Model):
    """Who signs the tokens of outside clients, and what such a token must say."""

    issuer: HttpsUrl
    """Its name: what `iss` of a token must say, letter by letter."""
    audiences: Annotated[tuple[NonEmpty, ...], Field(min_length=1)]
    """A token must be meant for one of these."""
    jwks_uri: HttpsUrl
    """Where its public keys are."""
    required_claims: Mapping[Claim, Annotated[tuple[NonEmpty, ...], Field(min_length=1)]] = {}
    """Claim and the values of which one must be there."""
    tier_claim: Claim | None = None
    """The claim that names the client's tier. At a door, a token that names none of the door's tiers is refused."""
    key_cache: Duration = "5m"
    """How long signing keys are used before they are fetched again: what an issuer outage is survived by. Every instance fetches by its own
    clock, so an issuer publishes a new key for this long before it signs with it."""
    fetch_timeout: Duration = "1s"
    """How long a fetch of the keys may take. While it fails, tokens of cached keys go on working, every other answers 401."""
    public_keys: tuple[str, ...] = ()
    """PEM public keys, for gateways that cannot fetch a key set."""


class Tier(Model):
    """What a class of clients may ask for: retail, institutional, premium."""

    limits: Annotated[tuple[Rate, ...], Field(min_length=1)]
    """Each holds; the strictest ends first."""
    scope: Scope = Scope.LOCAL
    """Where requests are counted."""


class Consumer(Model):
    """An outside client known by an API key. The key itself is made on deploy and never written to a file."""

    tier: Name
    """How often it may ask, and which doors its key opens."""
    description: str = ""
    """Who it is."""


class Lifecycle(StrEnum):
    """Where an API version stands between design and retirement."""

    DRAFT = "draft"
    """Listed, so that it can be discussed. Has no door, so nobody can use it."""
    PUBLISHED = "published"
    """In use. Has at least one door."""
    DEPRECATED = "deprecated"
    """Still in use, and ends on the day of `sunset`, which its answers say."""
    RETIRED = "retired"
    """Over. Kept on record; has no door."""


class ApiVersion(Model):
    """One version of an API, side by side with others."""

    lifecycle: Lifecycle = Lifecycle.PUBLISHED
    """Decides whether it has doors, and what its answers say."""
    deprecated_since: Day | None = None
    """Announced in the `Deprecation` header (RFC 9745)."""
    sunset: Day | None = None
    """The day after which it may be retired; announced in the `Sunset` header (RFC 8594)."""


class Api(Model):
    """A product: a named set of doors with versions, in the developer portal."""

    title: str = ""
    """Name of the product, as the developer portal shows it."""
    description: str = ""
    """What it is for."""
    documentation: HttpsUrl | None = None
    """Where the developer portal sends readers; linked in answers of deprecated versions."""
    version_header: HeaderName | None = None
    """The header that selects the version; without it the version is part of each door's path."""
    versions: Annotated[Mapping[VersionName, ApiVersion], Field(min_length=1)]
    """Its versions, each with its place in life."""


class DoorApi(Model):
    """The API version that a door belongs to."""

    name: Name
    """One of the apis."""
    version: VersionName
    """One of its versions."""


class JwtAuth(Model):
    """A token of this issuer is required."""

    jwt: Name
    """The issuer whose token is required."""


class ApiKeyAuth(Model):
    """A consumer's API key is required."""

    api_key: Annotated[tuple[Name, ...], Field(min_length=1)]
    """The tiers whose consumers may use the door."""

    @property
    def only_tier(self) -> Name | None:
        """The tier of whoever shows a key; None where keys of several open the door."""
        return self.api_key[0] if len(self.api_key) == 1 else None


class PublicAuth(Model):
    """Anybody may use the door; the reason is said out loud."""

    public: Reason
    """Why everybody may come in."""


Auth = Annotated[
    Annotated[JwtAuth, Tag("jwt")] | Annotated[ApiKeyAuth, Tag("apiKey")] | Annotated[PublicAuth, Tag("public")],
    by_key(jwt="jwt", api_key="apiKey", public="public"),
]
"""The auth decision of a door."""


class Cache(Model):
    """Answers to GET are kept and given to later clients without asking the service."""

    ttl: Lifetime
    """How long an answer is kept."""
    vary: tuple[HeaderName, ...] = ()
    """Request headers by which answers differ."""


class Rewrite(Model):
    """The path prefix of a door is replaced before the service sees it."""

    prefix: PathPrefix
    """What the client's path begins with; each path of the door begins so."""
    replacement: PathPrefix
    """What the service sees in its place."""


class HeaderEdit(Model):
    """Headers set and removed."""

    set: Mapping[HeaderName, HeaderValue] = {}
    """Header and the value it gets, whatever was there."""
    remove: tuple[HeaderName, ...] = ()
    """Headers taken away."""


class Door(Model):
    """One way in: host, methods and paths to one service."""

    description: str = ""
    """What clients use it for."""
    host: HostName | None = None
    """One of the system's hosts; default: the first."""
    methods: Annotated[tuple[HttpMethod, ...], Field(min_length=1)]
    """Methods that are let in, no other."""
    paths: Annotated[tuple[PathPattern, ...], Field(min_length=1)]
    """As the client asks for them. Where doors overlap, the most specific one answers."""
    service: ServiceName
    """The service, or the composition, behind the door."""
    version: VersionName | None = None
    """Only this deployed version of the service; default: by its canary and weights."""
    auth: Auth
    """What a client must show."""
    tiers: tuple[Name, ...] = ()
    """Tiers whose limits apply to the clients of a JWT or public door; an API-key door names them in `auth`."""
    cors: Name | None = None
    """Whose pages' scripts may use it from a browser, one of `cors`; absent: only those of the door's own origin."""
    api: DoorApi | None = None
    """The API version that the door belongs to; absent: none, and the developer portal does not list it."""
    cache: Cache | None = None
    """Answers that are kept; absent: none."""
    max_body: Size = "1Mi"
    """The largest request body that is let in."""
    timeout: Duration = "15s"
    """How long the gateway waits for the whole answer before it says 504."""
    rewrite: Rewrite | None = None
    """Another beginning of the path for the service."""
    request_headers: HeaderEdit = HeaderEdit()
    """What is changed before the service sees the request."""
    response_headers: HeaderEdit = HeaderEdit()
    """What is changed before the client sees the answer."""


class Part(Model):
    """One call of a composition: the path asked of a service; its answer becomes the value of the part's key."""

    service: ServiceName
    """The service asked."""
    path: PathPattern
    """The path asked for, by GET."""


class Composition(Model):
    """One JSON answer made from several services: `{"users": ..., "orders": ...}`, asked in parallel."""

    mesh: Name | None = None
    """Default: the only mesh."""
    namespace: Name | None = None
    """Default: the namespace of its mesh."""
    parts: Annotated[Mapping[JsonKey, Part], Field(min_length=2)]
    """Key of the answer and what is asked for its value."""
    replicas: Count = 1
    """Instances in each datacenter."""
