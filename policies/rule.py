"""What a rule is, and what it says."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from policies.reading.resource import Resource
from policies.reading.values import UnknownValueError

if TYPE_CHECKING:
    from policies.reading.stack import Stack


class Severity(StrEnum):
    """How bad a broken rule is. Every broken rule blocks; the severity orders the report."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Verdict(StrEnum):
    """What a rule says of a stack. Undecided blocks like broken does."""

    KEPT = "kept"
    BROKEN = "broken"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True)
class Hop:
    """One step of a counterexample path: where the request is, and what allowed it to get there."""

    place: str
    allowed_by: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One reason why the boundary is broken, or cannot be decided."""

    rule: str
    verdict: Verdict
    message: str
    fix: str = ""
    resource: str = ""
    """The resource as people name it."""
    urn: str = ""
    path: tuple[Hop, ...] = field(default=())


class Rule(ABC):
    """One thing that must be true of a stack. The docstring of a rule is its documentation page: Forbids, Why, Instead."""

    id: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    frameworks: ClassVar[tuple[str, ...]] = ()
    """Where others say the same: control ids of published frameworks."""

    @abstractmethod
    def judge(self, stack: "Stack") -> Iterator[Finding]:
        """Yield every way in which the stack breaks the rule or leaves it undecided."""

    def applies(self, stack: "Stack") -> bool:
        """Say whether a stack has anything that the rule is about; asked only where `judge` found nothing. A report says so, nothing else."""
        return True

    def broken(self, resource: Resource | None, message: str, fix: str, path: Iterable[Hop] = ()) -> Finding:
        """Return a violation, on a resource or on the stack as a whole."""
        return self._finding(Verdict.BROKEN, resource, message, fix, tuple(path))

    def undecided(self, resource: Resource | None, message: str, fix: str = "") -> Finding:
        """Return what stands in the way of a decision."""
        return self._finding(
            Verdict.UNDECIDED, resource, message, fix or "give the value in the program, so that it is known before it is deployed"
        )

    def over(self, resources: Iterable[Resource], check: Callable[[Resource], Iterator[Finding] | None]) -> Iterator[Finding]:
        """Check each resource by itself, or only take note of it: one with an unknown value leaves only itself undecided."""
        for resource in resources:
            try:
                yield from check(resource) or ()
            except UnknownValueError as error:
                yield self.undecided(resource, str(error))

    def _finding(self, verdict: Verdict, resource: Resource | None, message: str, fix: str, path: tuple[Hop, ...] = ()) -> Finding:
        return Finding(
            rule=self.id,
            verdict=verdict,
            message=message,
            fix=fix,
            resource=str(resource) if resource else "",
            urn=resource.urn if resource else "",
            path=path,
        )


class ResourceRule(Rule):
    """A rule that looks at resources of some kinds one by one; the stack is there for what surrounds them."""

    kinds: ClassVar[tuple[str, ...]]

    def judge(self, stack: "Stack") -> Iterator[Finding]:
        """Check every resource of the rule's kinds."""
        yield from self.over(stack.of(*self.kinds), lambda resource: self.check(resource, stack))

    def applies(self, stack: "Stack") -> bool:
        """Say whether a stack has resources of the rule's kinds."""
        return any(True for _ in stack.of(*self.kinds))

    @abstractmethod
    def check(self, resource: Resource, stack: "Stack") -> Iterator[Finding]:
        """Yield every way in which one resource breaks the rule."""
