"""The random systems are what they are said to be: lawful, varied, and the same after a trip through a file."""

from collections.abc import Callable

import pytest
import yaml
from hypothesis import HealthCheck, Phase, find, given, settings

from tests.topology.strategies import topologies
from topology.load import parse
from topology.model.service import Protocol, Scope
from topology.model.system import OutsideProtocol, Topology

FOUND_QUICKLY = settings(
    max_examples=300, deadline=None, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow]
)

FEATURES: dict[str, Callable[[Topology], bool]] = {
    "no door": lambda t: not t.doors,
    "twelve services": lambda t: len(t.services) == 12,
    "bridge": lambda t: bool(t.bridges),
    "bridges both ways": lambda t: len({t.mesh_of(bridge.source) for bridge in t.bridges.values()}) == 2,
    "composition": lambda t: bool(t.compositions),
    "egress": lambda t: bool(t.egress),
    "egress from two meshes": lambda t: len({t.mesh_of(name) for exit_ in t.egress.values() for name in exit_.services}) == 2,
    "canary": lambda t: any(service.canary for service in t.services.values()),
    "mirror": lambda t: any(service.mirror for service in t.services.values()),
    "fault": lambda t: any(service.faults for service in t.services.values()),
    "tcp call": lambda t: any(
        t.services[callee].protocol is Protocol.TCP for service in t.services.values() for callee in service.calls if callee in t.services
    ),
    "grpc door": lambda t: any(
        t.services[door.service].protocol is Protocol.GRPC for door in t.doors.values() if door.service in t.services
    ),
    "rewrite": lambda t: any(door.rewrite for door in t.doors.values()),
    "cache": lambda t: any(door.cache for door in t.doors.values()),
    "API key": lambda t: bool(t.consumers),
    "egress over TCP": lambda t: any(each.protocol is OutsideProtocol.TCP for each in t.egress.values()),
    "scripts of two policies": lambda t: len(t.cors) == 2,
    "door inside another, for other clients": lambda t: any(
        name.endswith("-inside") and door.tiers != t.doors[name.removesuffix("-inside")].tiers for name, door in t.doors.items()
    ),
    "two versions at one path": lambda t: any(
        t.doors[f"{name}-next"].paths == door.paths and t.doors[f"{name}-next"].service != door.service
        for name, door in t.doors.items()
        if f"{name}-next" in t.doors
    ),
    "tokens that name tiers": lambda t: any(len(door.tiers) == 2 for door in t.doors.values()),
    "limit counted once": lambda t: any(tier.scope is Scope.GLOBAL for tier in t.tiers.values()),
    "bodies longer than a firewall sees": lambda t: any(door.max_body == "10Mi" for door in t.doors.values()),
    "namespace of its own": lambda t: any(service.namespace for service in t.services.values()),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(topologies())
def test_every_random_topology_survives_a_file(t: Topology) -> None:
    document = t.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert parse(yaml.safe_dump(document, sort_keys=False)) == t


@pytest.mark.parametrize("feature", FEATURES)
def test_random_topologies_have_every_feature_that_makes_them_hard(feature: str) -> None:
    find(topologies(), FEATURES[feature], settings=FOUND_QUICKLY)  # raises NoSuchExample where it is never drawn
