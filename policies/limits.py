"""How often an API gateway of the cluster lets each class of clients ask."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policies.reading.promises import Client, Window
from policies.reading.resource import Resource
from policies.reading.tiers import SECONDS
from policies.reading.values import UnknownValueError, mapping, sequence
from policies.route_rule import Published
from topology.model.door import ApiKeyAuth, Door, JwtAuth


def window(requests: Any, unit: str, *, once: bool) -> Window:
    """Return a limit as a gateway writes it.

    Raises:
        UnknownValueError: if it is not known how long the unit is.
    """
    if unit.lower() not in SECONDS:
        raise UnknownValueError(f"a limit of {requests} per {unit}", "of a length of time that is not known")
    return Window(requests=requests, seconds=SECONDS[unit.lower()], once=once)


def clients(published: Published) -> Iterator[Client]:
    """Yield whom the topology lets ask on one rule of a route."""
    t = published.stack.intent
    for door in published.declared.values():
        if isinstance(door.auth, ApiKeyAuth):
            header = owner_header(published)
            for name, consumer in t.consumers.items():
                if consumer.tier in door.auth.api_key:
                    yield Client(name=f"the consumer {name}", tier=t.tiers[consumer.tier], headers={header: name} if header else {})
        else:
            header = _tier_header(published, door)
            for tier in door.tiers:
                yield Client(name=f"clients of the tier {tier}", tier=t.tiers[tier], headers={header: tier} if header else {})


def windows_of(client: Client, published: Published, policy: Resource) -> Iterator[Window]:
    """Yield the limits of a BackendTrafficPolicy under which a client falls.

    A rule is counted for each match and host of each route by itself unless it is `shared` (Envoy Gateway, RateLimitRule).

    Raises:
        UnknownValueError: if one is not known.
    """
    for scope in ("local", "global"):
        for rule in map(mapping, policy.at("spec", "rateLimit", scope, "rules", default=[])):
            # A rule without selectors counts everybody.
            selectors = [mapping(each) for each in sequence(rule.get("clientSelectors"))] or [{}]
            if any(_holds(selector, client) for selector in selectors):
                limit = mapping(rule.get("limit"))
                once = scope == "global" and rule.get("shared") is True
                yield window(limit["requests"], str(limit["unit"]), once=once)


def windows_of_plugins(configs: Iterable[Mapping[str, Any]]) -> Iterator[Window]:
    """Yield the limits of configurations of Kong's `rate-limiting`."""
    for config in configs:
        for unit in SECONDS:
            if config.get(unit) is not None:
                yield window(config[unit], unit, once=config.get("policy", "local") == "redis")


def owner_header(published: Published) -> str:
    """Return the header in which Envoy Gateway names the holder of an API key, in small letters."""
    return str(_security(published).get("apiKeyAuth", {}).get("forwardClientIDHeader") or "").lower()


def _tier_header(published: Published, door: Door) -> str:
    """Return the header in which Envoy Gateway writes the tier of a token."""
    if not isinstance(door.auth, JwtAuth):
        return ""
    issuer = published.stack.intent.issuers[door.auth.jwt]
    for provider in map(mapping, sequence(mapping(_security(published).get("jwt")).get("providers"))):
        for told in map(mapping, sequence(provider.get("claimToHeaders"))):
            if provider.get("issuer") == issuer.issuer and told["claim"] == issuer.tier_claim:
                return str(told["header"]).lower()
    return ""


def _security(published: Published) -> Mapping[str, Any]:
    policy: Resource | None = None if published.is_kong else published.policy("SecurityPolicy")
    return policy.spec if policy else {}


def _holds(selector: Mapping[str, Any], client: Client) -> bool:
    """Say whether a selector holds for a client, whatever values are counted by themselves (`Distinct`)."""
    told = [mapping(each) for each in sequence(selector.get("headers"))]
    return all(each.get("type") == "Distinct" or _says(each, client.headers.get(str(each["name"]).lower())) for each in told)


def _says(header: Mapping[str, Any], value: str | None) -> bool:
    """Say whether a selector of Envoy Gateway holds for a value of a header (`Exact` by default)."""
    wanted = str(header.get("value") or "")
    if value is None or header.get("invert"):
        return False
    return re.fullmatch(wanted, value) is not None if header.get("type") == "RegularExpression" else wanted == value
