"""What the clock leaves: where a run has to end at a fixed time, a test for which none is left is skipped with these words, not cut off."""

import os
import time
from typing import Final

import pytest

UNTIL: Final = "PERIMETER_E2E_UNTIL"
"""Seconds since 1970 after which no test begins; not set: all run."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test before anything is set up for it."""
    until = os.environ.get(UNTIL)
    if until and time.time() > int(until):
        pytest.skip(f"{item.name}: no time is left ({UNTIL})")
