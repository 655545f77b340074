"""Kong's plugins: which ones hold for a rule of a route, and what they ask of a request."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policies.reading.envoy_gateway import ANY_TOKEN, Asked
from policies.reading.gateways import Rule
from policies.reading.requests import Requests
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, is_known, mapping, sequence

PLUGINS: Final = "konghq.com/plugins"
DEMANDS: Final = {
    "key-auth": "api-key",
    "basic-auth": "basic",
    "hmac-auth": "hmac",
    "ldap-auth": "ldap",
    "oauth2": "oauth2",
    "session": "session",
}
"""What a client must show, by plugin, apart from `jwt`."""

LUA: Final = frozenset({"pre-function", "post-function"})
"""Plugins that run code of their own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Plugin:
    """One plugin as it holds for a rule."""

    resource: Resource
    name: str
    config: Mapping[str, Any]


def credential_headers(plugins: Iterable[Plugin]) -> frozenset[str]:
    """Return the headers in which plugins look for a client's credential (`key_names`, `header_names` and their defaults)."""
    found: set[str] = set()
    for plugin in plugins:
        if plugin.name == "key-auth":
            found.update(sequence(plugin.config.get("key_names")) or ["apikey"])
        elif plugin.name in {"jwt", *DEMANDS}:
            found.update(sequence(plugin.config.get("header_names")) or ["authorization"])
    return frozenset(str(name).lower() for name in found)


class KongPlugins:
    """Plugins, consumers and their credentials."""

    def __init__(
        self, find: Callable[[str, str, str], Resource | None], cluster: Iterable[Resource], consumers: Iterable[Resource]
    ) -> None:
        """Keep what plugins are looked up in."""
        self._find = find
        self._global = tuple(plugin for plugin in cluster if plugin.labels.get("global") == "true")
        self._consumers = tuple(consumers)

    def of(self, rule: Rule, services: Iterable[Resource]) -> Iterator[Plugin]:
        """Yield the plugins that hold for a rule: of the route and its Services, and the global ones.

        Raises:
            UnknownValueError: where a plugin is named that the program does not have: Kong would go on without it.
        """
        for resource in (rule.route, *services):
            names = str(resource.annotations.get(PLUGINS) or "")
            for name in (part.strip() for part in names.split(",") if part.strip()):
                plugin = self._find("KongPlugin", resource.namespace, name) or self._find("KongClusterPlugin", "", name)
                if plugin is None:
                    raise UnknownValueError(f"{resource}: plugin {name}", "not among the resources of the program")
                yield from self._enabled(plugin)
        for plugin in self._global:
            yield from self._enabled(plugin)

    @staticmethod
    def _enabled(resource: Resource) -> Iterator[Plugin]:
        if not resource.at("disabled", default=False):
            yield Plugin(resource=resource, name=resource.at("plugin", default=""), config=resource.at("config", default={}))

    def asked(self, plugins: Iterable[Plugin], requests: Requests) -> Iterator[Asked]:
        """Yield what passes the plugins of a rule.

        Raises:
            UnknownValueError: if a plugin's configuration is not known.
        """
        demands: list[frozenset[str]] = [frozenset()]
        said: list[str] = []
        for plugin in plugins:
            if plugin.name == "request-termination":
                return
            if plugin.name in LUA:
                # Code can refuse what the rest admits; it cannot make the gateway forget to ask for a credential.
                said.append(str(plugin.resource))
            if plugin.name not in {"jwt", *DEMANDS} or plugin.config.get("anonymous"):
                continue
            said.append(str(plugin.resource))
            more = self.issuers() if plugin.name == "jwt" else {DEMANDS[plugin.name]}
            demands = [frozenset({*each, one}) for each in demands for one in sorted(more)]
        for each in demands:
            yield Asked(requests=requests, demands=each, policies=tuple(said))

    def issuers(self) -> set[str]:
        """Return the demands that the jwt plugin makes: a token of an issuer for which some consumer has a key."""
        found: set[str] = set()
        for consumer in self._consumers:
            for name in consumer.at("credentials", default=[]):
                secret = self._find("Secret", consumer.namespace, name)
                if secret is None or secret.labels.get("konghq.com/credential") != "jwt":
                    continue
                data: Any = secret.props.get("stringData")
                issuer: Any = mapping(data).get("key") if is_known(data, dict) else None
                found.add(f"jwt {issuer}" if is_known(issuer, str) else ANY_TOKEN)
        return found or {ANY_TOKEN}
