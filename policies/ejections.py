"""When callers leave an instance that fails alone: `outlierDetection` of a DestinationRule, held against the topology.

Fields and what absent ones mean: https://istio.io/latest/docs/reference/config/networking/destination-rule/#OutlierDetection.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from policies.reading.durations import length
from policies.reading.values import UnknownValueError
from topology.model.base import seconds
from topology.model.service import Ejection

Fits = Callable[[Any, Ejection], bool]


def whole(value: Any, where: str) -> int:
    """Return a whole number as it stands in a plan.

    Raises:
        UnknownValueError: if it is unknown, or no whole number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise UnknownValueError(where, f"{value!r}, which is no whole number")
    return int(value)


def span(value: Any, where: str) -> float:
    """Return a length of time of a plan in seconds.

    Raises:
        UnknownValueError: if it is unknown, or no length of time.
    """
    found = length(value) if isinstance(value, str) else None
    if found is None:
        raise UnknownValueError(where, f"{value!r}, which is no length of time")
    return found


_FIELDS: Final[Mapping[str, tuple[Any, Callable[[Ejection], object], Fits]]] = {
    "consecutive5xxErrors": (
        None,
        lambda wanted: wanted.consecutive_errors,
        lambda said, wanted: said is not None and 0 < whole(said, "consecutive5xxErrors") <= wanted.consecutive_errors,
    ),
    "interval": ("10s", lambda wanted: wanted.interval, lambda said, wanted: 0 < span(said, "interval") <= seconds(wanted.interval)),
    "baseEjectionTime": (
        "30s",
        lambda wanted: wanted.duration,
        lambda said, wanted: span(said, "baseEjectionTime") >= seconds(wanted.duration),
    ),
    "maxEjectionPercent": (
        10,
        lambda wanted: wanted.max_percent,
        lambda said, wanted: whole(said, "maxEjectionPercent") == wanted.max_percent,
    ),
    "minHealthPercent": (0, lambda _: 0, lambda said, _: whole(said, "minHealthPercent") == 0),
    "splitExternalLocalOriginErrors": (False, lambda _: "false", lambda said, _: said is False),
}
"""Field: what it is where it is absent, what the topology says, and whether a value keeps to that.

A share is an upper bound for the instances that are out and a lower bound for those that may be, so it is the topology's own. A pool
with fewer healthy instances than `minHealthPercent` ejects none; counted apart, failed connections are no errors of the service.
"""


def loosened(given: Mapping[str, Any], wanted: Ejection) -> Iterator[tuple[str, Any, object]]:
    """Yield the fields by which instances that fail stay longer than the topology says: name, what is said, what should be.

    Raises:
        UnknownValueError: for a value or a field that is not known.
    """
    for name, (absent, says, fits) in _FIELDS.items():
        said = given.get(name)
        said = absent if said is None else said
        if not fits(said, wanted):
            yield name, said, says(wanted)
    if strange := sorted(set(given) - set(_FIELDS)):
        raise UnknownValueError(f"outlierDetection.{strange[0]}", "a field that is not known")
