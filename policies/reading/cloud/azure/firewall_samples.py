"""What a firewall's own rules make of the requests that doors take.

https://learn.microsoft.com/azure/web-application-firewall/ag/custom-waf-rules-overview
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from policies.reading.cloud.azure import firewall
from policies.reading.cloud.azure.application_gateway import KIND, Gateway, Routed
from policies.reading.cloud.flaws import Flaw, Reader
from policies.reading.door_samples import Asked, asked
from policies.reading.patterns import ByFirst, exact
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError

if TYPE_CHECKING:
    from policies.reading.stack import Stack

CLIENT: Final = "203.0.113.7"
"""An address of a client (RFC 5737)."""

TEXTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "Equal": operator.eq,
    "Contains": lambda text, value: value in text,
    "BeginsWith": str.startswith,
    "EndsWith": str.endswith,
    "Regex": lambda text, value: re.search(value, text) is not None,
    "IPMatch": lambda text, value: ip_address(text) in ip_network(value, strict=False),
}
NUMBERS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "LessThan": operator.lt,
    "LessThanOrEqual": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqual": operator.ge,
}
TRANSFORMS: Final[Mapping[str, Callable[[str], str]]] = {"Lowercase": str.lower, "Uppercase": str.upper, "Trim": str.strip}
"""Those that change what is ordinary; the others take apart what samples do not have."""


def lets_doors_through(resource: Resource, stack: "Stack") -> Iterator[Flaw]:
    """W11: no rule of the firewall refuses what a door takes, preflights among it."""
    gateway = Gateway(resource=resource)
    told: set[tuple[str, str]] = set()
    taking = _taking(gateway)
    for request in asked(stack):
        routed = taking(request)
        policy = gateway.firewall(stack, routed) if routed else None
        rule = _refusing(policy, request) if policy else ""
        if policy and rule and (str(policy), rule) not in told:
            told.add((str(policy), rule))
            yield Flaw(message=f"refuses {request}, which a door takes (rule {rule})", fix="narrow the rule", resource=policy)


def longest_body_at(policy: Resource, stack: "Stack") -> int:
    """Return the size of the longest body that doors take where a policy stands, in bytes; 0 where they take none there."""
    found = 0
    for resource in stack.of(KIND):
        gateway = Gateway(resource=resource)
        taking = _taking(gateway)
        for request in asked(stack):
            if request.most > found and (routed := taking(request)) and gateway.firewall(stack, routed) is policy:
                found = request.most
    return found


def _taking(gateway: Gateway) -> Callable[[Asked], Routed | None]:
    """Return a function from a request to the first rule that takes it and sends it on."""
    routes = ByFirst((routed.patterns, routed) for routed in gateway.routes if not routed.redirect)

    def taking(request: Asked) -> Routed | None:
        path = exact(request.path)
        for routed in routes.about(path):
            if request.host in routed.listener.hosts and any(path.within(pattern) for pattern in routed.patterns):
                return routed if routed.pool and gateway.targets(routed.pool) else None
        return None

    return taking


def _refusing(policy: Resource, request: Asked) -> str:
    """Return the name of the rule that refuses a request; empty where none does, or none that can be followed."""
    for rule in firewall.custom_rules(policy):
        met = [_met(condition, request) for condition in rule.conditions]
        if rule.enabled and rule.action == "Allow" and all(met):
            return ""
        if rule.refuses and met and all(met):
            return rule.name
    return ""


def _met(condition: firewall.Condition, request: Asked) -> bool | None:
    """Say whether a request meets a condition: one of its variables has one of its values; None where that cannot be followed."""
    try:
        met = any(_matches(condition, value) for variable in condition.variables for value in _values(variable, request))
    except (UnknownValueError, ValueError, re.error):
        return None
    return met is not condition.negated


def _values(variable: tuple[str, str], request: Asked) -> Iterator[str]:
    """Yield what a request has of a variable: nothing where it has none."""
    match variable:
        case ("RequestMethod", _):
            yield request.method
        case ("RequestUri", _):
            yield request.path
        case ("RemoteAddr", _):
            yield CLIENT
        case ("RequestHeaders", "host"):
            yield request.host
        case ("RequestHeaders", "content-length"):
            yield from (str(request.body) for _ in range(bool(request.body)))
        case (name, selector):
            if not (name == "RequestHeaders" and selector) and name not in {"QueryString", "RequestCookies", "PostArgs", "RequestBody"}:
                raise UnknownValueError(name, "a part of requests that is not followed")


def _matches(condition: firewall.Condition, value: str) -> bool:
    for transform in condition.transforms:
        value = TRANSFORMS.get(transform, str)(value)
    if condition.operator == "Any":
        return True
    if compare := NUMBERS.get(condition.operator):
        return any(compare(int(value), int(each)) for each in condition.values)
    if (holds := TEXTS.get(condition.operator)) is None:
        raise UnknownValueError(condition.operator, "a comparison that is not followed")
    return any(holds(value, each) for each in condition.values)


READERS: Final = (Reader(rule="W11", kinds=(KIND,), look=lets_doors_through),)
