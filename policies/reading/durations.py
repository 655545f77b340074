"""Lengths of time as resources write them."""

import re
from collections.abc import Mapping
from typing import Final

_PART: Final = re.compile(r"([0-9]+)(ms|h|m|s)")
_SECONDS: Final[Mapping[str, float]] = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}


def length(duration: str) -> float | None:
    """Return a duration of the Gateway API, Istio or Go (`1h30m`, `500ms`) in seconds; None for something else."""
    parts = _PART.findall(duration)
    if not parts or "".join(map("".join, parts)) != duration:
        return None
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)
