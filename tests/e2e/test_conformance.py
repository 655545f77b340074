"""`verify` on the embedded cluster: quiet about what was just deployed, loud for every sabotage. Run by `make e2e`."""

import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.conformance import Subject, subject
from conformance.report import Report
from conformance.runner import Result
from conformance.verdict import TOO_SLOW, Verdict
from conformance.verify import Choice, quiet, verify
from tests.e2e.sabotage import SABOTAGES, Sabotage, applied
from tests.e2e.stack import Stack
from tests.systems import topology
from topology.derive.probes import Family, probes

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


def excused(result: Result) -> bool:
    """Say whether a probe need not have been run: a small machine meets no limit of a thousand requests a second."""
    return result.verdict is Verdict.NOT_RUN and result.probe.family is Family.SERVICE_LIMITS and TOO_SLOW in result.said


def unasked(report: Report) -> Sequence[str]:
    return [f"{result.probe.id}: {result.said}" for result in report.of(Verdict.NOT_RUN) if not excused(result)]


@pytest.mark.parametrize("sabotage", SABOTAGES, ids=lambda sabotage: sabotage.name)
def test_verify_notices_that(sabotage: Sabotage, running: Subject) -> None:
    with applied(running.cluster, sabotage):
        assert _until(running, sabotage.noticed_by, broken=True), f"{sabotage.noticed_by} did not notice"
    assert _until(running, sabotage.noticed_by, broken=False), f"{sabotage.noticed_by} still complains after all was put back"


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_that_was_just_deployed_does_what_its_topology_says(system: str) -> None:
    report = probed(deployed(system), system=system)
    assert failed(report) == []
    assert unasked(report) == []
    assert {result.probe.id for result in report.results} == {probe.id for probe in probes(topology(system))}


def _until(running: Subject, family: Family, *, broken: bool) -> bool:
    """Probe one family until it says so, for as long as changes take to reach every proxy."""
    deadline = time.monotonic() + SPREADING
    while True:
        found = Counter(result.verdict for result in probed(running, family).results if result.probe.family is family)
        if found[Verdict.FAILED] if broken else found[Verdict.PASSED] and not found[Verdict.FAILED]:
            return True
        if time.monotonic() > deadline:
            return False
