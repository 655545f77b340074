"""The random systems are what they are said to be: lawful, varied, and the same after a trip through a file."""

import yaml
from hypothesis import HealthCheck, find, given, settings

from tests.topology.strategies import topologies
from topology.load import parse
from topology.model.system import Topology

THOROUGH = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@THOROUGH
@given(topologies())
def test_every_random_topology_survives_a_file(t: Topology) -> None:
    document = t.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert parse(yaml.safe_dump(document, sort_keys=False)) == t


def test_random_topologies_include_what_makes_them_hard() -> None:
    """Each of these would have to be drawn at least once; `find` fails where it never is."""
    for wanted in (
        lambda t: bool(t.bridges),
        lambda t: bool(t.compositions),
        lambda t: bool(t.egress),
        lambda t: any(service.canary for service in t.services.values()),
        lambda t: any(service.protocol == "tcp" for service in t.services.values()),
        lambda t: any(door.rewrite for door in t.doors.values()),
        lambda t: not t.doors,
    ):
        assert find(topologies(), wanted, settings=settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck)))
