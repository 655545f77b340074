"""What readers find in resources: pieces that are charged for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

Inputs = Mapping[str, Any]
"""What a resource is given."""

Resource = Mapping[str, Any]
"""A planned resource in the shape of a stack export: `urn`, `type`, `inputs`, `propertyDependencies`."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """So many pieces of something with a price."""

    key: str
    """In the price table."""
    what: str
    """As people call it; a layer's pieces of one name have one price and are added up."""
    least: int = 1
    most: int | None = None
    """The same as `least` where nothing scales."""
    remark: str = ""
    """What people must know of its bounds."""


@dataclass(frozen=True, kw_only=True)
class Metered:
    """Something charged by use, which a plan does not know."""

    what: str
    key: str = ""
    """In the price table; empty where it has no price there."""


Reader = Callable[[Resource, Mapping[str, Resource]], Iterator[Item | Metered]]
"""What a resource costs; the mapping holds every resource by its URN."""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """How one provider's resources are read."""

    readers: Mapping[str, Reader]
    """By type."""
    free: frozenset[str]
    """Types that cost nothing by themselves."""
    region: Callable[[Resource], str | None]
    """Where a resource is, if it says."""
    elsewhere: Mapping[str, Reader] = field(default_factory=dict[str, Reader])
    """Types of other providers that make this one charge, such as a Kubernetes Service with a load balancer."""


def inputs_of(resource: Resource) -> Inputs:
    """Return what a resource is given."""
    return cast(Inputs, resource.get("inputs") or {})


def sources_of(resource: Resource, key: str) -> list[str]:
    """Return the URNs of the resources that a property comes from: ids that a cloud makes are not known before."""
    return [str(urn) for urn in cast(Inputs, resource.get("propertyDependencies") or {}).get(key) or ()]


def number(value: object) -> int:
    """Return a planned number.

    Raises:
        ValueError: if it is not known before a deployment, or is no number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{value!r} is no number that a plan knows")
    return int(value)
