"""A11: every published route bounds how often and how much."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.reading.charts import chart_name
from policies.reading.controllers import envoy_gateway_config
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.waf import fronts
from policies.route_rule import Published, RouteRule
from policies.rule import Finding, Severity

LIMITERS: Final = ("rate-limiting", "rate-limiting-advanced", "response-ratelimiting")
"""Plugins of Kong that bound how often somebody asks."""

FIX: Final = "limit requests per client on this route, as the tiers of the topology say"


class A11(RouteRule):
    """Every published route limits how often a client may ask, and how large a request may be.

    Forbids:
        - a route on which the gateway limits nobody, only counts (`shadowMode`), or lets everything through when it cannot count
          (`failClosed: false`, `fault_tolerant: true`);
        - a route on which neither the gateway nor the edge limits how large a request may be.

    Why:
        Tiers are promises: what one client takes is missing for the others. A limit that opens when its counter is away is
        switched off by whoever overloads the counter.

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
        for plugin in _limiters(consumer, stack):
            config: Mapping[str, Any] = plugin.at("config", default={})
            yield from self._tolerance(plugin, config)

    def _tolerance(self, plugin: Resource, config: Mapping[str, Any]) -> Iterator[Finding]:
        if config.get("policy", "local") != "local" and config.get("fault_tolerant", True):
            yield self.broken(plugin, "lets everything through while the counter is away (`fault_tolerant`)", "set fault_tolerant: false")

    def check(self, published: Published, stack: Stack) -> Iterator[Finding]:
        """Check the limits of one rule."""
        if not published.rule.backends:
            return
        yield from self._kong(published, stack) if published.is_kong else self._envoy(published, stack)

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
        if policy is not None and any(rule.get("shadowMode") for rule in rules):
            yield self.broken(policy, "a limit is only counted and not kept (`shadowMode`)", "remove shadowMode")
        yield from self._bounds(
            published, stack, limited=bool(rules), sized=bool(policy and policy.at("spec", "requestBuffer", "limit", default=""))
        )

    def _kong(self, published: Published, stack: Stack) -> Iterator[Finding]:
        limiters = [plugin for plugin in published.plugins if plugin.name in LIMITERS]
        for plugin in limiters:
            yield from self._tolerance(plugin.resource, plugin.config)
        limited = bool(limiters) or (published.plugin("key-auth") is not None and _consumers_are_limited(stack))
        yield from self._bounds(published, stack, limited=limited, sized=published.plugin("request-size-limiting") is not None)

    def _bounds(self, published: Published, stack: Stack, *, limited: bool, sized: bool) -> Iterator[Finding]:
        if not limited:
            yield self.broken(published.route, f"{published}: the gateway limits nobody on it", FIX)
        passages = [passage for front in fronts(stack) for passage in front.passages]
        bounded = passages and all((size := passage.get("client_max_body_size")) is None or size.args[0] != "0" for passage in passages)
        if not sized and not bounded:
            yield self.broken(
                published.route,
                f"{published}: neither the gateway nor the edge limits how large a request may be",
                "set client_max_body_size at the edge",
            )


def _rules(limits: Mapping[str, Any], scope: str) -> list[Mapping[str, Any]]:
    of_scope: Mapping[str, Any] = limits.get(scope) or {}
    return list(of_scope.get("rules") or ())


def _fails_closed(stack: Stack) -> bool:
    limiters: list[Mapping[str, Any]] = [
        envoy_gateway_config(release).get("rateLimit") or {} for release in stack.releases if chart_name(release) == "gateway-helm"
    ]
    return bool(limiters) and all(limiter.get("failClosed") is True for limiter in limiters)


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
