"""One change, or several, for each field of the topology's model, and the fields that the judge need not or does not look at.

A change makes the plan wider than the topology wherever a field has a wide and a narrow side: a plan that lets through less than the topology
says is no hole. Of calls alone the plan must be exactly the topology.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Change = Mapping[str, Any]
"""Places in the topology, as keys and indexes with dots between, and the value that each gets; `GONE` takes it away."""

GONE: Final = "(gone)"

_STAFF: Final = {"jwt": "staff"}
_OTHER_STAFF: Final = {"issuer": "https://other.all.example", "audiences": ["all-staff"], "jwksUri": "https://other.all.example/keys"}
_MORE: Final = {"methods": ["GET"], "paths": ["/more"]}
_MORE_DOOR: Final = {**_MORE, "service": "shop", "auth": _STAFF, "tiers": ["visitor"]}
_PAYMENT: Final = {"methods": ["POST"], "paths": ["/payments"]}
_PAGE: Final = "https://developer.all.example/shop"
_ENDING: Final = {"lifecycle": "deprecated", "deprecatedSince": "2026-01-15", "sunset": "2027-01-15"}
_ONE_KEY: Final = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n"

_SHOP: Final = "services.shop"
_SECRETS: Final = f"{_SHOP}.versions.v1.secrets"
_CALLS: Final = f"{_SHOP}.resilience"
_CONNECTIONS: Final = f"{_CALLS}.connections"
_EJECTION: Final = f"{_CALLS}.ejection"
_RETRIES: Final = f"{_CALLS}.retries"
_PARTS: Final = "compositions.page.parts"
_CLIENTS: Final = "issuers.clients"
_REQUEST: Final = "doors.read.requestHeaders"
_ANSWER: Final = "doors.read.responseHeaders"

CASES: Final[Mapping[str, tuple[Change, ...]]] = {
    "Topology.hosts": ({"hosts.0": "www.all.example"},),
    "Topology.meshes": ({"meshes.main.namespace": "elsewhere"},),
    "Topology.datacenters": ({"datacenters": GONE, "services.shop.datacenters": GONE},),
    "Topology.issuers": ({"issuers.staff": _OTHER_STAFF},),
    "Topology.tiers": ({"tiers.visitor.limits.0.requests": 200},),
    "Topology.consumers": ({"consumers.initech": {"tier": "partner"}}, {"consumers.hooli": {"tier": "premium"}, "consumers.acme": GONE}),
    "Topology.cors": ({"cors.web.origins.0": "https://elsewhere.all.example"},),
    "Topology.apis": ({"apis": GONE, "doors.things.api": GONE, "doors.old-things": GONE},),
    "Topology.services": ({"services.more": {"mesh": "main"}, "services.shop.calls.more": [_MORE]},),
    "Topology.compositions": ({"compositions": GONE, "doors.page": GONE},),
    "Topology.doors": ({"doors.write": GONE}, {"doors.more": _MORE_DOOR}),
    "Topology.bridges": ({"bridges.more": {"source": "stock", "target": "ledger", "operations": [_MORE]}},),
    "Topology.egress": ({"egress": GONE}, {"egress.more": {"host": "more.example.org", "services": ["stock"]}}),
    "Mesh.trust_domain": ({"meshes.main.trustDomain": "other.all.example"},),
    "Mesh.namespace": ({"meshes.main.namespace": "elsewhere"}, {"meshes.main.namespace": GONE}),
    "Mesh.control_plane": ({"meshes.main.controlPlane": "istio-other"},),
    "Datacenter.region": ({"datacenters.dc1.region": "west"},),
    "Bridge.source": ({"bridges.pay.source": "stock"},),
    "Bridge.target": (
        {
            "services.vault": {"mesh": "bank"},
            "bridges.pay.target": "vault",
            "bridges.old": {"source": "stock", "target": "ledger", "operations": [_PAYMENT]},
        },
    ),
    "Bridge.operations": ({"bridges.pay.operations.0.methods": ["POST", "GET"]}, {"bridges.pay.operations.0.paths": ["/payments/*"]}),
    "Egress.host": ({"egress.mail.host": "other.example.org"},),
    "Egress.port": ({"egress.mail.port": GONE},),
    "Egress.protocol": ({"egress.mail.protocol": "tcp"}, {"egress.database.protocol": GONE, "egress.database.port": 8443}),
    "Egress.services": ({"egress.mail.services": ["stock"]}, {"egress.mail.services": ["shop", "stock"]}),
    "Issuer.issuer": ({f"{_CLIENTS}.issuer": "https://other.all.example"},),
    "Issuer.audiences": ({f"{_CLIENTS}.audiences": ["all-api", "other-api"]}, {f"{_CLIENTS}.audiences": ["other-api"]}),
    "Issuer.jwks_uri": ({f"{_CLIENTS}.jwksUri": "https://other.all.example/keys"},),
    "Issuer.required_claims": ({f"{_CLIENTS}.requiredClaims": GONE}, {f"{_CLIENTS}.requiredClaims.role": ["reader", "writer", "guest"]}),
    "Issuer.tier_claim": (
        {f"{_CLIENTS}.tierClaim": "class"},
        {f"{_CLIENTS}.tierClaim": GONE, "doors.read.tiers": ["retail"], "tiers.wholesale": GONE},
    ),
    "Issuer.key_cache": ({f"{_CLIENTS}.keyCache": "15m"},),
    "Issuer.fetch_timeout": ({f"{_CLIENTS}.fetchTimeout": "2s"},),
    "Tier.limits": ({"tiers.visitor.limits.0.requests": 200}, {"tiers.retail.limits": [{"requests": 5, "per": "second", "burst": 10}]}),
    "Tier.scope": ({"tiers.partner.scope": "local"},),
    "Consumer.tier": ({"consumers.initech": {"tier": "partner"}, "consumers.globex.tier": "premium"},),
    "ApiVersion.lifecycle": ({"apis.shop.versions.v1": {}},),
    "ApiVersion.deprecated_since": (
        {"apis.shop.versions.v1.deprecatedSince": "2026-02-15"},
        {"apis.shop.versions.v1.deprecatedSince": GONE},
    ),
    "ApiVersion.sunset": ({"apis.shop.versions.v1.sunset": "2027-02-15"},),
    "Api.documentation": ({"apis.shop.documentation": GONE}, {"apis.shop.documentation": "https://elsewhere.all.example/shop"}),
    "Api.version_header": ({"apis.shop.versionHeader": "x-version"},),
    "DoorApi.version": ({"doors.things.api.version": "v4", "apis.shop.versions.v4": {}, "apis.shop.versions.v2": GONE},),
    "JwtAuth.jwt": ({"doors.write.auth.jwt": "clients", "doors.write.tiers": ["retail"]},),
    "ApiKeyAuth.api_key": (
        {"doors.partners.auth.apiKey": ["partner"], "consumers.acme": GONE, "tiers.premium": GONE},
        {"doors.partners.auth.apiKey": ["premium"], "consumers.globex": GONE, "tiers.partner": GONE},
    ),
    "Cors.origins": (
        {"cors.web.origins": ["https://www.all.example", "https://elsewhere.all.example"]},
        {"cors.pages.origins": ["https://pages.all.example", "http://localhost:5174"]},
    ),
    "Cors.headers": ({"cors.web.headers": ["content-type", "x-more"]}, {"cors.pages.headers": ["content-type"]}),
    "Cors.expose": ({"cors.web.expose": ["x-request-id", "x-more"]}, {"cors.pages.expose": ["x-request-id"]}),
    "Cors.credentials": ({"cors.web.credentials": True},),
    "Cors.max_age": ({"cors.web.maxAge": "2h"}, {"cors.pages.maxAge": "2h"}),
    "Cache.ttl": ({"doors.offers.cache.ttl": "10m"},),
    "Cache.vary": ({"doors.offers.cache.vary": GONE},),
    "Rewrite.prefix": ({"doors.partners.rewrite.prefix": "/partners/stock/"},),
    "Rewrite.replacement": ({"doors.partners.rewrite.replacement": "/v2/"},),
    "HeaderEdit.set": (
        {f"{_REQUEST}.set": GONE},
        {f"{_REQUEST}.set.x-channel": "mobile"},
        {f"{_REQUEST}.set.x-more": "said"},
        {f"{_ANSWER}.set": GONE},
        {f"{_ANSWER}.set.x-served-by": "other"},
        {f"{_ANSWER}.set.x-more": "said"},
    ),
    "HeaderEdit.remove": ({f"{_REQUEST}.remove": GONE}, {f"{_ANSWER}.remove": ["server"]}, {f"{_ANSWER}.remove": GONE}),
    "Door.host": ({"doors.partners.host": GONE, "hosts": ["api.all.example"]},),
    "Door.methods": ({"doors.news.methods": ["GET"]}, {"doors.read.methods": ["GET", "PUT"]}),
    "Door.paths": ({"doors.read.paths": ["/shop/*", "/other/*"]}, {"doors.read.paths": ["/shop/{*}"]}),
    "Door.service": ({"doors.write.service": "stock"},),
    "Door.version": ({"doors.read.version": "v2"}, {"doors.read.version": GONE}),
    "Door.auth": ({"doors.news.auth": _STAFF}, {"doors.write.auth": {"public": "Anybody may write to us."}}),
    "Door.tiers": ({"doors.write.tiers": ["fast"], "tiers.fast": {"limits": [{"requests": 9, "per": "second"}]}},),
    "Door.api": ({"doors.things.api": GONE, "doors.old-things": GONE, "apis": GONE},),
    "Door.cors": (
        {"doors.read.cors": "pages", "cors.web": GONE},
        {"doors.write.cors": "web"},
        {"doors.things.cors": "web"},
    ),
    "Door.cache": ({"doors.news.cache": {"ttl": "1m"}, "services.shop.data": "public"},),
    "Door.max_body": ({"doors.read.maxBody": "32Ki"},),
    "Door.timeout": ({"doors.read.timeout": "10s"},),
    "Door.rewrite": ({"doors.partners.rewrite": GONE},),
    "Door.request_headers": ({_REQUEST: GONE}, {"doors.write.requestHeaders": {"set": {"x-channel": "web"}}}),
    "Door.response_headers": ({_ANSWER: GONE}, {"doors.write.responseHeaders": {"set": {"x-served-by": "shop"}}}),
    "Part.service": ({f"{_PARTS}.stock.service": "offers"},),
    "Part.path": ({f"{_PARTS}.stock.path": "/stock/other"},),
    "Composition.mesh": (
        {
            "compositions.page.mesh": "bank",
            "services.wares": {"mesh": "bank"},
            _PARTS: {"a": {"service": "wares", "path": "/a"}, "b": {"service": "wares", "path": "/b"}},
        },
    ),
    "Composition.namespace": ({"compositions.page.namespace": GONE},),
    "Composition.parts": ({f"{_PARTS}.more": {"service": "stock", "path": "/stock/more"}},),
    "HttpOperation.methods": ({f"{_SHOP}.calls.stock.0.methods": ["GET", "POST"]},),
    "HttpOperation.paths": ({f"{_SHOP}.calls.stock.0.paths": ["/stock/{*}"]},),
    "GrpcOperation.rpcs": ({f"{_SHOP}.calls.feed.0.rpcs": ["all.Feed/*"]},),
    "Rate.requests": ({"tiers.visitor.limits.0.requests": 101}, {"tiers.partner.limits.0.requests": 1001}),
    "Rate.per": ({"tiers.visitor.limits.0.per": "second"}, {"tiers.partner.limits.0.per": "minute"}),
    "Rate.burst": ({"tiers.retail.limits.0.burst": 20},),
    "ServiceLimit.requests": ({"services.stock.limit.requests": 51}, {"services.feed.limit.requests": 501}),
    "ServiceLimit.per": ({"services.feed.limit.per": "second"},),
    "ServiceLimit.burst": ({"services.stock.limit.burst": 11},),
    "ServiceLimit.scope": ({"services.feed.limit.scope": GONE},),
    "Version.image": ({f"{_SHOP}.versions.v1.image": "docker.io/example/shop:1.1"},),
    "Version.command": ({f"{_SHOP}.versions.v1.command": ["sh"]},),
    "Version.env": ({f"{_SHOP}.versions.v1.env.LOG_DIR": "/logs/more"},),
    "Version.secrets": ({_SECRETS: GONE}, {f"{_SECRETS}.SMTP_PASSWORD": {"secret": "mail", "key": "password"}}),
    "SecretValue.secret": ({f"{_SECRETS}.DATABASE_PASSWORD.secret": "gateway-client"},),
    "SecretValue.key": ({f"{_SECRETS}.DATABASE_PASSWORD.key": "certificate"},),
    "Version.scratch": ({f"{_SHOP}.versions.v1.scratch": ["/logs", "/app"]},),
    "Version.weight": ({f"{_SHOP}.versions.v1.weight": 80, f"{_SHOP}.versions.v2.weight": 20},),
    "Canary.header": ({f"{_SHOP}.canary.header": "x-tester"},),
    "Canary.value": ({f"{_SHOP}.canary.value": "yes"},),
    "Canary.version": ({f"{_SHOP}.canary.version": "v1"},),
    "Mirror.version": ({"services.stock.versions.v3": {"weight": 0}, "services.stock.mirror.version": "v3"},),
    "Mirror.percent": ({"services.stock.mirror.percent": 60.0},),
    "Retries.attempts": ({f"{_RETRIES}.attempts": 3},),
    "Retries.per_try": ({f"{_RETRIES}.perTry": "2s"},),
    "Retries.retry_on": ({f"{_RETRIES}.retryOn": ["5xx"]}, {f"{_RETRIES}.retryOn": GONE}),
    "Ejection.consecutive_errors": ({f"{_EJECTION}.consecutiveErrors": 4},),
    "Ejection.interval": ({f"{_EJECTION}.interval": "6s"},),
    "Ejection.duration": ({f"{_EJECTION}.duration": "50s"},),
    "Ejection.max_percent": ({f"{_EJECTION}.maxPercent": 50},),
    "Connections.max_connections": ({f"{_CONNECTIONS}.maxConnections": 65},),
    "Connections.max_pending": ({f"{_CONNECTIONS}.maxPending": 17},),
    "Connections.max_requests_per_connection": (
        {f"{_CONNECTIONS}.maxRequestsPerConnection": GONE},
        {f"{_CONNECTIONS}.maxRequestsPerConnection": 101},
    ),
    "Resilience.timeout": ({f"{_CALLS}.timeout": "5s"},),
    "Resilience.retries": ({"services.stock.resilience": {"retries": {"attempts": 1, "perTry": "1s"}}},),
    "Resilience.ejection": ({_EJECTION: None},),
    "Resilience.connections": ({_CONNECTIONS: GONE},),
    "Fault.percent": ({"services.stock.faults.0.percent": 20.0},),
    "Fault.abort": ({"services.stock.faults.1.abort": 500},),
    "Fault.delay": ({"services.stock.faults.0.delay": "2s"},),
    "Fault.callers": (
        {"services.stock.faults.0.callers": ["page"]},
        {"services.stock.faults.1.callers": ["shop", "page"]},
        {"services.stock.faults.0.callers": GONE},
    ),
    "Service.mesh": ({"services.store.mesh": "bank", "services.shop.calls.store": GONE, "services.ledger.calls": {"store": []}},),
    "Service.namespace": ({f"{_SHOP}.namespace": GONE},),
    "Service.protocol": ({"services.offers.protocol": "websocket", "doors.offers.cache": GONE},),
    "Service.versions": ({"services.offers.versions": {"v2": {}}},),
    "Service.datacenters": ({f"{_SHOP}.datacenters": ["dc2"]}, {f"{_SHOP}.datacenters": GONE}),
    "Service.calls": (
        {"services.stock.calls": {"store": []}},
        {f"{_SHOP}.calls.stock": GONE, "services.stock.faults": GONE},
        {"services.stock.calls": {"offers": [{"methods": ["GET"], "paths": ["/x"]}]}},
    ),
    "Service.canary": ({f"{_SHOP}.canary": GONE}, {"services.stock.canary": {"header": "x-canary", "value": "true", "version": "v2"}}),
    "Service.mirror": ({"services.stock.mirror": GONE}, {f"{_SHOP}.mirror": {"version": "v2"}}),
    "Service.resilience": ({_CALLS: GONE},),
    "Service.faults": ({"services.offers.faults": [{"percent": 50.0, "abort": 503}]},),
    "Service.limit": ({"services.stock.limit": GONE}, {"services.feed.limit": GONE}),
    "Service.audit": ({"services.ledger.audit": GONE},),
}
"""Field of the model, as `Model.field`, and changes of that field in `everything.topology.yaml`; a plan of each is refused."""


@dataclass(frozen=True, kw_only=True)
class Unjudged:
    """Why a plan that differs in a field is kept, and a change that shows that it is."""

    why: str
    change: Change


_WORDS: Final = "words for people"
_NAME: Final = "a name of our own: the judge knows the objects by what they do, not by what they are called"
_SIZE: Final = "how many instances there are, how large, and where they are put says nothing of who may call whom"
_LAW: Final = "a law of the topology, which is checked before there is a plan; no object says it"

UNJUDGED: Final[Mapping[str, Unjudged]] = {
    "Topology.system": Unjudged(why=_NAME, change={"system": "other"}),
    "Topology.description": Unjudged(why=_WORDS, change={"description": "Another."}),
    "Mesh.ingress": Unjudged(why=_NAME, change={"meshes.main.ingress": "other-ingress"}),
    "Mesh.egress": Unjudged(why=_NAME, change={"meshes.main.egress": "other-egress"}),
    "Mesh.bridge": Unjudged(why=_NAME, change={"meshes.main.bridge": "other-bridge"}),
    "Datacenter.description": Unjudged(why=_WORDS, change={"datacenters.dc1.description": "Another."}),
    "Egress.description": Unjudged(why=_WORDS, change={"egress.mail.description": "Another."}),
    "Issuer.public_keys": Unjudged(
        why="only for gateways that cannot fetch keys, of which this stack has none; A06 compares Kong's",
        change={f"{_CLIENTS}.publicKeys": [_ONE_KEY]},
    ),
    "Consumer.description": Unjudged(why=_WORDS, change={"consumers.globex.description": "Another."}),
    "DoorApi.name": Unjudged(
        why="products group doors in the developer portal; requests are told apart by the version's header and value",
        change={
            "apis.store": {"versionHeader": "api-version", "documentation": _PAGE, "versions": {"v1": _ENDING, "v2": {}}},
            "apis.shop.versions": {"v3": {"lifecycle": "draft"}},
            "doors.things.api.name": "store",
            "doors.old-things.api.name": "store",
        },
    ),
    "Api.title": Unjudged(why=_WORDS, change={"apis.shop.title": "Another"}),
    "Api.description": Unjudged(why=_WORDS, change={"apis.shop.description": "Another."}),
    "Api.versions": Unjudged(
        why="a version without doors is in the developer portal alone; with doors, `DoorApi.version`",
        change={"apis.shop.versions.v4": {"lifecycle": "draft"}},
    ),
    "PublicAuth.public": Unjudged(
        why="a reason for people; that the door is public, `Door.auth`", change={"doors.news.auth.public": "Another reason is given."}
    ),
    "Door.description": Unjudged(why=_WORDS, change={"doors.read.description": "Another."}),
    "Composition.replicas": Unjudged(why=_SIZE, change={"compositions.page.replicas": 3}),
    "Availability.replicas": Unjudged(why=f"{_SIZE}; that there are some, P04", change={f"{_SHOP}.availability.replicas": 3}),
    "Availability.max_replicas": Unjudged(why=_SIZE, change={f"{_SHOP}.availability.maxReplicas": 5}),
    "Availability.cpu_target": Unjudged(why=_SIZE, change={f"{_SHOP}.availability.cpuTarget": 50}),
    "Availability.spread": Unjudged(why=_SIZE, change={f"{_SHOP}.availability.spread": "zones"}),
    "Availability.max_unavailable": Unjudged(why=_SIZE, change={f"{_SHOP}.availability.maxUnavailable": 2}),
    "Availability.max_surge": Unjudged(why=_SIZE, change={f"{_SHOP}.availability.maxSurge": 2}),
    "Service.availability": Unjudged(why=_SIZE, change={"services.stock.availability": {"replicas": 3}}),
    "Resources.cpu": Unjudged(why=_SIZE, change={f"{_SHOP}.resources.cpu": "500m"}),
    "Resources.memory": Unjudged(why=_SIZE, change={f"{_SHOP}.resources.memory": "2Gi"}),
    "Service.resources": Unjudged(why=_SIZE, change={"services.stock.resources": {"cpu": "100m"}}),
    "Service.description": Unjudged(why=_WORDS, change={f"{_SHOP}.description": "Another."}),
    "Service.port": Unjudged(
        why="where a service listens is the same in every object, or calls do not arrive, which the proofs notice",
        change={f"{_SHOP}.port": 8082},
    ),
    "Service.health": Unjudged(why="what the kubelet asks a container says nothing of callers", change={f"{_SHOP}.health": "/other"}),
    "Service.data": Unjudged(why=_LAW, change={"services.feed.data": "internal", "services.ledger.data": "internal"}),
}
"""Fields by which a plan may differ, with the reason; that it may is seen, so that a reason does not outlive its rule."""
