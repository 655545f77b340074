"""Conditions of a web ACL's own rules by which some requests are left out.

https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statements-list.html
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from policies.reading.values import mapping, sequence

SEVERAL: Final[Mapping[str, bool]] = {"andStatement": True, "orStatement": False}
"""Statements that hold others; whether all of them must match."""
NOT: Final = "notStatement"

ROUTED: Final = frozenset({"uriPath", "method"})
"""Parts of a request by which layers decide where it goes: a client who changes them asks for something else."""
HEADER: Final = "singleHeader"
HOST: Final = "host"


def chosen(statement: Mapping[str, Any], *, negated: bool = False) -> Iterator[str]:
    """Yield what a client may write into any request so that a statement no longer matches it."""
    for kind, value in statement.items():
        if value is None:
            continue
        if kind == NOT or kind in SEVERAL:
            for each in _inside(mapping(value)):
                yield from chosen(each, negated=negated != (kind == NOT))
        elif negated:
            yield from _free(kind, mapping(value))


def is_narrowed(statement: Mapping[str, Any], *, negated: bool = False) -> bool:
    """Say whether a statement asks for several things at once, so that it matches fewer requests than each of them.

    To be none of some hosts and none of others is one thing: a list of hosts in parts, as AWS takes 512 characters of an expression.
    """
    for kind, value in statement.items():
        if value is None or (kind != NOT and kind not in SEVERAL):
            continue
        inside = _inside(mapping(value))
        if kind in SEVERAL and len(inside) > 1 and SEVERAL[kind] != negated:
            return not (negated and all(map(_names_a_host, inside)))
        if any(is_narrowed(each, negated=negated != (kind == NOT)) for each in inside):
            return True
    return False


def _inside(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = value.get("statements") or value.get("statement")
    return [mapping(each) for each in (sequence(found) if isinstance(found, list) else (found,))]


def _names_a_host(statement: Mapping[str, Any]) -> bool:
    return [_asked(mapping(value)) for value in statement.values() if value is not None] == [{HEADER: HOST}]


def _asked(inner: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts of a request that a statement looks at; of a single header, with its name."""
    asked = {part: options for part, options in mapping(inner.get("fieldToMatch")).items() if options is not None}
    return {part: str(mapping(options).get("name", "")).lower() if part == HEADER else "" for part, options in asked.items()}


def _free(kind: str, inner: Mapping[str, Any]) -> Iterator[str]:
    asked = _asked(inner)
    if not asked:
        yield kind
    for part, name in asked.items():
        if part not in ROUTED and name != HOST:
            yield f"the header {name}" if name else part
