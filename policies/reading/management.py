"""Paths that speak to operators, not to clients (OWASP API8, API9)."""

from typing import Final

from policies.reading.patterns import Pattern

MANAGEMENT: Final = frozenset(
    {
        *("actuator", "admin", "config_dump", "debug", "env", "heapdump", "prometheus"),
        *("health", "healthz", "live", "livez", "ready", "readyz", "status"),
        *("metrics", "nginx_status", "server-info", "server-status", "stats"),
    }
)
"""First segments of paths under which programs show or change their own state, in small letters."""

PAGES: Final = frozenset({"live", "status"})
"""Those of them that are one page and nothing below it, and words of APIs besides: `/live/prices`."""


def is_management(pattern: Pattern) -> bool:
    """Say whether a set of paths lies at or below a path for operators.

    Case does not matter, for there are servers to which it does not. Below `PAGES` it does not, if every path of the set has a name there:
    `/live/{*}`, `/live/prices/*`. `/live/*` has `/live/` among its paths, which many servers answer as they answer `/live`.
    """
    first = (pattern.first or "").lower()
    if first in PAGES:
        # Some second segment, or the beginning of one; of which the empty one is none.
        second = pattern.segments[1] if len(pattern.segments) > 1 else pattern.tail or ""
        return second == ""
    return first in MANAGEMENT
