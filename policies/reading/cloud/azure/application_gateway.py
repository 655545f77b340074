"""Application Gateway: listeners, rules, path maps, pools, and how it calls what stands behind.

https://learn.microsoft.com/azure/application-gateway/configuration-overview, .../url-route-overview
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from policies.reading.cloud.azure.ids import NETWORK, last, target
from policies.reading.patterns import EVERY, Pattern, exact, parse
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

KIND: Final = f"{NETWORK}ApplicationGateway"
WAF: Final = f"{NETWORK}WebApplicationFirewallPolicy"

Spec = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Listener:
    """One listener: what it hears, and the firewall's policy that is bound to it."""

    name: str
    port: int
    tls: bool
    hosts: tuple[str, ...]
    """Empty: every host."""
    public: bool
    spec: Spec


@dataclass(frozen=True, kw_only=True, eq=False)
class Routed:
    """Requests that one rule, or one path rule of it, takes, and where it sends them."""

    listener: Listener
    name: str
    patterns: tuple[Pattern, ...]
    """Paths as they are written; Application Gateway does not tell case."""
    pool: str
    settings: str
    redirect: str
    rewrites: str
    policy: Any
    """Reference to the firewall's policy for these paths alone."""

    def __str__(self) -> str:
        """Name it by its listener."""
        return f"rule {self.name} of listener {self.listener.name}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Gateway:
    """One Application Gateway as it is written."""

    resource: Resource

    def part(self, collection: str, name: str) -> Spec:
        """Return a part of a collection by name.

        Raises:
            UnknownValueError: if there is none.
        """
        for each in self.resource.at(collection, default=[]):
            if str(each["name"]).lower() == name.lower():
                return mapping(each)
        raise UnknownValueError(f"{self.resource}: {collection}", f'without the part "{name}" that something refers to')

    @cached_property
    def listeners(self) -> tuple[Listener, ...]:
        """Return its listeners.

        Raises:
            UnknownValueError: if one cannot be read.
        """
        return tuple(self._listener(mapping(spec)) for spec in self.resource.at("httpListeners", default=[]))

    def _listener(self, spec: Spec) -> Listener:
        frontend = self.part("frontendIPConfigurations", last(spec.get("frontendIPConfiguration")))
        hosts = [*sequence(spec.get("hostNames"))] or ([spec["hostName"]] if spec.get("hostName") else [])
        return Listener(
            name=str(spec["name"]),
            port=int(self.part("frontendPorts", last(spec.get("frontendPort")))["port"]),
            tls=str(spec.get("protocol")).lower() == "https",
            hosts=tuple(str(host).lower() for host in hosts),
            public=frontend.get("publicIPAddress") is not None,
            spec=spec,
        )

    @cached_property
    def routes(self) -> tuple[Routed, ...]:
        """Return what every rule takes, in the order in which they are asked: by listener, paths in full before those with a star.

        Raises:
            UnknownValueError: if a rule cannot be read.
        """
        rules = sorted(self.resource.at("requestRoutingRules", default=[]), key=lambda rule: int(rule.get("priority") or 0))
        return tuple(routed for rule in rules for routed in self._rule(mapping(rule)))

    def _rule(self, rule: Spec) -> Iterator[Routed]:
        listener = next((each for each in self.listeners if each.name.lower() == last(rule.get("httpListener")).lower()), None)
        if listener is None:
            raise UnknownValueError(f"{self.resource}: rule {rule.get('name')}", "for a listener that the gateway does not have")
        if rule.get("loadDistributionPolicy"):
            raise UnknownValueError(f"{self.resource}: rule {rule.get('name')}", "one that spreads requests in a way that is not followed")
        if str(rule.get("ruleType")) != "PathBasedRouting":
            yield self._routed(listener, str(rule["name"]), (EVERY,), rule)
            return
        paths = self.part("urlPathMaps", last(rule.get("urlPathMap")))
        rules = [mapping(each) for each in sequence(paths.get("pathRules"))]
        for each in sorted(rules, key=lambda spec: any("*" in str(path) for path in sequence(spec.get("paths")))):
            patterns = tuple(parse(path) if "*" in path else exact(path) for path in map(str, sequence(each.get("paths"))))
            yield self._routed(listener, str(each["name"]), patterns, each)
        default = {_plain(key): value for key, value in paths.items() if key.startswith("default")}
        yield self._routed(listener, f"{paths['name']} (default)", (EVERY,), default)

    @staticmethod
    def _routed(listener: Listener, name: str, patterns: tuple[Pattern, ...], spec: Spec) -> Routed:
        return Routed(
            listener=listener,
            name=name,
            patterns=patterns,
            pool=last(spec.get("backendAddressPool")),
            settings=last(spec.get("backendHttpSettings")),
            redirect=last(spec.get("redirectConfiguration")),
            rewrites=last(spec.get("rewriteRuleSet")),
            policy=spec.get("firewallPolicy"),
        )

    def targets(self, pool: str) -> tuple[str, ...]:
        """Return the names and addresses in a pool.

        Raises:
            UnknownValueError: if one is not known.
        """
        spec = self.part("backendAddressPools", pool)
        return tuple(str(each.get("fqdn") or each["ipAddress"]) for each in sequence(spec.get("backendAddresses")))

    def edits(self, name: str) -> Iterator[Spec]:
        """Yield the action sets of a set of rewrite rules in the order of their numbers, with their conditions under `conditions`.

        Raises:
            UnknownValueError: if the set is not the gateway's.
        """
        if name:
            rules = [mapping(each) for each in sequence(self.part("rewriteRuleSets", name).get("rewriteRules"))]
            for rule in sorted(rules, key=lambda rule: int(rule.get("ruleSequence") or 0)):
                yield {**mapping(rule.get("actionSet")), "conditions": sequence(rule.get("conditions"))}

    def firewall(self, stack: "Stack", routed: Routed) -> Resource | None:
        """Return the firewall's policy for requests of a rule: the narrowest of path, listener and gateway; None without any.

        Raises:
            UnknownValueError: if a reference is not known, or leads out of the program.
        """
        for field, reference in (
            ("urlPathMaps", routed.policy),
            ("httpListeners", routed.listener.spec.get("firewallPolicy")),
            ("firewallPolicy", self.resource.props.get("firewallPolicy")),
        ):
            if reference is not None:
                found = target(stack, self.resource, field, mapping(reference).get("id"), WAF)
                if found is None:
                    raise UnknownValueError(f"{self.resource}: {field}", "a firewall policy that the program does not have")
                return found
        return None


def _plain(key: str) -> str:
    """Return the name of a default of a path map as a rule has it: `defaultBackendAddressPool` → `backendAddressPool`."""
    rest = key.removeprefix("default")
    return rest[:1].lower() + rest[1:]


def gateways(stack: "Stack") -> Iterator[Gateway]:
    """Yield the Application Gateways of a stack."""
    for resource in stack.of(KIND):
        yield Gateway(resource=resource)
