"""A rule about what an API gateway publishes."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from policies.cloud_rule import in_clouds
from policies.door_rules import taken
from policies.reading.controllers import GATEWAY_API, Controller
from policies.reading.gateways import OPAQUE_ROUTE_KINDS, ROUTE_KINDS, ApiGateway, Backend, Listener
from policies.reading.gateways import Rule as GatewayRule
from policies.reading.kong import Plugin
from policies.reading.resource import Resource
from policies.reading.services import Service
from policies.reading.stack import Stack
from policies.reading.values import mapping, sequence
from policies.rule import Finding, Rule
from topology.edges import Direction, Edge
from topology.model.base import Name
from topology.model.cors import PREFLIGHT
from topology.model.door import Door

READ: frozenset[str] = frozenset({"Gateway", *ROUTE_KINDS})
"""Kinds without which it is not known what a gateway publishes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Published:
    """One rule of a route on one listener of a gateway: requests that clients may send, and what holds for them."""

    stack: Stack
    gateway: ApiGateway
    listener: Listener
    rule: GatewayRule

    def __str__(self) -> str:
        """Name the rule by its route."""
        return f"rule {self.rule.name or self.rule.position}"

    @property
    def route(self) -> Resource:
        """Return the route's resource."""
        return self.rule.route

    @property
    def is_kong(self) -> bool:
        """Say whether Kong serves it."""
        return self.gateway.controller is Controller.KONG

    def policy(self, kind: str) -> Resource | None:
        """Return Envoy Gateway's policy of a kind that holds here.

        Raises:
            UnknownValueError: where it cannot be told which one holds.
        """
        return self.stack.envoy_policies.of_rule(kind, self.rule, self.listener, self.gateway.gateway)

    @property
    def client_policy(self) -> Resource | None:
        """Return Envoy Gateway's ClientTrafficPolicy of the listener."""
        return self.stack.envoy_policies.of_listener("ClientTrafficPolicy", self.listener, self.gateway.gateway)

    @cached_property
    def plugins(self) -> tuple[Plugin, ...]:
        """Return the Kong plugins that hold here.

        Raises:
            UnknownValueError: if one is named that the program does not have.
        """
        services = [service.resource for backend in self.rule.backends if (service := self.service(backend))]
        return tuple(self.stack.kong_plugins.of(self.rule, services))

    def plugin(self, name: str) -> Plugin | None:
        """Return the Kong plugin of a name that holds here."""
        return next((plugin for plugin in self.plugins if plugin.name == name), None)

    @property
    def ends(self) -> bool:
        """Say whether the gateway lets nothing on here, whoever asks: a SecurityPolicy without an exception denies, or Kong ends requests.

        Raises:
            UnknownValueError: where that cannot be told.
        """
        if self.is_kong:
            end = self.plugin("request-termination")
            return end is not None and not end.config.get("trigger")  # which names a header without which it ends nothing
        policy = self.policy("SecurityPolicy")
        authorization = mapping(policy.spec).get("authorization") if policy else None
        denies = mapping(authorization).get("defaultAction", "Deny") == "Deny"
        return authorization is not None and denies and not sequence(mapping(authorization).get("rules"))

    @property
    def answers_preflights_alone(self) -> bool:
        """Say whether it takes nothing but preflights, and lets none of them on: whoever asks, no service hears of it.

        Raises:
            UnknownValueError: where that cannot be told.
        """
        return all(match.method == PREFLIGHT for match in self.rule.matches) and self.ends

    def service(self, backend: Backend) -> Service | None:
        """Return the Service behind a backend."""
        return self.stack.service(backend.namespace, backend.name) if backend.kind == "Service" else None

    def filters(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """Yield the filters of a type: of the rule and of its backends."""
        for filter_ in (*self.rule.filters, *(each for backend in self.rule.backends for each in backend.filters)):
            if filter_.get("type") == kind:
                yield filter_

    def writes(self) -> Iterator[str]:
        """Yield the headers that Envoy Gateway writes on this rule: from a verified token or key, or as the route says."""
        policy = self.policy("SecurityPolicy")
        spec: Mapping[str, Any] = policy.spec if policy else {}
        for provider in sequence(mapping(spec.get("jwt")).get("providers")):
            yield from (each["header"] for each in sequence(provider.get("claimToHeaders")))
        if header := mapping(spec.get("apiKeyAuth")).get("forwardClientIDHeader"):
            yield header
        for each in self.filters("RequestHeaderModifier"):
            yield from (header["name"] for header in each["requestHeaderModifier"].get("set") or ())

    @cached_property
    def declared(self) -> dict[Name, Door]:
        """Return the doors of the topology of which this rule takes some requests: of overlapping rules, the one that wins.

        Raises:
            UnknownValueError: where it cannot be told which rule takes a request.
        """
        return {each.name: each.door for each in taken(self.stack, self.listener) if self.rule in each.rules}

    @cached_property
    def doors(self) -> tuple[Edge, ...]:
        """Return what those doors mean, as edges."""
        t = self.stack.intent
        asked = {(t.host_of(door), method, path) for door in self.declared.values() for method in door.methods for path in door.paths}
        return tuple(
            each
            for each in self.stack.expected
            if each.direction is Direction.NORTH_SOUTH and (each.host, each.method, each.entry) in asked
        )


class RouteRule(Rule):
    """A rule that looks at each rule of each route that an API gateway serves; a gateway of a cloud's own, its readers tell of."""

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check everything published; what cannot be read is undecided."""
        for gateway in stack.gateways:
            for listener in gateway.listeners:
                for rule in listener.rules:
                    published = Published(stack=stack, gateway=gateway, listener=listener, rule=rule)
                    yield from self.over([rule.route], lambda _, published=published: self._checked(published, stack))
        for resource, error in stack.unreadable:
            if resource.kind in READ and resource.group == GATEWAY_API:
                yield self.undecided(resource, f"what it publishes cannot be read: {error}")
        yield from in_clouds(self, stack)

    def _checked(self, published: Published, stack: Stack) -> Iterator[Finding]:
        if published.gateway.controller not in {Controller.ENVOY_GATEWAY, Controller.KONG}:
            yield self.undecided(
                published.gateway.gateway,
                "is served by a controller whose behaviour is not known here",
                "use a GatewayClass of Envoy Gateway or Kong",
            )
            return
        yield from self.check(published, stack)

    @abstractmethod
    def check(self, published: Published, stack: Stack) -> Iterator[Finding]:
        """Yield every way in which one rule of a route breaks the rule."""


def opaque_routes(stack: Stack) -> Iterator[Resource]:
    """Yield routes below HTTP, on which no layer can tell one operation from another."""
    yield from stack.of(*(f"{kind}.{GATEWAY_API}" for kind in OPAQUE_ROUTE_KINDS))
