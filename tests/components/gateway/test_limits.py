"""Limits of tiers as windows."""

from typing import Any

import pytest

from components.gateway.limits import Unit, Window, consumers_of, tiers_of, windows
from tests.components.edge.systems import system
from topology.model.door import Tier


def limits(*rates: dict[str, Any]) -> list[tuple[int, Unit]]:
    return [(window.requests, window.unit) for window in windows(Tier.model_validate({"limits": list(rates)}))]


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ([{"requests": 1000, "per": "minute"}], [(1000, Unit.MINUTE)]),
        ([{"requests": 20, "per": "second", "burst": 20}], [(40, Unit.SECOND), (1220, Unit.MINUTE)]),
        ([{"requests": 5, "per": "hour", "burst": 2}], [(7, Unit.HOUR), (122, Unit.DAY)]),
        ([{"requests": 120, "per": "minute"}, {"requests": 5, "per": "second", "burst": 10}], [(15, Unit.SECOND), (120, Unit.MINUTE)]),
        ([{"requests": 5, "per": "second", "burst": 10}, {"requests": 400, "per": "minute"}], [(15, Unit.SECOND), (310, Unit.MINUTE)]),
    ],
)
def test_a_burst_comes_on_top_once(rates: list[dict[str, Any]], expected: list[tuple[int, Unit]]) -> None:
    assert limits(*rates) == expected


def test_a_window_holds_what_its_rate_promises() -> None:
    assert windows(Tier.model_validate({"limits": [{"requests": 3, "per": "hour"}]})) == [Window(requests=3, unit=Unit.HOUR)]


def test_the_tiers_of_a_door_are_those_of_its_keys_or_its_own() -> None:
    t = system({"keys": {"paths": ["/a"], "auth": {"apiKey": ["gold"]}}, "open": {"paths": ["/b"], "tiers": ["gold"]}})
    assert tiers_of(t.doors["keys"]) == tiers_of(t.doors["open"]) == ("gold",)
    assert consumers_of(t, "gold") == ["acme"]
    assert consumers_of(t, "silver") == []
