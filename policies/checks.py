"""Shapes of rules that several rules share."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, cast

from policies.reading.pods import TEMPLATES, Pod, pod_of
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError
from policies.rule import Finding, Rule


def at(value: Any, *path: str, default: Any = None) -> Any:
    """Return what stands at a path inside a value, `default` where a step is absent.

    Raises:
        UnknownValueError: if a step is not known, or is no mapping.
    """
    for step in path:
        if value is None:
            return default
        if not isinstance(value, dict):
            raise UnknownValueError(".".join(path), "not of the expected shape: no mapping where one belongs")
        value = cast("dict[str, Any]", value).get(step)
    return default if value is None else value


def attempt(rule: Rule, resource: Resource | None, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield findings; an unknown value ends only this attempt and leaves it undecided."""
    try:
        yield from findings
    except UnknownValueError as error:
        yield rule.undecided(resource, str(error))


class PodRule(Rule):
    """A rule that looks at the pod template of each workload of the program by itself."""

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every workload; one that cannot be read leaves only itself undecided."""
        yield from self.over(stack.of(*TEMPLATES), lambda resource: self._workload(resource, stack))

    def applies(self, stack: Stack) -> bool:
        """Say whether a stack has workloads."""
        return any(True for _ in stack.of(*TEMPLATES))

    def _workload(self, resource: Resource, stack: Stack) -> Iterator[Finding]:
        pod = pod_of(resource)
        if pod is not None:
            yield from self.check(pod, stack)

    @abstractmethod
    def check(self, pod: Pod, stack: Stack) -> Iterator[Finding]:
        """Yield every way in which a workload's pods break the rule."""
