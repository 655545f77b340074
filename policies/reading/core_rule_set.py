"""What the OWASP core rule set refuses by its own settings: methods, types of content, and everything where it was not set up.

rules/REQUEST-901-INITIALIZATION.conf and REQUEST-911-METHOD-ENFORCEMENT.conf, 4.x
"""

from collections.abc import Iterable, Iterator
from typing import Final

from policies.reading.modsecurity import CORE_RULE_SET_SETUP, Directive
from policies.reading.waf_bodies import allowed_types

METHODS: Final = "tx.allowed_methods"
DEFAULT_METHODS: Final = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
"""Methods that pass where nothing is said (901160); others are refused (911100)."""

SET_UP: Final = "tx.crs_setup_version"
"""Without it every request is answered with 500 (901001)."""

GRPC: Final = "application/grpc"


def refusal(rules: tuple[Directive, ...], method: str, *, grpc: bool) -> str:
    """Return why the core rule set refuses every request of a method; empty where it does not, or where that cannot be told."""
    if any(rule.key == "include" and CORE_RULE_SET_SETUP.match("".join(rule.arguments[:1])) for rule in rules):
        return ""  # a file of the image sets it up, which the plan does not show
    if not any(_values(rules, SET_UP)):
        return f"nothing says {SET_UP}, without which the core rule set refuses every request"
    allowed = frozenset([*_values(rules, METHODS)][-1].split()) if any(_values(rules, METHODS)) else DEFAULT_METHODS
    if method not in allowed:
        return f"the core rule set lets {', '.join(sorted(allowed))} pass, and not {method} ({METHODS})"
    if grpc and GRPC not in allowed_types(rules):
        return f"the core rule set does not let {GRPC} pass (tx.allowed_request_content_type)"
    return ""


def _values(rules: Iterable[Directive], setting: str) -> Iterator[str]:
    """Yield what rules set a variable to, in their order."""
    for rule in rules:
        for action in rule.actions:
            name, _, value = action.value.partition("=")
            if action.name == "setvar" and name.lower() == setting:
                yield value
