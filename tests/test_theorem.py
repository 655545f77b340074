"""The theorem: what can be read back from a plan is what the topology means, for every system and for random ones."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings

from cli.judging import read_stack
from cli.project import Project
from components.ways import uncarried
from planner.program import plan_program
from policies.harness import judge
from policies.registry import rules
from policies.rule import Verdict
from tests.systems import ROOT, SYSTEMS, bound, plan, topology, topology_file
from tests.topology.strategies import topologies
from topology.edges import edges
from topology.model.system import Topology

PROJECT = Project.find(ROOT)

EXAMPLES = int(os.environ.get("EXAMPLES", "8"))
"""How many random systems are tried on each stack: as `make fuzz` says, or few."""


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_plan_allows_exactly_what_the_topology_says(system: str) -> None:
    observed = read_stack(PROJECT, plan(system), topology_file(system)).observed
    assert observed == edges(topology(system))


@pytest.mark.parametrize("stack", ["local", "local-kong", "azure-dev", "aws-dev"])
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(topologies())
def test_the_plan_of_any_topology_is_kept_and_allows_exactly_what_it_says(stack: str, random: Topology) -> None:
    # A cache behind a credential, say, is refused with some gateways: that is tested where features are.
    assume(not uncarried(bound(stack), random))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "random.topology.yaml"
        document = random.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        found = read_stack(PROJECT, plan_program(ROOT, stack, {"perimeter:topology": str(file)}), file)
    report = judge(found, rules())
    assert report.verdict is Verdict.KEPT, [f"{each.rule} {each.resource}: {each.message}" for each in report.findings]
    assert found.observed == edges(random)


def without_doors(abc: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in abc.items() if key not in {"doors", "issuers", "tiers", "consumers"}}


def with_a_door_inside_another(abc: dict[str, Any]) -> dict[str, Any]:
    headers = {"requestHeaders": {"set": {"x-kind": "status"}}, "responseHeaders": {"set": {"x-answer": "status"}}}
    return abc | {"doors": abc["doors"] | {"status": abc["doors"]["a"] | {"paths": ["/a/status"]} | headers}}


def with_scripts_of_pages_at_the_door_inside(abc: dict[str, Any]) -> dict[str, Any]:
    system = with_a_door_inside_another(abc)
    inner = system["doors"]["status"] | {"cors": "pages", "timeout": "3s", "maxBody": "1Ki"}
    return system | {"cors": {"pages": {"origins": ["https://app.abc.example"]}}, "doors": system["doors"] | {"status": inner}}


def with_one_path_on_two_hosts(abc: dict[str, Any]) -> dict[str, Any]:
    doors = abc["doors"] | {"partners": abc["doors"]["a"] | {"host": "partners.abc.example", "auth": {"apiKey": ["partner"]}}}
    del doors["partners"]["tiers"]
    tiers = abc["tiers"] | {"partner": {"limits": [{"requests": 5, "per": "second"}]}}
    hosts = [*abc["hosts"], "partners.abc.example"]
    return abc | {"hosts": hosts, "doors": doors, "tiers": tiers, "consumers": {"acme": {"tier": "partner"}}}


@pytest.mark.parametrize(
    "change", [without_doors, with_a_door_inside_another, with_scripts_of_pages_at_the_door_inside, with_one_path_on_two_hosts]
)
@pytest.mark.parametrize("stack", ["local", "azure-dev", "aws-dev"])
def test_what_random_systems_do_not_have_is_kept(stack: str, change: Callable[[dict[str, Any]], dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "changed.topology.yaml"
    document = change(yaml.safe_load(topology_file("abc").read_text(encoding="utf-8")))
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    report = judge(read_stack(PROJECT, plan_program(ROOT, stack, {"perimeter:topology": str(file)}), file), rules())
    assert report.verdict is Verdict.KEPT, [f"{each.rule} {each.resource}: {each.message}" for each in report.findings]
