"""The path grammar of a topology, one spelling for all layers.

| pattern | matches |
| --- | --- |
| `/a/b` | exactly `/a/b` |
| `/a/*` | every path that begins with `/a/` |
| `/a/{*}/b` | `/a/`, one non-empty segment, `/b` |

It is the part of Istio's AuthorizationPolicy path grammar that every gateway can say too
(https://istio.io/latest/docs/reference/config/security/authorization-policy/#Operation).
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

ANY_SEGMENT: Final = "{*}"
ANY_REST: Final = "*"

_LITERAL: Final = r"(?!:)[A-Za-z0-9._~!$&'()+,;=:@-]+"

PARAMETER: Final = re.compile(r":[^/]*|\{[^/{}*]+\}|<[^/<>]+>|\[[^/\[\]]+\]")
"""A segment as routers of web frameworks write one that may be anything: `:id` (Express, Rails), `{id}` (OpenAPI, Spring), `<id>` (Flask,
Django), `[id]` (Next.js). Express: https://expressjs.com/en/guide/routing.html#route-parameters"""
_PATTERN: Final = rf"^(/(?!\.\.?(/|$))({_LITERAL}|\{{\*\}}))*(/\*?)?$"


def _flaw(pattern: str) -> str:
    """Return what keeps a text from being a path pattern, or nothing."""
    if not pattern.startswith("/"):
        return "must begin with '/'"
    *inner, last = pattern[1:].split("/")
    for segment in (*inner, *({last} - {"", ANY_REST})):
        if segment == "":
            return "has an empty segment, and '//' becomes '/' before any layer matches"
        if segment in {".", ".."}:
            return f"has the segment '{segment}', which is resolved before any layer matches"
        if "%" in segment:
            return "has a '%', and escapes are decoded before any layer matches: write the character itself"
        if segment.startswith(":"):
            return f"has the segment '{segment}', by which routers mean any segment, and which here would be those letters alone"
        if segment != ANY_SEGMENT and not re.fullmatch(_LITERAL, segment):
            special = "*" in segment or "{" in segment or "}" in segment
            rule = (
                "'*' stands alone and last, '{*}' stands alone for one segment" if special else "use letters, digits and ._~!$&'()+,;=:@-"
            )
            return f"has the segment '{segment}', which is no pattern: {rule}"
    return ""


def _check(pattern: str) -> str:
    if flaw := _flaw(pattern):
        raise PydanticCustomError("path", "{flaw}", {"flaw": flaw})
    return pattern


PathPattern = Annotated[
    str,
    Field(strict=True),
    AfterValidator(_check),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": _PATTERN,
            "description": "A path, in which `*` may stand last for the rest and `{*}` for one segment.",
            "examples": ["/v1/orders", "/v1/orders/*", "/v1/orders/{*}/items"],
        }
    ),
]
"""A path pattern in the grammar above."""


def is_prefix(pattern: str) -> bool:
    """Say whether the pattern matches every path below it (`/a/*`)."""
    return pattern.endswith("/*")


def stem(pattern: str) -> str:
    """Return the pattern without its trailing `*`: `/a/*` becomes `/a/`."""
    return pattern.removesuffix("*") if is_prefix(pattern) else pattern


def is_template(pattern: str) -> bool:
    """Say whether the pattern holds a `{*}` segment."""
    return ANY_SEGMENT in pattern


def is_exact(pattern: str) -> bool:
    """Say whether the pattern matches one path only."""
    return not is_prefix(pattern) and not is_template(pattern)


def regex(pattern: str) -> str:
    """Return an RE2 expression, not anchored, that matches the same paths as the pattern."""
    text = re.escape(stem(pattern)).replace(re.escape(ANY_SEGMENT), "[^/]+")
    return f"{text}.*" if is_prefix(pattern) else text


def overlap(one: str, other: str) -> bool:
    """Say whether some path matches both patterns."""
    left, right = one[1:].split("/"), other[1:].split("/")
    for a, b in zip(left, right, strict=False):
        if ANY_REST in {a, b}:
            return True
        if a != b and (ANY_SEGMENT not in {a, b} or "" in {a, b}):
            return False
    return len(left) == len(right)


def covers(wide: str, narrow: str) -> bool:
    """Say whether every path that matches `narrow` matches `wide` too."""
    left, right = wide[1:].split("/"), narrow[1:].split("/")
    for a, b in zip(left, right, strict=False):
        if a == ANY_REST:
            return True
        if a != b and (a != ANY_SEGMENT or b in {ANY_REST, ""}):
            return False
    return len(left) == len(right)


def specificity(pattern: str) -> tuple[int, ...]:
    """Return a sort key: of two patterns of which one covers the other, the narrower has the greater key."""
    ranks = {ANY_REST: 0, ANY_SEGMENT: 1}
    return tuple(ranks.get(segment, 2) for segment in pattern[1:].split("/"))


def rewrite(pattern: str, prefix: str, replacement: str) -> str:
    """Return the pattern as the service sees it after `prefix` was replaced; `prefix` must begin the pattern."""
    return replacement + pattern.removeprefix(prefix)
