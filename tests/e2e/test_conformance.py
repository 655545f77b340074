"""`verify` on the embedded cluster: quiet about what was just deployed, loud for every sabotage. Run by `make e2e`."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.conformance import Subject, subject
from conformance.report import Outcome, Report
from conformance.verdict import Verdict
from conformance.verify import Choice, quiet, verify
from tests.e2e.sabotage import SABOTAGES, Sabotage, applied
from tests.e2e.stack import Stack
from tests.systems import topology
from topology.derive.probes import Family

pytestmark = pytest.mark.skipif("PERIMETER_E2E" not in os.environ, reason="needs the embedded cluster: make e2e")

SPREADING = 180.0
"""Seconds in which a change reaches every proxy on a busy machine, with the half minute that one family of probes takes."""


SYSTEMS = os.environ.get("PERIMETER_E2E_SYSTEMS", "abc payments").split()
"""Systems that are deployed and probed whole, one after the other; last, for their load makes the autoscalers add gateways."""
KUBECONFIG = os.environ.get("PERIMETER_E2E_KUBECONFIG", "")
"""Another cluster than the embedded one, with the system deployed in it."""


def deployed(system: str) -> Subject:
    """Return the cluster with a system running in it."""
    if not KUBECONFIG:
        Stack().up(system)
    return subject(
        context="",
        kubeconfig=Path(KUBECONFIG) if KUBECONFIG else None,
        image=os.environ.get("PERIMETER_E2E_IMAGE", ""),
        token_command=os.environ.get("PERIMETER_E2E_TOKENS", ""),
    )


@pytest.fixture(scope="module")
def running() -> Subject:
    return deployed("abc")


def probed(running: Subject, *families: Family, system: str = "abc") -> Report:
    return verify(
        topology(system),
        running.cluster,
        public=None,
        image=running.image,
        issuer=running.issuer,
        api_keys=None,
        choice=Choice(only=frozenset(families)),
        tell=quiet,
        subject=running.name,
    )


def failed(report: Report) -> Sequence[str]:
    return [f"{result.probe.id}: {result.said}" for result in report.of(Verdict.FAILED)]


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.name)
def test_verify_notices_that(sabotage: Sabotage, running: Subject) -> None:
    with applied(running.cluster, sabotage):
        assert _until(running, sabotage.noticed_by, broken=True), f"{sabotage.noticed_by} did not notice"
    assert _until(running, sabotage.noticed_by, broken=False), f"{sabotage.noticed_by} still complains after all was put back"


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_that_was_just_deployed_does_what_its_topology_says(system: str) -> None:
    report = probed(deployed(system), system=system)
    assert failed(report) == []
    assert report.outcome is not Outcome.FAILURE


def _until(running: Subject, family: Family, *, broken: bool) -> bool:
    """Probe one family until it says so, for as long as changes take to reach every proxy."""
    deadline = time.monotonic() + SPREADING
    while True:
        noticed = [result for result in probed(running, family).of(Verdict.FAILED) if result.probe.family is family]
        if bool(noticed) is broken:
            return True
        if time.monotonic() > deadline:
            return False
