"""The tables of what the judge can read agree with everything else that knows the same facts."""

import pytest

from components.versions import CHARTS as PINNED
from policies.reading import charts
from policies.reading.normalise import CLUSTER_SCOPED
from policies.reading.opaque import CHART_SOURCES, KINDS, REWRITERS, holds_unknown, unknown_paths
from policies.reading.values import known
from tests.policies.building import UNKNOWN_SENTINELS


@pytest.mark.parametrize("kind", [pytest.param(kind, id=f"{kind.kind}.{kind.group or 'core'}") for kind in KINDS.values()])
def test_a_kind_is_where_the_normalised_resources_have_it(kind) -> None:  # type: ignore[no-untyped-def] # parametrized
    assert kind.namespaced == (kind.kind not in CLUSTER_SCOPED)


def test_no_kind_is_both_readable_and_beyond_reading() -> None:
    assert not KINDS.keys() & REWRITERS.keys()


def test_the_charts_with_a_source_are_those_whose_objects_are_known() -> None:
    assert CHART_SOURCES.keys() == charts.CHARTS.keys()


@pytest.mark.parametrize("key", PINNED)
def test_every_chart_of_the_program_comes_from_its_makers(key: str) -> None:
    pinned = PINNED[key]
    place, _, name = pinned.chart.rpartition("/")
    assert (place or pinned.repository) in CHART_SOURCES[name]


def test_unknown_values_are_found_wherever_they_are_with_their_paths() -> None:
    value = known({"a": [{"b": UNKNOWN_SENTINELS[0]}, 1], "c": {"d": UNKNOWN_SENTINELS[3]}, "e": "plain"})
    assert holds_unknown(value)
    assert [path for path, _ in unknown_paths(value)] == ["a[0].b", "c.d"]
    assert not holds_unknown(known({"a": [{"b": "c"}]}))
