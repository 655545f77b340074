"""Calls that should be spared a delay: a fault holds them back every time, a machine under load for a while."""

import json
import time
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count

import pytest

from conformance import runner
from conformance.verdict import Verdict
from tests.conformance.servers import Quiet, asked_here, probe_of, serving, with_curl
from topology.derive.probes import Family, Request, Spared

pytestmark = with_curl
CALLS = 8
DELAY = 0.5


@contextmanager
def holding_back(calls: float) -> Generator[int]:
    """Run a service whose first calls, so many of them, are held back; yield its port."""
    made = count()

    class Handler(Quiet):
        def do_GET(self) -> None:
            if next(made) < calls:
                time.sleep(DELAY)
            self.answer(200, json.dumps({"service": "b-v1-5d4", "method": "GET", "path": self.path, "headers": {}}))

    with serving(Handler) as port:
        yield port


@pytest.mark.parametrize(
    ("calls", "verdict"),
    [(0, Verdict.PASSED), (CALLS, Verdict.PASSED), (float("inf"), Verdict.FAILED)],
    ids=["none", "for-a-while", "always"],
)
def test_a_delay_that_stays_is_a_fault_and_one_that_passes_is_not(calls: float, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "PAUSES", (0.0, 0.0))
    with holding_back(calls) as port:
        result = asked_here(probe_of(port, Family.FAULTS, Spared(percent=100, delay=DELAY), Request(path="/b", count=CALLS)))
    assert result.verdict is verdict, result.said
