"""What cannot be carried is said, all at once."""

import pytest

from tests.systems import SYSTEMS, topology
from tests.topology.derive.documents import relations
from topology.derive.unsupported import unsupported


def said(text: str) -> list[str]:
    return [str(finding) for finding in unsupported(relations(text).t)]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_shipped_system_can_be_carried(system: str) -> None:
    assert list(unsupported(topology(system))) == []


def test_two_deployments_of_one_name() -> None:
    (finding,) = said("services: {a: {versions: {b-v1: {}}}, a-b: {}}")
    assert "a-b-v1" in finding
    assert "rename" in finding


def test_versions_that_differ_in_a_dot_alone() -> None:
    assert len(said("services: {a: {versions: {v1.2: {weight: 50}, v1-2: {weight: 50}}}}")) == 1


def test_a_second_abort_for_the_same_caller() -> None:
    (finding,) = said("services: {a: {faults: [{percent: 1, abort: 503}, {percent: 2, abort: 500, callers: [b]}]}, b: {}}")
    assert finding.startswith("services.a.faults[1]: is a second abort")


def test_an_abort_and_a_delay_go_together() -> None:
    assert said("services: {a: {faults: [{percent: 1, abort: 503}, {percent: 2, delay: 1s, callers: [b]}]}, b: {}}") == []


def test_a_burst_on_a_global_limit() -> None:
    (finding,) = said("services: {a: {limit: {requests: 1, per: second, burst: 2, scope: global}}}")
    assert finding.startswith("services.a.limit.burst: 2 cannot be kept")


def test_one_outside_host_with_two_ports() -> None:
    (finding,) = said("""
services: {a: {}}
egress: {one: {host: x.example.org, services: [a]}, two: {host: x.example.org, port: 8443, services: [a]}}
""")
    assert "egress.two.host" in finding


def test_a_service_that_bears_the_name_of_kubernetes_own_account() -> None:
    (finding,) = said("services: {default: {}}")
    assert "ServiceAccount" in finding
