"""A11: every published route bounds how often and how much."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from policies.checks import attempt
from policies.limits import clients, windows_of, windows_of_plugins
from policies.reading.charts import chart_name
from policies.reading.cloud.model import EDGE
from policies.reading.controllers import envoy_gateway_config
from policies.reading.durations import length
from policies.reading.jwt import asks_for
from policies.reading.key_holders import username
from policies.reading.promises import Client, Window, broken_promise
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.traffic import CLUSTER_DOMAIN
from policies.reading.values import mapping
from policies.reading.waf import fronts
from policies.route_rule import Published, RouteRule
from policies.rule import Finding, Severity
from policies.waits import KONG_IDLE, silences_of, unsaid, waits_of
from topology.model.base import seconds, size_in_bytes
from topology.model.door import Door, PublicAuth
from topology.model.service import Protocol

LIMITERS: Final = ("rate-limiting", "rate-limiting-advanced", "response-ratelimiting")
"""Plugins of Kong that bound how often somebody asks."""

UNITS: Final[Mapping[str, int]] = {"bytes": 1, "kilobytes": 1024, "megabytes": 1024**2}
"""Units of Kong's `request-size-limiting`."""

_QUANTITY: Final = re.compile(r"([0-9]+)(|k|M|G|Ki|Mi|Gi)")
_FACTORS: Final[Mapping[str, int]] = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}

EVERYBODY: Final = frozenset({("Distinct", "0.0.0.0/0"), ("Distinct", "::/0")})
"""Selectors of Envoy Gateway by which each address is counted by itself."""

FIX: Final = "limit requests per client on this route, as the tiers of the topology say"


class A11(RouteRule):
    """Every published route limits how often a client may ask, and how large a request may be.

    Forbids:
        - a route on which the gateway limits nobody, only counts (`shadowMode`), or lets everything through when it cannot count
          (`failClosed: false`, `fault_tolerant: true`);
        - limits that together let the clients of a tier ask more often than their tier may, for a moment or for long; of a tier that is
          counted once (`scope: global`), a count for each proxy, or for each path and method of a door (`shared: false`);
        - an operation of API Management that counts a door's clients by a key of its own, so that they have a second count there; one key for
          several windows is undecided;
        - a limit by address where the gateway takes the edge's for every client's (no `clientIPDetection`), or that is counted together with
          the other pods of the gateway at a counter that is not there;
        - a limit that counts by something that clients choose, have many of or need not have, or only some clients; a tier, or the holder of a key, of
          whom no limit of the door counts anything;
        - a route on which neither the gateway nor the edge limits how large a request may be, or the gateway takes more than the doors;
        - a wait for answers without end (`0s`), or longer than the doors of the route allow (`timeout` of the topology); one of
          which nothing is said, where the gateway's own is longer than that (15 seconds in Envoy, 60 in Kong).

    Why:
        Tiers are promises: what one client takes is missing for the others. A limit that opens when its counter is away is
        switched off by whoever overloads the counter. A request that is never given up holds its connection: few of them take
        what the limits leave.

    Instead:
        One BackendTrafficPolicy for each route, by client::

            kind: BackendTrafficPolicy
            spec:
              targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: a}]
              rateLimit:
                local:
                  rules: [{limit: {requests: 20, unit: Second}}]

        and `client_max_body_size` at the edge. Global limits need `rateLimit.failClosed: true` in Envoy Gateway's configuration.
    """

    id = "A11"
    name = "doors-have-limits"
    severity = Severity.MEDIUM
    frameworks = ("OWASP API4:2023",)

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every rule of every route, then the limits that Kong's consumers bear."""
        yield from super().judge(stack)
        for consumer in stack.of("KongConsumer"):
            yield from self.over([consumer], lambda consumer: self._consumer(consumer, stack))

    def _consumer(self, consumer: Resource, stack: Stack) -> Iterator[Finding]:
        """Check the limits of one consumer, which take the place of a route's own."""
        t = stack.intent
        own = t.consumers.get(username(consumer))
        tiers = {own.tier: t.tiers[own.tier]} if own else t.tiers
        for plugin in _limiters(consumer, stack):
            yield from self._tolerance(plugin, plugin.at("config", default={}))
            windows = list(windows_of_plugins([plugin.at("config", default={})]))
            promised = [(Client(name=f"clients of the tier {name}", tier=tier), windows) for name, tier in tiers.items()]
            yield from self._promises(plugin, "", promised)

    def _tolerance(self, plugin: Resource, config: Mapping[str, Any]) -> Iterator[Finding]:
        if config.get("policy", "local") != "local" and config.get("fault_tolerant", True):
            yield self.broken(plugin, "lets everything through while the counter is away (`fault_tolerant`)", "set fault_tolerant: false")

    def _promises(self, resource: Resource, where: str, promised: Iterable[tuple[Client, Iterable[Window]]]) -> Iterator[Finding]:
        """Check that limits keep each client to what the topology promises it."""
        for client, windows in promised:
            if broken := broken_promise(client, windows):
                yield self.broken(resource, f"{where}{broken}", "give the limits of the topology's tiers")

    def check(self, published: Published, stack: Stack) -> Iterator[Finding]:
        """Check the limits of one rule."""
        if not published.rule.backends or published.answers_preflights_alone:
            return
        yield from self._waits(published, stack)
        yield from self._kong(published, stack) if published.is_kong else self._envoy(published, stack)

    def _waits(self, published: Published, stack: Stack) -> Iterator[Finding]:
        """Check how long the gateway waits for an answer, wherever it is told."""
        longest = max((seconds(door.timeout) for door in published.declared.values()), default=None)
        if longest is None:
            return
        for resource, said in waits_of(published):
            wait = length(said)
            if wait is None:
                yield self.undecided(resource, f"for {published}: waits `{said}` for an answer, which is no duration", "give a duration")
            elif not 0 < wait <= longest:
                limit = f"its doors allow {longest:g} seconds"
                why = f"without end (`{said}`); {limit}" if not wait else f"{wait:g} seconds; {limit}"
                yield self.broken(resource, f"for {published}: waits for an answer {why}", "give the timeout of the door")
        if (silent := self._unsaid(published, stack)) is not None:
            yield silent
        most = max(KONG_IDLE, *(seconds(door.timeout) for door in stack.intent.doors.values()))
        for resource, silence in silences_of(published) if published.is_kong else ():
            if silence > most:
                yield self.broken(
                    resource, f"bears {silence:g} seconds of silence; the doors allow {most:g}", "give the timeout of the door"
                )

    def _unsaid(self, published: Published, stack: Stack) -> Finding | None:
        """Check that the gateway's own wait is short enough where nothing says another; a stream ends when its ends like."""
        bounded = [seconds(door.timeout) for door in published.declared.values() if _answers_at_once(door, stack)]
        wait = unsaid(published) if bounded and published.route.kind == "HTTPRoute" else None
        if wait is None or wait <= max(bounded):
            return None
        return self.broken(
            published.route,
            f"for {published}: nothing says how long the gateway waits for an answer, which means {wait:g} seconds; "
            f"its doors allow {max(bounded):g} seconds",
            "give the timeout of the door",
        )

    def _envoy(self, published: Published, stack: Stack) -> Iterator[Finding]:
        policy = published.policy("BackendTrafficPolicy")
        limits: Mapping[str, Any] = policy.at("spec", "rateLimit", default={}) if policy else {}
        rules = [rule for scope in ("local", "global") for rule in _rules(limits, scope)]
        if policy is not None and limits.get("global") and not _fails_closed(stack):
            yield self.broken(
                policy,
                "its global limits let everything through while the counter is away",
                "set rateLimit.failClosed: true in Envoy Gateway's configuration",
            )
        if policy is not None and limits.get("global"):
            for counter in counters_away(stack):
                yield self.broken(
                    policy, f"its global limits are counted at {counter}, where nothing listens", "make the counter in the program"
                )
        if policy is not None and any(rule.get("shadowMode") for rule in rules):
            yield self.broken(policy, "a limit is only counted and not kept (`shadowMode`)", "remove shadowMode")
        if policy is not None:
            yield from self._counted(published, policy, rules)
            yield from self._claims(published, policy, rules)
            promised = [(client, windows_of(client, published, policy)) for client in clients(published)] if rules else ()
            yield from attempt(self, policy, self._promises(policy, f"for {published}: ", promised))
        size = policy.at("spec", "requestBuffer", "limit", default="") if policy else ""
        if policy is not None and size:
            yield from self._size(published, policy, quantity(size))
        yield from self._bounds(published, stack, limited=bool(rules), sized=bool(size))

    def _counted(self, published: Published, policy: Resource, rules: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
        """Check that each client is counted, by what a layer wrote and the client cannot."""
        written = {header.lower() for header in published.writes()}
        for selector in (each for rule in rules for each in rule.get("clientSelectors") or ()):
            strange = [header["name"] for header in selector.get("headers") or () if header["name"].lower() not in written]
            empty = [header["name"] for header in _headers(selector) if header.get("type") != "Distinct" and not header.get("value")]
            if empty:
                yield self.broken(policy, f"for {published}: counts only requests with an empty {empty[0]}", "set type: Distinct")
            address: Mapping[str, Any] = selector.get("sourceCIDR") or {}
            some = address and (address.get("type"), address.get("value")) not in EVERYBODY
            if address and any(not isinstance(door.auth, PublicAuth) for door in published.declared.values()):
                yield self.broken(
                    policy,
                    f"for {published}: counts a client anew for each of its addresses",
                    "count by the token's subject or the key's owner alone",
                )
            seen = published.client_policy.at("spec", "clientIPDetection", default=None) if address and published.client_policy else None
            if address and seen is None:
                yield self.broken(
                    policy,
                    f"for {published}: counts by address, and takes the edge's for every client's: all of them together are one",
                    "write `clientIPDetection: {xForwardedFor: {numTrustedHops: 1}}` in the ClientTrafficPolicy",
                )
            if strange or some or set(selector) - {"headers", "sourceCIDR"}:
                by = strange[0] if strange else f"{address.get('value')}" if some else ", ".join(sorted(set(selector)))
                yield self.broken(
                    policy,
                    f"for {published}: counts by {by}, which no layer writes on this route, so clients go uncounted",
                    "count by a header that is written from a verified token or key, or by each address",
                )

    def _claims(self, published: Published, policy: Resource, rules: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
        """Check that every token says what clients are counted by: a request without the header falls under no limit."""
        keys = published.policy("SecurityPolicy")
        told = [
            each
            for provider in (keys.at("spec", "jwt", "providers", default=[]) if keys else ())
            for each in provider.get("claimToHeaders") or ()
        ]
        claims = {str(each["header"]).lower(): str(each["claim"]) for each in told}
        selectors = [selector for rule in rules for selector in rule.get("clientSelectors") or ()]
        counted = {
            str(header["name"]).lower() for selector in selectors for header in _headers(selector) if header.get("type") == "Distinct"
        }
        for header in sorted(counted & set(claims)):
            if keys is not None and not asks_for(claims[header], keys.at("spec", "authorization", default={})):
                yield self.broken(
                    policy,
                    f"for {published}: counts by the claim {claims[header]}, and takes tokens without it, which nothing counts",
                    f"allow only tokens that have it, by `cel: has(... .{claims[header]})` in the SecurityPolicy",
                )

    def _kong(self, published: Published, stack: Stack) -> Iterator[Finding]:
        limiters = [plugin for plugin in published.plugins if plugin.name in LIMITERS]
        for plugin in limiters:
            yield from self._tolerance(plugin.resource, plugin.config)
            if published.plugin("key-auth") is None:
                promised = [(client, windows_of_plugins([plugin.config])) for client in clients(published)]
                yield from attempt(self, plugin.resource, self._promises(plugin.resource, f"for {published}: ", promised))
        limited = bool(limiters) or (published.plugin("key-auth") is not None and _consumers_are_limited(stack))
        if (body := published.plugin("request-size-limiting")) is not None:
            unit = UNITS.get(body.config.get("size_unit", "megabytes"))
            yield from self._size(published, body.resource, unit and unit * body.config.get("allowed_payload_size", 128))
        yield from self._bounds(published, stack, limited=limited, sized=body is not None)

    def _size(self, published: Published, resource: Resource, size: int | None) -> Iterator[Finding]:
        """Check that no request may be larger than the largest that a door takes."""
        most = max((size_in_bytes(door.max_body) for door in published.declared.values()), default=None)
        if size is None:
            yield self.undecided(resource, f"for {published}: a size that cannot be read", "give it in bytes, or with Ki or Mi")
        elif most is not None and size > most:
            yield self.broken(
                resource, f"for {published}: takes requests of {size} bytes, its doors {most} at most", "give the size of the door"
            )

    def _bounds(self, published: Published, stack: Stack, *, limited: bool, sized: bool) -> Iterator[Finding]:
        if not limited:
            yield self.broken(published.route, f"{published}: the gateway limits nobody on it", FIX)
        passages = [passage for front in fronts(stack) for passage in front.passages]
        bounded = passages and all((size := passage.get("client_max_body_size")) is None or size.args[0] != "0" for passage in passages)
        edges = stack.cloud.of(EDGE)
        bounded = bounded or (bool(edges) and all(station.bounds(door) for station in edges for door in published.doors))
        if not sized and not bounded:
            yield self.broken(
                published.route,
                f"{published}: neither the gateway nor the edge limits how large a request may be",
                "set client_max_body_size at the edge",
            )


def _headers(selector: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(selector.get("headers") or ())


def _answers_at_once(door: Door, stack: Stack) -> bool:
    """Say whether the service behind a door answers each request by itself: HTTP, and every composition."""
    service = stack.intent.services.get(door.service)
    return service is None or service.protocol is Protocol.HTTP


def quantity(text: object) -> int | None:
    """Return a quantity of Kubernetes in bytes; None for one that is not read."""
    found = _QUANTITY.fullmatch(str(text))
    return int(found[1]) * _FACTORS[found[2]] if found else None


def _rules(limits: Mapping[str, Any], scope: str) -> list[Mapping[str, Any]]:
    of_scope: Mapping[str, Any] = limits.get(scope) or {}
    return list(of_scope.get("rules") or ())


def _fails_closed(stack: Stack) -> bool:
    limiters: list[Mapping[str, Any]] = [
        envoy_gateway_config(release).get("rateLimit") or {} for release in stack.releases if chart_name(release) == "gateway-helm"
    ]
    return bool(limiters) and all(limiter.get("failClosed") is True for limiter in limiters)


def counters_away(stack: Stack) -> Iterator[str]:
    """Yield the counters of Envoy Gateway, in the cluster, that are no pods of the program: without them every request is refused, or passes."""
    for release in stack.releases:
        if chart_name(release) != "gateway-helm":
            continue
        backend = mapping(mapping(envoy_gateway_config(release).get("rateLimit")).get("backend"))
        host, _, port = str(mapping(backend.get("redis")).get("url") or "").rpartition(":")
        service = stack.traffic.service(host)
        if host.endswith(f".svc.{CLUSTER_DOMAIN}") and (
            service is None or not service.pods or not any(str(each.port) == port for each in service.ports)
        ):
            yield f"{host}:{port}"


def _consumers_are_limited(stack: Stack) -> bool:
    """Say whether each of Kong's consumers has a limit of its own: a tier is a plugin of the consumer."""
    consumers = [consumer for consumer in stack.of("KongConsumer") if _has_key(consumer, stack)]
    return bool(consumers) and all(any(_limiters(consumer, stack)) for consumer in consumers)


def _has_key(consumer: Resource, stack: Stack) -> bool:
    secrets = [stack.find("Secret", consumer.namespace, name) for name in consumer.at("credentials", default=[])]
    return any(secret is not None and secret.labels.get("konghq.com/credential") == "key-auth" for secret in secrets)


def _limiters(consumer: Resource, stack: Stack) -> Iterator[Resource]:
    """Yield the plugins that bound one consumer."""
    for name in str(consumer.annotations.get("konghq.com/plugins") or "").split(","):
        plugin = stack.find("KongPlugin", consumer.namespace, name.strip())
        if plugin is not None and plugin.at("plugin") in LIMITERS and not plugin.at("disabled", default=False):
            yield plugin
