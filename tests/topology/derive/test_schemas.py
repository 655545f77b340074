"""Every derived object is one that a strict Kubernetes API server takes."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from tests.schemas import validate
from tests.systems import SYSTEMS, topology
from tests.topology.derive.documents import objects
from tests.topology.strategies import topologies
from topology.derive.manifest import Manifest, key_of
from topology.derive.unsupported import unsupported
from topology.model.system import Topology


def refused(documents: list[Manifest]) -> list[str]:
    return [f"{d['kind']} {key_of(d)}: {finding}" for d in documents for finding in validate(d)]


def repeated(documents: list[Manifest]) -> list[tuple[str, str]]:
    counted = Counter((d["apiVersion"].split("/")[0] + d["kind"], key_of(d)) for d in documents)
    return [key for key, count in counted.items() if count > 1]


@pytest.mark.parametrize("system", SYSTEMS)
def test_objects_of_every_shipped_system_are_valid_and_no_two_have_one_name(system: str) -> None:
    documents = list(objects(topology(system)))
    assert refused(documents) == []
    assert repeated(documents) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(topologies(max_services=5))
def test_objects_of_random_systems_are_valid_and_no_two_have_one_name(t: Topology) -> None:
    if not list(unsupported(t)):
        documents = list(objects(t))
        assert refused(documents) == []
        assert repeated(documents) == []
