"""How long an edge may wait for an answer, held against the doors behind it."""

from typing import Final

SLACK: Final = 5.0
"""Seconds that the edge may wait longer than a door, so that the gateway answers before it."""


def misfit(wait: float, longest: float, *, quiet: float = 0.0) -> str:
    """Return what is wrong with the seconds that an edge waits; nothing where it answers after its slowest door, and soon after.

    Args:
        wait: how long it waits.
        longest: the timeout of the slowest door behind it.
        quiet: how long a stream behind it may say nothing, whatever its door's timeout is.
    """
    if wait <= longest:
        return f"waits {wait:g} seconds for an answer, and cuts off doors behind it, which allow {longest:g}"
    if wait > max(longest, quiet) + SLACK:
        return f"waits {wait:g} seconds for an answer; the doors behind it allow {longest:g}"
    return ""
