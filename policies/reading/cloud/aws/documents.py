"""Policy documents of AWS: who may do what to what, and on which conditions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from policies.reading.cloud.flaws import Flaw
from policies.reading.resource import Resource
from policies.reading.stack_file import AWS, held_to
from policies.reading.values import UnknownValueError, mapping, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack

T = TypeVar("T")

PROVIDER: Final = "pulumi:providers:aws"
EVERYBODY: Final = "*"
ACCOUNT: Final = 4
"""Part of an ARN that holds the account: `arn:aws:iam::123456789012:role/x`."""
WHERE: Final = 5
"""Part of an ARN that says which things of a service."""

ELEMENTS: Final = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"},
)
EXACTLY: Final = "name what is meant, one by one"
EXCEPTIONS: Final = ("NotPrincipal", "NotAction", "NotResource")
EXACT: Final = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})
"""Comparisons that a request without the key fails. Those of `...IfExists` and `ForAnyValue:...` are not among them."""
OF_AN_ACCOUNT: Final = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:principalaccount", "aws:principalarn", "kms:calleraccount"})
"""Keys of conditions that say for which account a request is made.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One statement of a document."""

    allows: bool
    principals: tuple[tuple[str, str], ...]
    """Kind and name: `("AWS", "*")`, `("Service", "eks.amazonaws.com")`."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Values by key, by comparison; all in small letters but the values."""
    exceptions: tuple[str, ...]
    """Elements that name everything but something."""

    def demands(self, key: str) -> tuple[str, ...]:
        """Return the values of which a request must have one under a key; none where it may have any, or no such key at all."""
        return next((keys[key.lower()] for how, keys in self.conditions.items() if how in EXACT and key.lower() in keys), ())

    def is_of(self, account: str, *more: str) -> bool:
        """Say whether the conditions leave requests of an account alone; `more` are keys besides that say so of who is let in."""
        found = [
            values
            for how, keys in self.conditions.items()
            if how in EXACT
            for key, values in keys.items()
            if (key in OF_AN_ACCOUNT or key in more) and values
        ]
        return any(all(account in {value, account_in(value)} for value in values) for values in found)


def sentences(resource: Resource, field: str) -> Iterator[Sentence]:
    """Yield the statements of the document in a field; none where the field is empty.

    Raises:
        UnknownValueError: if it is not known, is no JSON, or has an element that is not.
    """
    text = resource.at(field, default="")
    try:
        document: Any = json.loads(text, object_pairs_hook=once) if text else {}
    except (TypeError, ValueError) as error:
        raise UnknownValueError(f"{resource}: {field}", f"no JSON ({error})") from error
    said = document.get("Statement", [])
    several: list[Any] = [said] if isinstance(said, dict) else sequence(said)
    for each in several:
        yield _sentence(resource, field, mapping(each))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON in which no key stands twice: who reads it would choose which one counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands in it twice")
    return found


def _sentence(resource: Resource, field: str, given: Mapping[str, Any]) -> Sentence:
    if (strange := sorted(given.keys() - ELEMENTS)) or given.get("Effect") not in {"Allow", "Deny"}:
        raise UnknownValueError(f"{resource}: {field}", f"a statement that is not read ({', '.join(strange) or 'Effect'})")
    conditions = _lowered(resource, field, given.get("Condition"), lambda keys: _lowered(resource, field, keys, _listed))
    return Sentence(
        allows=given["Effect"] == "Allow",
        principals=tuple(_principals(given.get("Principal"))),
        actions=_listed(given.get("Action")),
        resources=_listed(given.get("Resource")),
        conditions=conditions,
        exceptions=tuple(key for key in EXCEPTIONS if key in given),
    )


def _lowered(resource: Resource, field: str, given: Any, read: Callable[[Any], T]) -> dict[str, T]:
    """Return a mapping with its keys in small letters, as AWS compares them; none may stand there twice."""
    found = {key.lower(): read(value) for key, value in mapping(given).items()}
    if len(found) < len(mapping(given)):
        raise UnknownValueError(f"{resource}: {field}", "a condition that is not read (one key in two spellings)")
    return found


def _principals(given: Any) -> Iterator[tuple[str, str]]:
    if given == EVERYBODY:
        yield ("AWS", EVERYBODY)
        return
    for kind, names in mapping(given).items():
        yield from ((kind, name) for name in _listed(names))


def _listed(given: Any) -> tuple[str, ...]:
    return tuple(map(str, sequence(given) if isinstance(given, list) else () if given is None else (given,)))


def part(arn: str, number: int) -> str:
    """Return a part of an ARN; nothing for another text."""
    parts = arn.split(":", WHERE)
    return parts[number] if arn.startswith("arn:") and len(parts) > number else ""


def account_in(arn: str) -> str:
    """Return the account of an ARN; nothing where it has none."""
    return part(arn, ACCOUNT)


def account_of(stack: "Stack") -> str:
    """Return the account that the program makes everything in.

    Raises:
        UnknownValueError: if its providers name none, several, or another than the stack file does.
    """
    named = {str(each) for provider in stack.of(PROVIDER) for each in _read(provider.at("allowedAccountIds", default=[]))}
    if len(named) != 1:
        raise UnknownValueError("the account of the program", f"not to be told: its provider names {len(named)} (allowedAccountIds)")
    return held_to(stack, AWS, "accountId", named.pop())


def region_of(stack: "Stack") -> str:
    """Return the region that the program makes everything in.

    Raises:
        UnknownValueError: if its providers name none, several, or another than the stack file does.
    """
    named = {str(provider.at("region", default="")) for provider in stack.of(PROVIDER)} - {""}
    if len(named) != 1:
        raise UnknownValueError("the region of the program", f"not to be told: its providers name {len(named)} (region)")
    return held_to(stack, AWS, "region", named.pop())


def is_in(name: str, account: str) -> bool:
    """Say whether a principal is an account, or of it."""
    return account in {name, account_in(name)}


def allowing(resource: Resource, field: str) -> Iterator[Sentence]:
    """Yield the statements of a document that allow.

    Raises:
        UnknownValueError: as `sentences`.
    """
    return (each for each in sentences(resource, field) if each.allows)


def but(each: Sentence, message: str) -> Iterator[Flaw]:
    """Tell of a statement that names everything but something."""
    if each.exceptions:
        yield Flaw(message=f"{message} ({', '.join(each.exceptions)})", fix=EXACTLY)


def _read(given: Any) -> list[Any]:
    """Return a list of a provider's configuration, which the engine passes on as JSON."""
    return sequence(json.loads(given) if isinstance(given, str) else given)
