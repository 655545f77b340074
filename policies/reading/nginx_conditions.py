"""What an nginx refuses by conditions: methods that it lets through, and requests that an `if` turns away."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from policies.reading.nginx import Directive, Location, Server
from policies.reading.nginx_variables import Variables, search
from policies.reading.values import UnknownValueError

_METHODS_NOT = re.compile(r"^\^\(?(?:\?:)?([A-Z|]+)\)?\$$")
_REFUSAL: Final = re.compile(r"^4\d\d$")


def methods_of(block: Directive) -> tuple[str, ...] | None:
    """Return the methods that a block lets through; None where it does not say."""
    for directive in block.all("limit_except"):
        if any(inner.name == "deny" and inner.args == ("all",) for inner in directive.block):
            return tuple(dict.fromkeys((*directive.args, *(("HEAD",) if "GET" in directive.args else ()))))
    for directive in block.all("if"):
        if not any(inner.name == "return" for inner in directive.block) or directive.args[:1] != ("$request_method",):
            continue
        match directive.args[1:]:
            case ("!~", expression) if found := _METHODS_NOT.match(expression):
                return tuple(found[1].split("|"))
            case ("!=", method):
                return (method,)
            case _:
                continue
    return None


def refuses(server: Server, blocks: Iterable[Directive], shown: Mapping[str, str]) -> bool:
    """Say whether some `if` of some blocks turns a request away; `shown` are variables of the request that a client chooses.

    A condition that cannot be read refuses nothing.
    """
    for block in blocks:
        at = Location(directive=block, modifier="", path="/", inherited=(server.main, server.http, server.directive))
        variables = Variables(server=server, location=at, shown=shown)
        for directive in block.all("if"):
            refusing = any(inner.name == "return" and _REFUSAL.match(inner.args[0]) for inner in directive.block)
            if refusing and _holds(directive.args, variables):
                return True
    return False


def _holds(condition: tuple[str, ...], variables: Variables) -> bool:
    try:
        left = variables.text(condition[0])
        right = variables.text(condition[2]) if len(condition) > 2 and "~" not in condition[1] else ""
        if left is None or right is None:
            return False
        match condition[1:]:
            case ():
                return left not in {"", "0"}
            case ("=", _):
                return left == right
            case ("!=", _):
                return left != right
            case (("~" | "~*" | "!~" | "!~*") as operator, expression):
                found = search(f"*{expression}" if operator.endswith("*") else expression, left) is not None
                return found is not operator.startswith("!")
            case _:
                return False
    except UnknownValueError:
        return False
