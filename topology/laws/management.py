"""Paths that speak to operators, not to clients (OWASP API8, API9).

The judge keeps a list of its own (`policies/reading/management.py`), which a test compares with this one: what the judge would refuse of a
finished plan, a law refuses before, with the line.
"""

from typing import Final

from topology.paths import ANY_REST

MANAGEMENT: Final = (
    *("actuator", "admin", "config_dump", "debug", "env", "heapdump", "prometheus"),
    *("health", "healthz", "live", "livez", "ready", "readyz", "status"),
    *("metrics", "nginx_status", "server-info", "server-status", "stats"),
)
"""First segments of paths under which programs show or change their own state, in small letters."""

PAGES: Final = frozenset({"live", "status"})
"""Those of them that are also words of APIs (`/live/prices`): the page itself speaks to operators, what has a name below it does not."""


def management(path: str) -> str | None:
    """Return the path for operators that a pattern leads to or below, as in `/metrics`; None where it leads to none.

    Case does not matter, for there are servers to which it does not. `/live/*` leads to `/live`, for it holds `/live/`, and many servers
    make no difference between the two; `/live/{*}` and `/live/prices/*` do not.
    """
    first, *rest = path.lower().removeprefix("/").split("/")
    if first not in MANAGEMENT or (first in PAGES and rest and rest[0] not in {"", ANY_REST}):
        return None
    return f"/{first}"
