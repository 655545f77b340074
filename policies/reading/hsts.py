"""Strict-Transport-Security: how long a browser remembers that a host speaks TLS (RFC 6797)."""

import re
from typing import Final

HSTS: Final = "strict-transport-security"
REMEMBERED: Final = 15_768_000
"""Seconds for which browsers remember that a host speaks TLS, at least: half a year, what Mozilla's HTTP Observatory asks for."""

_MAX_AGE: Final = re.compile(r'max-age="?([0-9]+)', re.IGNORECASE)


def is_remembered(value: str) -> bool:
    """Say whether a value of the header holds for long enough."""
    age = _MAX_AGE.search(value)
    return age is not None and int(age[1]) >= REMEMBERED
