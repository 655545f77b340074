"""Real plans: the whole program, run by the planner."""

from collections import defaultdict
from typing import Any

import pytest

from planner.plan import Plan
from tests.systems import SYSTEMS, plan

COMPONENT = "perimeter:"


def resources(system: str) -> tuple[dict[str, Any], ...]:
    found: Plan = plan(system)
    return tuple(found.resources)


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_waits_for_a_whole_component(system: str) -> None:
    components = {r["urn"] for r in resources(system) if not r["custom"]}
    waits = {r["urn"]: components & set(r.get("dependencies", ())) for r in resources(system)}
    assert {urn: found for urn, found in waits.items() if found} == {}


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_object_is_a_child_of_the_system_and_has_an_explicit_provider(system: str) -> None:
    parents = {r["urn"]: r.get("parent", "") for r in resources(system)}
    top = next(r["urn"] for r in resources(system) if r["type"] == "perimeter:system:System")
    for r in resources(system):
        if r["type"].startswith("kubernetes:"):
            above = r["urn"]
            while above and above != top:
                above = parents[above]
            assert above == top, r["urn"]
            assert "::pulumi:providers:kubernetes::cluster::" in r["provider"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_component_says_what_it_is_and_what_came_of_it(system: str) -> None:
    silent = [r["urn"] for r in resources(system) if r["type"].startswith(COMPONENT) and not (r["inputs"] and r["outputs"])]
    assert silent == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_needs_a_webhook_or_a_definition_waits_for_the_release_that_brings_it(system: str) -> None:
    """Custom resources come after a Release, workloads of a mesh after its allow-nothing policy."""
    upstream: defaultdict[str, set[str]] = defaultdict(set)
    by_urn = {r["urn"]: r for r in resources(system)}

    def above(urn: str) -> set[str]:
        if urn not in upstream:
            upstream[urn] = set()
            for dependency in by_urn[urn].get("dependencies", ()):
                upstream[urn] |= {dependency} | above(dependency)
        return upstream[urn]

    groups = {"istio.io": "istiod-", "cert-manager.io": "/cert-manager"}
    for r in resources(system):
        group = r["type"].split(":")[1].split("/")[0]
        for suffix, release in groups.items():
            if group.endswith(suffix):
                assert any(":Release::" in urn and release in urn for urn in above(r["urn"])), r["urn"]
        if r["type"] == "kubernetes:apps/v1:Deployment" and r["inputs"]["spec"]["selector"]["matchLabels"].get("version"):
            assert any("AuthorizationPolicy::" in urn and "allow-nothing" in urn for urn in above(r["urn"])), r["urn"]
