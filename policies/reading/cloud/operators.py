"""Which addresses the stack file names as those of operators: the component that makes the cluster repeats them."""

from collections.abc import Iterable
from ipaddress import ip_network
from typing import TYPE_CHECKING

from policies.reading.values import UnknownValueError, sequence

if TYPE_CHECKING:
    from policies.reading.stack import Stack


def ranges_named(stack: "Stack", component: str, key: str) -> tuple[str, ...]:
    """Return the ranges that the stack file names under a key, as components of a type repeat them.

    Raises:
        UnknownValueError: if none of them says anything about it.
    """
    said = [each.at(key) for each in stack.of(component) if each.at(key) is not None]
    if not said:
        raise UnknownValueError(f"{key} of the stack file", f"not said by any {component}")
    return tuple(str(each) for ranges in said for each in sequence(ranges))


def is_named(block: str, ranges: Iterable[str]) -> bool:
    """Say whether a range lies within one of those that are named."""
    asked = ip_network(block, strict=False)
    return any(asked.version == (own := ip_network(each)).version and asked.subnet_of(own) for each in ranges)  # type: ignore[arg-type] # of one version
