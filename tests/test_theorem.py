"""The theorem: what can be read back from a plan is what the topology means, for every system and for random ones."""

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings

from cli.judging import read_stack
from components.binding import Binding, GatewayKind
from components.gateway import uncarried
from planner.program import plan_program
from tests.systems import ROOT, SYSTEMS, plan, topology, topology_file
from tests.topology.strategies import topologies
from topology.edges import edges
from topology.model.system import Topology


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_plan_allows_exactly_what_the_topology_says(system: str) -> None:
    observed = read_stack(plan(system), topology_file(system)).observed
    assert observed == edges(topology(system))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(topologies())
def test_the_plan_of_any_topology_allows_exactly_what_it_says(random: Topology) -> None:
    # A cache behind a credential, say, is refused with this gateway: that is tested where features are.
    assume(not uncarried(Binding(topology="random", gateway=GatewayKind.ENVOY_GATEWAY), random))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "random.topology.yaml"
        document = random.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        made = plan_program(ROOT, "local", {"perimeter:topology": str(file)})
        assert read_stack(made, file).observed == edges(random)
