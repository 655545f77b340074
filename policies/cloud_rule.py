"""A rule, or the part of one, that readers of clouds speak for."""

from collections.abc import Iterator

from policies.reading.cloud.flaws import Reader
from policies.reading.cloud.joined import readers_of
from policies.reading.resource import Resource
from policies.reading.stack import Stack
from policies.reading.values import UnknownValueError
from policies.rule import Finding, Rule


class CloudRule(Rule):
    """A rule whose idea is told of a cloud's resources alone."""

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Ask the readers of every cloud of the stack."""
        yield from in_clouds(self, stack)

    def applies(self, stack: Stack) -> bool:
        """Say whether a cloud of the stack has resources that its readers look at."""
        return has_readers(self, stack)


def has_readers(rule: Rule, stack: Stack) -> bool:
    """Say whether a stack has resources of a cloud that readers look at for a rule."""
    return any(True for reader in readers_of(rule.id, stack) for _ in stack.of(*reader.kinds))


def in_clouds(rule: Rule, stack: Stack) -> Iterator[Finding]:
    """Yield what the readers of a stack's clouds have against it by one rule; nothing for a stack without a cloud."""
    for reader in readers_of(rule.id, stack):
        yield from rule.over(stack.of(*reader.kinds), lambda resource, reader=reader: _told(rule, reader, resource, stack))


def _told(rule: Rule, reader: Reader, resource: Resource, stack: Stack) -> Iterator[Finding]:
    try:
        for flaw in reader.look(resource, stack):
            if flaw.undecided:
                yield rule.undecided(flaw.resource or resource, flaw.message, flaw.fix)
            else:
                yield rule.broken(flaw.resource or resource, flaw.message, flaw.fix, flaw.path)
    except (TypeError, KeyError, AttributeError, ValueError, IndexError) as error:
        raise UnknownValueError(str(resource), f"not of the expected shape ({type(error).__name__}: {error})") from error
