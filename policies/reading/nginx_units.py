"""Sizes and lengths of time as nginx writes them (https://nginx.org/en/docs/syntax.html)."""

import re
from collections.abc import Mapping
from typing import Final

_SIZE: Final = re.compile(r"(\d+)([kmg]?)", re.IGNORECASE)
_BYTES: Final[Mapping[str, int]] = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}

_TIME: Final = re.compile(r"(\d+)(ms|s|m|h|d|w|M|y)?")
_SECONDS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 2_592_000, "y": 31_536_000}


def size(text: str) -> int | None:
    """Return a size in bytes; None where the text is none."""
    found = _SIZE.fullmatch(text)
    return int(found[1]) * _BYTES[found[2].lower()] if found else None


def time(text: str) -> float | None:
    """Return a length of time in seconds; None where the text is none, or one of several parts (`1h 30m`)."""
    found = _TIME.fullmatch(text)
    return int(found[1]) * _SECONDS[found[2] or "s"] if found else None
