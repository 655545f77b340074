"""What the policies of one operation do to a request, as far as it bears on the boundary."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from policies.reading.cloud.azure import expressions
from policies.reading.cloud.azure.apis import Operation
from policies.reading.cloud.azure.policy import Element, effective
from policies.reading.values import UnknownValueError

LIMITS: Final = frozenset({"rate-limit-by-key", "quota-by-key", "rate-limit", "quota"})
HARMLESS: Final = frozenset({"trace", "emit-metric"})
"""Policies that neither let in, nor send, nor change anything. What they write down, A14 asks."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """One change of a request's header."""

    name: str
    action: str
    """override, skip, append, delete."""
    values: tuple[str, ...]
    element: Element


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit of how often somebody asks."""

    element: Element
    tier: str = ""
    """The tier whose clients alone it counts; empty for everybody."""
    claim: str = ""
    """The claim that says the tier; empty where the key's product does."""


@dataclass(kw_only=True)
class Facts:
    """What holds for the requests of one operation."""

    operation: Operation
    hosts: frozenset[str] | None = None
    """Hosts that it answers for; None for all."""
    tokens: list[Element] = field(default_factory=list[Element])
    keyed: bool = False
    """Its policy asks for a key, whatever the API does."""
    products: frozenset[str] | None = None
    """Products whose keys it takes; None for all of the API's."""
    body: int | None = None
    """Most bytes of a body; None without a limit."""
    sized: bool = False
    """A body has to say its length."""
    not_in_query: set[str] = field(default_factory=set[str])
    """Parameters with which it refuses a request."""
    headers: list[Header] = field(default_factory=list[Header])
    limits: list[Limit] = field(default_factory=list[Limit])
    uncounted: bool = False
    """Whoever is of none of the tiers that it counts by themselves passes uncounted."""
    cache: Element | None = None
    after_cache: list[Element] = field(default_factory=list[Element])
    """What it asks only of requests for which no answer is kept."""
    backend: str = ""
    url: str = ""
    """Where it sends requests by address, instead of a backend."""
    certificate: str = ""
    answered: Element | None = None
    """It answers by itself, whatever is asked."""
    forward: Element | None = None
    """How it sends requests on; None: it does not."""
    again: Element | None = None
    """When it sends a request once more."""
    unread: list[str] = field(default_factory=list[str])
    """Conditions that refuse some requests and are not understood."""

    @property
    def removed(self) -> frozenset[str]:
        """Return the headers of which nothing that the client sent goes on: the last word on each counts."""
        final = {each.name: each for each in self.headers}
        gone = {name for name, each in final.items() if each.action in {"delete", "override"}}
        return frozenset(gone | {each.name for each in self.headers if each.action == "delete"} - self._kept(final))

    @staticmethod
    def _kept(final: dict[str, Header]) -> set[str]:
        return {name for name, each in final.items() if each.action in {"append", "skip"}}

    @property
    def written(self) -> tuple[Header, ...]:
        """Return the changes that give a header a value."""
        return tuple(each for each in self.headers if each.action != "delete")


def facts_of(operation: Operation) -> Facts:
    """Return what an operation's policies do.

    Raises:
        UnknownValueError: if one of them does something that is not followed.
    """
    facts = Facts(operation=operation)
    for element in effective("inbound", operation.documents):
        _inbound(facts, element)
    for element in effective("backend", operation.documents):
        _backend(facts, element)
    for section in ("outbound", "on-error"):
        _answers(effective(section, operation.documents))
    return facts


def _inbound(facts: Facts, element: Element) -> None:
    if facts.cache is not None and element.name in {"choose", "validate-jwt", *LIMITS}:
        facts.after_cache.append(element)
    match element.name:
        case "choose":
            _choose(facts, element)
        case "return-response" | "mock-response":
            facts.answered = facts.answered or element
        case "validate-jwt":
            facts.tokens.append(element)
        case "set-header":
            facts.headers.append(header(element))
        case "set-backend-service":
            facts.backend, facts.url = element.get("backend-id"), element.get("base-url")
        case "authentication-certificate":
            facts.certificate = element.get("certificate-id")
        case "cache-lookup":
            facts.cache = element
        case name if name in LIMITS:
            facts.limits.append(Limit(element=element))
        case name if name in HARMLESS or name == "cors":  # of which A15 asks what it says
            pass
        case _:
            raise UnknownValueError(str(element), "a policy that is not followed")


def header(element: Element) -> Header:
    """Return a change of a header."""
    action = element.get("exists-action", "override")
    name = element.get("name").lower()
    if expressions.is_dynamic(name):
        raise UnknownValueError(str(element), "a header whose name is computed")
    return Header(name=name, action=action, values=element.values("value"), element=element)


def _choose(facts: Facts, element: Element) -> None:
    """Read conditions that refuse, and limits by tier. Whatever else stands in a condition is not followed."""
    for branch in element.children:
        inner = {child.name for child in branch.children}
        if not inner:
            continue  # a condition under which nothing happens
        if inner == {"return-response"} and branch.name == "when":
            _refusal(facts, branch)
        elif inner <= LIMITS and branch.name == "when" and (match := expressions.OF_TIER.fullmatch(branch.get("condition"))):
            facts.limits += [Limit(element=each, tier=match[3], claim=match[2] or "") for each in branch.children]
            facts.uncounted = facts.uncounted or not any(child.name == "otherwise" and child.children for child in element.children)
        elif branch.name != "otherwise" or not inner <= {"return-response"}:
            raise UnknownValueError(
                f"{element}: {branch.get('condition') or branch.name}", "a condition that does more than refuse or count"
            )


def _refusal(facts: Facts, branch: Element) -> None:
    condition = branch.get("condition")
    if match := expressions.OTHER_HOST.fullmatch(condition):
        named = frozenset({match[1].lower()})
        facts.hosts = named if facts.hosts is None else facts.hosts & named
    elif match := expressions.TOO_LONG.fullmatch(condition):
        facts.body = int(match[1]) if facts.body is None else min(facts.body, int(match[1]))
    elif expressions.CHUNKED.fullmatch(condition):
        facts.sized = True
    elif match := expressions.NO_KEY.fullmatch(condition):
        facts.keyed = True
        facts.products = expressions.listed(match) if facts.products is None else facts.products & expressions.listed(match)
    elif match := expressions.KEY_IN_QUERY.fullmatch(condition):
        facts.not_in_query.add(match[1].lower())
    elif not expressions.NO_SUBJECT.fullmatch(condition):
        facts.unread.append(condition or "no condition")


def _backend(facts: Facts, element: Element) -> None:
    match element.name:
        case "forward-request":
            if facts.forward is not None:
                raise UnknownValueError(str(element), "a policy that sends every request on twice")
            facts.forward = element
        case "retry":
            facts.again = element
            for child in element.children:
                _backend(facts, child)
        case name if name in HARMLESS:
            pass
        case _:
            raise UnknownValueError(str(element), "a policy that is not followed")


_OUTBOUND: Final = HARMLESS | {
    "set-header",
    "cache-store",
    "choose",
    "when",
    "otherwise",
    "set-status",
    "return-response",
    "value",
    "reason",
}


def _answers(elements: Iterable[Element]) -> None:
    """Check that what changes answers sends nothing anywhere."""
    for element in _every(elements):
        if element.name not in _OUTBOUND:
            raise UnknownValueError(str(element), "a policy that is not followed")


def _every(elements: Iterable[Element]) -> Iterator[Element]:
    for element in elements:
        yield element
        yield from _every(element.children)
