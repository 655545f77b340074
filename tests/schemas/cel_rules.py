"""The rules `x-kubernetes-validations` in CEL, evaluated as the API server does (Kubernetes documentation: Common Expression Language in Kubernetes)."""

import functools
import ipaddress
import urllib.parse
from collections.abc import Iterator
from typing import Any

import cel

Json = dict[str, Any]

# Names of fields that are words of the language are written with underscores around them in a rule.
_RESERVED = frozenset(
    [
        "true",
        "false",
        "null",
        "in",
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_url(text: str) -> bool:
    try:
        parsed = urllib.parse.urlsplit(text)
    except ValueError:
        return False
    return bool(parsed.scheme and (parsed.netloc or parsed.path.startswith("/")) and " " not in text) or text.startswith("/")


# Kubernetes' own functions as far as the definitions use them. A rule with another one cannot be evaluated and raises, so that a refresh which brings one is noticed.
_FUNCTIONS = {
    "isIP": _is_ip,
    "isURL": _is_url,
    "url": lambda text: text,
    "getScheme": lambda text: urllib.parse.urlsplit(text).scheme,
    "lowerAscii": str.lower,
    "upperAscii": str.upper,
    "split": lambda text, separator: text.split(separator),
    "substring": lambda text, start, end=None: text[start:end],
}


@functools.cache
def _compiled(rule: str) -> cel.Program:
    return cel.compile(rule)


def _escaped(name: str) -> str:
    if name in _RESERVED:
        return f"__{name}__"
    for character, written in _ESCAPES:
        name = name.replace(character, written)
    return name


def _as_seen(value: Any, schema: Json) -> Any:
    """The value as a rule sees it: the fields of an object by their escaped names, the keys of a map as they are."""
    if isinstance(value, dict):
        fields, others = schema.get("properties", {}), schema.get("additionalProperties")
        entries = others if isinstance(others, dict) else {}
        return {_escaped(key) if key in fields else key: _as_seen(item, fields.get(key, entries)) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_seen(item, schema.get("items", {})) for item in value]
    return value


def broken_rules(rules: list[dict[str, str]], value: Any, schema: Json) -> Iterator[str]:
    """The message of each rule that a value does not satisfy. Rules about a change (`oldSelf`) say nothing of a new object."""
    seen = None
    for rule in rules:
        if "oldSelf" in rule["rule"]:
            continue
        if seen is None:
            seen = cel.Context()
            seen.add_variable("self", _as_seen(value, schema))
            for name, function in _FUNCTIONS.items():
                seen.add_function(name, function)
        said = rule.get("message") or f"failed rule: {rule['rule']}"
        try:
            kept = _compiled(rule["rule"]).execute(seen)
        except (KeyError, TypeError, ValueError) as failure:
            yield f"{said} (the rule could not be evaluated: {failure})"
            continue
        if kept is not True:
            yield said
