"""What the rules of a web ACL make of a request: statements, asked with samples.

https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statements.html
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from policies.reading.cloud.aws.acl_conditions import is_narrowed
from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError, mapping, sequence

INSPECTED: Final = 8192
"""Bytes of a body that a firewall at an application load balancer sees; nothing raises it.

https://docs.aws.amazon.com/waf/latest/developerguide/web-acl-setting-body-inspection-limit.html
"""

CORE: Final = "AWSManagedRulesCommonRuleSet"
HEADERS: Final = 200
"""Headers of a request that a firewall sees at most.

https://docs.aws.amazon.com/waf/latest/developerguide/waf-oversize-request-components.html
"""

LONG_BODY: Final = "SizeRestrictions_BODY"
"""The rule of the core rule set that refuses bodies of which it has not seen the end."""
LONG_BODY_LABEL: Final = "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
"""What it says to later rules where it is told to count.

https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
"""

TRANSFORMATIONS: Final[Mapping[str, Callable[[str], str]]] = {
    "NONE": lambda text: text,
    "LOWERCASE": str.lower,
    "URL_DECODE": lambda text: unquote(text, errors="replace"),
}
POSITIONS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "EXACTLY": operator.eq,
    "STARTS_WITH": str.startswith,
    "ENDS_WITH": str.endswith,
    "CONTAINS": operator.contains,
}
COMPARISONS: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "EQ": operator.eq,
    "NE": operator.ne,
    "LE": operator.le,
    "LT": operator.lt,
    "GE": operator.ge,
    "GT": operator.gt,
}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A request as the firewall sees it."""

    method: str = "GET"
    host: str = ""
    path: str = "/"
    """As it was sent: nothing is decoded."""
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    """Names with their values, in the order in which they come."""
    body: int = 0
    """Length in bytes."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a web ACL does with a sample."""

    rule: str
    """The rule that decided; empty where none did."""
    blocked: bool


def answer_of(acl: Resource, sample: Sample, *, whole: bool = False) -> Answer:
    """Return what the rules of a web ACL do with a request, in the order of their priorities; its default where none decides.

    `whole` leaves out rules that ask for several things at once: what they refuse in a sample, they may let pass in its like.
    A rule that cannot be followed is taken for one that does not match. Managed rules refuse nothing here but a body that is too long:
    samples are no attacks.
    """
    labels: set[str] = set()
    for rule in rules_of(acl):
        if whole and is_narrowed(mapping(rule.get("statement"))):
            continue
        try:
            decided = _decided(rule, sample, labels)
        except UnknownValueError:
            continue
        if decided is not None:
            return Answer(rule=str(rule["name"]), blocked=decided)
    return Answer(rule="", blocked=mapping(acl.at("defaultAction")).get("block") is not None)


def rules_of(acl: Resource) -> list[Mapping[str, Any]]:
    """Return the rules of a web ACL in the order in which they are asked.

    Raises:
        UnknownValueError: if they are not known, or written as text.
    """
    if acl.props.get("ruleJson") is not None:
        raise UnknownValueError(f"{acl}: ruleJson", "rules in another spelling, which is not read")
    return sorted(map(mapping, sequence(acl.at("rules", default=[]))), key=lambda rule: int(rule["priority"]))


def managed_of(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the managed rule group that a rule stands for; empty for another rule."""
    return mapping(mapping(rule.get("statement")).get("managedRuleGroupStatement"))


def overrides_of(group: Mapping[str, Any]) -> dict[str, str]:
    """Return the rules of a managed group that do something else than their makers say, and what."""
    return {
        str(each["name"]): next((key for key, value in mapping(each.get("actionToUse")).items() if value is not None), "")
        for each in map(mapping, sequence(group.get("ruleActionOverrides")))
    }


def action_of(rule: Mapping[str, Any]) -> str:
    """Return what a rule of one's own does: allow, block, count, captcha, challenge; empty where it says nothing."""
    return next((key for key, value in mapping(rule.get("action")).items() if value is not None), "")


def counts_only(rule: Mapping[str, Any]) -> bool:
    """Say whether a rule group is told to count instead of doing what its rules say."""
    return mapping(rule.get("overrideAction")).get("count") is not None


def _decided(rule: Mapping[str, Any], sample: Sample, labels: set[str]) -> bool | None:
    """Return whether a rule blocks (True) or lets pass (False) for good; None where later rules are asked."""
    if group := managed_of(rule):
        if group.get("name") == CORE and sample.body > INSPECTED and not group.get("scopeDownStatement"):
            labels.add(LONG_BODY_LABEL)
            return True if not counts_only(rule) and LONG_BODY not in overrides_of(group) else None
        return None
    if not matches(mapping(rule.get("statement")), sample, frozenset(labels)):
        return None
    labels.update(str(each["name"]) for each in map(mapping, sequence(rule.get("ruleLabels"))))
    return {"block": True, "allow": False}.get(action_of(rule))


def matches(statement: Mapping[str, Any], sample: Sample, labels: frozenset[str]) -> bool:
    """Say whether a statement matches a request.

    Raises:
        UnknownValueError: for a statement that is not followed.
    """
    given = {key: mapping(value) for key, value in statement.items() if value is not None}
    if len(given) != 1:
        raise UnknownValueError(str(sorted(given)), "no statement")
    ((kind, inner),) = given.items()
    match kind:
        case "andStatement":
            return all(matches(mapping(each), sample, labels) for each in sequence(inner.get("statements")))
        case "orStatement":
            return any(matches(mapping(each), sample, labels) for each in sequence(inner.get("statements")))
        case "notStatement":
            return not matches(_only(inner), sample, labels)
        case "labelMatchStatement":
            key = str(inner["key"])
            return any(label == key or (inner.get("scope") == "NAMESPACE" and label.startswith(key)) for label in labels)
        case "byteMatchStatement" | "regexMatchStatement" | "sizeConstraintStatement" if len(sample.headers) > HEADERS and (
            handling := _handling_of_headers(inner)
        ) in {"MATCH", "NO_MATCH"}:
            return handling == "MATCH"
        case "byteMatchStatement":
            fits = POSITIONS.get(str(inner["positionalConstraint"]))
            if fits is None:
                raise UnknownValueError(str(inner["positionalConstraint"]), "a position that is not followed")
            return any(fits(text, str(inner["searchString"])) for text in _texts(inner, sample))
        case "regexMatchStatement":
            return any(re.search(str(inner["regexString"]), text) is not None for text in _texts(inner, sample))
        case "sizeConstraintStatement":
            return _fits_size(inner, sample)
        case _:
            raise UnknownValueError(kind, "a statement that is not followed")


def _only(inner: Mapping[str, Any]) -> Mapping[str, Any]:
    found = inner.get("statement") or inner.get("statements")
    items = sequence(found) if isinstance(found, list) else [found]
    if len(items) != 1:
        raise UnknownValueError("notStatement", "no statement")
    return mapping(items[0])


def _texts(inner: Mapping[str, Any], sample: Sample) -> Iterator[str]:
    """Yield the parts of a request that a statement looks at, transformed; nothing where the request has no such part."""
    transformations = sorted(map(mapping, sequence(inner.get("textTransformations"))), key=lambda each: int(each["priority"]))
    for text in _parts(mapping(inner.get("fieldToMatch")), sample):
        changed = text
        for each in transformations:
            change = TRANSFORMATIONS.get(str(each["type"]))
            if change is None:
                raise UnknownValueError(str(each["type"]), "a transformation that is not followed")
            changed = change(changed)
        yield changed


def _parts(asked: Mapping[str, Any], sample: Sample) -> Iterator[str]:
    headers = (*sample.headers[:HEADERS], *((("host", sample.host),) if sample.host else ()))
    for kind, options in asked.items():
        match kind:
            case _ if options is None:
                continue
            case "uriPath":
                yield sample.path
            case "queryString":
                yield sample.query
            case "method":
                yield sample.method
            case "singleHeader":
                wanted = str(mapping(options)["name"]).lower()
                yield from (value for name, value in headers if name.lower() == wanted)
            case "headers":
                for option in map(mapping, sequence(options)):
                    yield from _of_headers(option, headers)
            case _:
                raise UnknownValueError(kind, "a part of requests that is not followed")


def _handling_of_headers(inner: Mapping[str, Any]) -> str:
    """Return what becomes of requests with more headers than are seen; empty for a statement that looks at something else."""
    asked = mapping(inner.get("fieldToMatch")).get("headers")
    return str(mapping(sequence(asked)[0]).get("oversizeHandling", "CONTINUE")) if asked else ""


def _of_headers(option: Mapping[str, Any], headers: tuple[tuple[str, str], ...]) -> Iterator[str]:
    pattern = mapping(option.get("matchPattern"))
    wanted = {str(each).lower() for each in sequence(pattern.get("includedHeaders"))}
    spared = {str(each).lower() for each in sequence(pattern.get("excludedHeaders"))}
    for name, value in headers:
        listed = name.lower() in wanted or (spared and name.lower() not in spared)
        if pattern.get("all") is not None or listed:
            yield from {"KEY": (name,), "VALUE": (value,), "ALL": (name, value)}[str(option.get("matchScope"))]


def _fits_size(inner: Mapping[str, Any], sample: Sample) -> bool:
    compares, size = COMPARISONS[str(inner["comparisonOperator"])], int(inner["size"])
    body = mapping(inner.get("fieldToMatch")).get("body")
    if body is None:
        return any(compares(len(text.encode()), size) for text in _texts(inner, sample))
    if sample.body <= INSPECTED:
        return compares(sample.body, size)
    handling = str(mapping(body).get("oversizeHandling", "CONTINUE"))
    if handling not in {"MATCH", "NO_MATCH"}:
        raise UnknownValueError(f"oversizeHandling {handling}", "a size of which it is not known how much is counted")
    return handling == "MATCH"
