"""What documents of AWS let somebody do: whether one allows it, and none may deny it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from policies.reading.cloud.aws.documents import EVERYBODY, WHERE, Sentence, sentences
from policies.reading.resource import Resource

ASKING: Final = frozenset({"AWS", "Service"})
"""Kinds of principals that services are among: of the former, as everybody is."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody will ask AWS for."""

    action: str
    thing: str = ""
    """An ARN, or with `*` at its end all those that begin so; empty: the one thing that the document is about."""
    service: str = ""
    """Who asks; empty: whoever has the rights of the document."""
    facts: Mapping[str, str] = field(default_factory=dict[str, str])
    """What AWS will find under the keys of conditions, in small letters. Nothing is known of any other key."""


OVER_TLS: Final = {"aws:securetransport": "true"}
"""True of whatever a service of AWS asks another for."""


def _fits(pattern: str, text: str) -> bool:
    """Say whether a text fits a pattern of IAM, in which `*` is any text and `?` any character."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text) is not None


def _fits_arn(pattern: str, arn: str) -> bool:
    """Say whether an ARN fits a pattern part by part, as the operators for ARNs compare them."""
    wanted, given = pattern.split(":", WHERE), arn.split(":", WHERE)
    return len(wanted) == len(given) and all(map(_fits, wanted, given))


COMPARED: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "stringequals": operator.eq,
    "stringequalsignorecase": lambda wanted, given: wanted.lower() == given.lower(),
    "stringlike": _fits,
    "arnequals": _fits_arn,
    "arnlike": _fits_arn,
    "bool": lambda wanted, given: wanted.lower() == given,
}
"""Comparisons that are read, of what a document says with what is the case.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""


def _covers(pattern: str, thing: str) -> bool:
    """Say whether a pattern fits a thing; where that ends with `*`, everything that begins so."""
    return pattern.endswith("*") and _fits(pattern, thing[:-1]) if thing.endswith("*") else _fits(pattern, thing)


def _touches(pattern: str, thing: str) -> bool:
    """Say whether a pattern may fit a thing, or one of those that begin so: what stands before its first wildcard or variable decides."""
    begins, ends = re.split(r"[*?$]", pattern)[0], thing.removesuffix("*")
    if ends == thing:
        return _fits(pattern, thing) or ("$" in pattern and thing.startswith(begins))
    return begins.startswith(ends) or (begins != pattern and ends.startswith(begins))


def lets(resources: Iterable[Resource], field: str, asked: Request) -> bool:
    """Say whether documents let somebody do something: one allows it, and none may deny it. A condition that is not read allows nothing.

    Raises:
        UnknownValueError: as `sentences`.
    """
    said = [each for resource in resources for each in sentences(resource, field)]
    return any(_permits(each, asked) for each in said) and not any(_may_deny(each, asked) for each in said)


def _permits(each: Sentence, asked: Request) -> bool:
    """Say whether a statement allows all of what is asked, whatever else is true of it."""
    things = not asked.thing or any(_covers(pattern, asked.thing) for pattern in each.resources)
    return each.allows and not each.exceptions and _speaks_of(each, asked) and things and _holds(each, asked) is True


def _may_deny(each: Sentence, asked: Request) -> bool:
    """Say whether a statement may deny a part of what is asked: what is not known of it counts."""
    if each.allows or _holds(each, asked) is False:
        return False
    things = not asked.thing or any(_touches(pattern, asked.thing) for pattern in each.resources)
    return bool(each.exceptions) or (_speaks_of(each, asked) and things)


def _speaks_of(each: Sentence, asked: Request) -> bool:
    by = not asked.service or any(kind in ASKING and name in {EVERYBODY, asked.service} for kind, name in each.principals)
    return by and any(_fits(pattern.lower(), asked.action.lower()) for pattern in each.actions)


def _holds(each: Sentence, asked: Request) -> bool | None:
    """Say whether the conditions hold for what is asked; None where that is not known."""
    said = [
        _any(_compared(how, value, asked.facts[key]) for value in values) if how in COMPARED and key in asked.facts else None
        for how, keys in each.conditions.items()
        for key, values in keys.items()
    ]
    return False if False in said else None if None in said else True


def _compared(how: str, wanted: str, fact: str) -> bool | None:
    """Compare what a document says with what is the case; None where a variable decides, or which of those that begin so it is."""
    if "$" in wanted:
        return None
    return COMPARED[how](wanted, fact) or (None if fact.endswith("*") and _touches(wanted, fact) else False)


def _any(found: Iterable[bool | None]) -> bool | None:
    said = set(found)
    return True if True in said else None if None in said else False
