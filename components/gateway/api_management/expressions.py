"""Policy expressions of API Management, which are C#; what comes from a topology stands in them as a literal.

Members of `context` and the types used (String, StringComparison, Int64, Enumerable, Jwt) are among those that Learn allows
(`api-management-policy-expressions`), and in the types of github.com/Azure/azure-api-management-policy-toolkit.
"""

import json
from collections.abc import Iterable
from typing import Final

JWT: Final = "jwt"
"""The variable that holds the verified token."""
SUBJECT: Final = f'((Jwt)context.Variables["{JWT}"]).Subject'
HOST_HEADER: Final = "Host"
MARKS: Final = ("@(", "@{", "{{")
"""What begins an expression or a named value in a policy: a header value that holds one would be read as such."""


def literal(text: str) -> str:
    """Return text as a C# string: of visible ASCII, for which JSON's escapes are C#'s."""
    return json.dumps(text)


def header(name: str, default: str = "") -> str:
    """Return the expression for a request header."""
    return f"context.Request.Headers.GetValueOrDefault({literal(name)}, {literal(default)})"


def first_of(name: str) -> str:
    """Return the expression for the first value of a request header that lists several."""
    return f"{header(name)}.Split(',')[0]"


def every_of(values: Iterable[str]) -> str:
    """Return the expression for an array of strings."""
    return f"new[] {{ {', '.join(literal(value) for value in values)} }}"


def with_key(prefix: str, expression: str) -> str:
    """Return the value of a key that begins with known text."""
    return f"@({literal(prefix)} + {expression})"
