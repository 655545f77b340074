"""A rule about what stands at the public addresses."""

from abc import abstractmethod
from collections.abc import Iterator

from policies.cloud_rule import has_readers, in_clouds
from policies.reading.stack import Stack
from policies.reading.waf import Front, fronts
from policies.rule import Finding, Rule


class EdgeRule(Rule):
    """A rule that looks at each public nginx by itself; what a cloud has at its edge, the readers of that cloud tell it."""

    def judge(self, stack: Stack) -> Iterator[Finding]:
        """Check every public nginx; one that cannot be read leaves only itself undecided."""
        for front in fronts(stack):
            yield from self.over([front.resource], lambda _, front=front: self.check(front, stack))
        yield from in_clouds(self, stack)

    def applies(self, stack: Stack) -> bool:
        """Say whether a stack has a public nginx, or what its cloud has in the place of one."""
        return bool(fronts(stack)) or has_readers(self, stack)

    @abstractmethod
    def check(self, front: Front, stack: Stack) -> Iterator[Finding]:
        """Yield every way in which a public nginx breaks the rule."""
