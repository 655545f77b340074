"""Versions are held against advisories in one table."""

import pytest

from components.versions import CHARTS, ISTIO_VERSION
from policies.floors import FLOORS, UnreadableVersionError, below_floor

PINNED = {"Istio": ISTIO_VERSION, "Envoy Gateway": CHARTS["envoy-gateway"].version, "cert-manager": CHARTS["cert-manager"].version}


@pytest.mark.parametrize("product", FLOORS)
def test_every_floor_is_on_its_line_and_has_a_source(product: str) -> None:
    floor = FLOORS[product]
    assert floor.source.startswith("https://")
    for line, first in floor.lines.items():
        assert first.startswith(f"{line}.")
        assert below_floor(product, first) is None


@pytest.mark.parametrize("product", PINNED)
def test_what_the_program_installs_is_at_its_floor_or_above(product: str) -> None:
    assert below_floor(product, PINNED[product]) is None


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("1.30.3", "is older than 1.30.4"),
        ("v1.30.3-distroless", "is older than 1.30.4"),
        ("1.31.1-rc.0", "is older than 1.31.1"),
        ("1.29.9", "the line 1.29 gets no fixes any more"),
        ("0.9.0", "the line 0.9 gets no fixes any more"),
    ],
)
def test_an_old_version_is_refused_with_its_reason(version: str, reason: str) -> None:
    assert reason in (below_floor("Istio", version) or "")


@pytest.mark.parametrize("version", ["1.30.4", "v1.31.2", "1.31.1-distroless", "1.31.1+build.5", "1.32.0", "2.0.0"])
def test_a_patched_or_newer_version_passes(version: str) -> None:
    assert below_floor("Istio", version) is None


@pytest.mark.parametrize("version", ["", "latest", "1.31", ">=1.30.4", "~1.31.0", "1.x", "main"])
def test_a_version_that_names_no_release_cannot_be_judged(version: str) -> None:
    with pytest.raises(UnreadableVersionError, match="does not name one release"):
        below_floor("Istio", version)
