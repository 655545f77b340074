"""Which addresses the stack file names as those of operators."""

from collections.abc import Iterable
from ipaddress import ip_network


def is_named(block: str, ranges: Iterable[str]) -> bool:
    """Say whether a range lies within one of those that are named."""
    asked = ip_network(block, strict=False)
    return any(asked.version == (own := ip_network(each)).version and asked.subnet_of(own) for each in ranges)  # type: ignore[arg-type] # of one version
