"""Which request bodies ModSecurity takes apart before rules look at them, and what it does with those it cannot take apart."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from policies.reading.modsecurity import Directive

CONTENT_TYPES: Final = "tx.allowed_request_content_type"
"""The core rule set's list of types that requests may have; others are refused (920420)."""

DEFAULT_TYPES: Final = (
    *("application/x-www-form-urlencoded", "multipart/form-data", "multipart/related", "text/xml", "application/xml"),
    *("application/soap+xml", "application/json", "application/cloudevents+json", "application/cloudevents-batch+json"),
)
"""That list where nothing is said (rules/REQUEST-901-INITIALIZATION.conf, 4.x)."""

READ_ALONE: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "multipart/related"})
"""Types that ModSecurity takes apart without being told; of `multipart/related` rules see the whole."""

BINARY: Final = frozenset({"application/grpc", "application/grpc+proto"})
"""Types without text to look for: no processor of ModSecurity reads them, and services parse them by a schema."""

_PROCESSOR: Final[Mapping[str, re.Pattern[str]]] = {"JSON": re.compile(r"[/+]json$"), "XML": re.compile(r"[/+]xml$")}

ERRORS: Final[Mapping[str, str]] = {
    "reqbody_error": "that cannot be parsed",
    "multipart_strict_error": "of several parts that parsers read differently",
}
"""ModSecurity's own variables about a body it could not take apart, in small letters, and which bodies they tell of."""


def allowed_types(rules: Iterable[Directive]) -> tuple[str, ...]:
    """Return the content types that requests may have, in small letters."""
    allowed = DEFAULT_TYPES
    for rule in rules:
        for action in rule.actions:
            name, _, value = action.value.partition("=")
            if action.name == "setvar" and name.lower() == CONTENT_TYPES:
                allowed = tuple(each.strip("|").lower() for each in value.split())
    return allowed


def unread(rules: tuple[Directive, ...]) -> Iterator[str]:
    """Yield the allowed content types whose bodies are not taken apart: escapes in them hide an attack from every rule."""
    for kind in allowed_types(rules):
        wanted = next((name for name, pattern in _PROCESSOR.items() if pattern.search(kind)), None)
        if kind in READ_ALONE or kind in BINARY:
            continue
        if wanted is None or not any(_chooses(rule, wanted, kind) for rule in rules):
            yield kind


def refused_errors(rules: tuple[Directive, ...]) -> frozenset[str]:
    """Return those of `ERRORS` on which the request is refused."""
    return frozenset(
        rule.arguments[0].lower()
        for rule in rules
        if rule.key == "secrule"
        and rule.arguments[1] == "!@eq 0"
        and {"deny", "drop"} & {action.name for action in rule.actions}
        and any(action.name == "phase" and action.value in {"2", "request"} for action in rule.actions)
        and not any(action.name == "chain" for action in rule.actions)
    )


def processors(rule: Directive) -> Iterator[str]:
    """Yield the ways to take a body apart that a rule chooses."""
    for action in rule.actions:
        name, _, value = action.value.partition("=")
        if action.name == "ctl" and name.lower() == "requestbodyprocessor":
            yield value.strip()


def reads_types(rule: Directive) -> bool:
    """Say whether a rule looks at the content type and at nothing else."""
    return rule.key == "secrule" and rule.arguments[0].lower() == "request_headers:content-type" and rule.arguments[1].startswith("@rx ")


def _chooses(rule: Directive, processor: str, kind: str) -> bool:
    if processor not in processors(rule) or not reads_types(rule) or any(action.name == "chain" for action in rule.actions):
        return False
    try:
        return re.search(rule.arguments[1].removeprefix("@rx "), kind) is not None
    except re.error:
        return False
