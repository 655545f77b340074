"""What readers of a cloud tell rules: flaws of single resources, by the id of the rule that forbids them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from policies.reading.resource import Resource
from policies.rule import Hop

if TYPE_CHECKING:
    from policies.reading.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """One way in which a resource of a cloud breaks a rule."""

    message: str
    fix: str
    resource: Resource | None = None
    """The resource to blame, where it is not the one that was looked at."""
    undecided: bool = False
    path: tuple[Hop, ...] = ()


Look = Callable[[Resource, "Stack"], Iterator[Flaw]]
"""Looks at one resource; what it meets that is not known leaves that resource undecided."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One rule's idea, told of resources of some kinds."""

    rule: str
    kinds: tuple[str, ...]
    """Kinds without provider version: `azure-native:network:ApplicationGateway`, `aws:lb/loadBalancer:LoadBalancer`."""
    look: Look


def by_rule(*readers: Reader) -> Mapping[str, tuple[Reader, ...]]:
    """Return readers by the rule they speak for."""
    return {rule: tuple(each for each in readers if each.rule == rule) for rule in {each.rule for each in readers}}
