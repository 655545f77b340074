"""A firewall's policy: what its own rules refuse, as far as that narrows which requests pass.

https://learn.microsoft.com/azure/web-application-firewall/ag/custom-waf-rules-overview
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final

from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping, sequence

REGEX: Final = "Regex"
SPARED: Final = {("RequestHeaders", "host"): ("Lowercase",)}
"""What may be done to something before it is compared: the name of a host means the same in capitals (RFC 9110, 4.2.3)."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition of a rule."""

    variables: tuple[tuple[str, str], ...]
    """Names of what is looked at, with the selector: `("RequestHeaders", "host")`."""
    operator: str
    negated: bool
    values: tuple[str, ...]
    transforms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CustomRule:
    """One rule of the program's own."""

    name: str
    kind: str
    """MatchRule or RateLimitRule."""
    action: str
    priority: int
    enabled: bool
    conditions: tuple[Condition, ...]
    spec: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def refuses(self) -> bool:
        """Say whether it refuses every request that meets its conditions."""
        return self.enabled and self.kind == "MatchRule" and self.action == "Block"


def is_on(policy: Resource) -> bool:
    """Say whether a policy refuses what its rules find. Without settings it is enabled and only detects.

    Raises:
        UnknownValueError: if that is not known.
    """
    return (
        policy.at("policySettings", "state", default="Enabled") == "Enabled"
        and policy.at("policySettings", "mode", default="Detection") == "Prevention"
    )


def custom_rules(policy: Resource) -> list[CustomRule]:
    """Return the program's own rules, the first to decide first.

    Raises:
        UnknownValueError: if one cannot be read.
    """
    return sorted((_rule(mapping(spec)) for spec in policy.at("customRules", default=[])), key=lambda rule: rule.priority)


def _rule(spec: dict[str, Any]) -> CustomRule:
    return CustomRule(
        name=str(spec.get("name")),
        kind=str(spec["ruleType"]),
        action=str(spec["action"]),
        priority=int(spec["priority"]),
        enabled=str(spec.get("state") or "Enabled") == "Enabled",
        conditions=tuple(_condition(mapping(each)) for each in sequence(spec.get("matchConditions"))),
        spec=spec,
    )


def _condition(spec: dict[str, Any]) -> Condition:
    variables = [mapping(each) for each in sequence(spec.get("matchVariables"))]
    return Condition(
        variables=tuple((str(each["variableName"]), str(each.get("selector") or "").lower()) for each in variables),
        operator=str(spec["operator"]),
        negated=_negated(spec.get("negationConditon")),  # so it is spelled in Azure's API
        values=tuple(map(str, sequence(spec.get("matchValues")))),
        transforms=tuple(map(str, sequence(spec.get("transforms")))),
    )


def _negated(given: object) -> bool:
    if given is not None and not isinstance(given, bool):
        raise UnknownValueError("whether a condition is negated", f"{given!r}, which is neither true nor false")
    return given is True


def refusing(policy: Resource, variable: str, selector: str = "") -> Iterator[Condition]:
    """Yield the single conditions on one thing under which a policy refuses, with no earlier rule that lets requests pass.

    Raises:
        UnknownValueError: if a rule cannot be read.
    """
    for rule in _refusals(policy):
        if len(rule.conditions) == 1 and (variable, selector) in rule.conditions[0].variables:
            yield rule.conditions[0]


def _refusals(policy: Resource) -> Iterator[CustomRule]:
    """Yield the rules that refuse, as far as no earlier one lets requests pass."""
    for rule in custom_rules(policy):
        if rule.enabled and rule.action == "Allow":
            return
        if rule.refuses:
            yield rule


def _bounds(condition: Condition, variable: str, selector: str) -> bool:
    """Say whether a condition is met by everything but its values."""
    return (
        condition.operator == "Equal"
        and condition.negated
        and condition.transforms in ((), SPARED.get((variable, selector)))
        and condition.variables == ((variable, selector),)
    )


def only(policy: Resource, variable: str, selector: str = "") -> frozenset[str] | None:
    """Return the values that something must have, where all others are refused; None where nothing bounds it.

    Conditions of one rule hold together: a rule that refuses what is none of some values, and none of others, lets all of them pass. What
    is transformed before it is compared is not what is sent on, unless it means the same.

    Raises:
        UnknownValueError: if a rule cannot be read.
    """
    bounds = [
        frozenset(value for condition in rule.conditions for value in condition.values)
        for rule in _refusals(policy)
        if rule.conditions and all(_bounds(condition, variable, selector) for condition in rule.conditions)
    ]
    if not bounds or not is_on(policy):
        return None
    return reduce(lambda one, other: one & other, bounds)
