"""What comes first, and what the clock leaves."""

import os
import time
from typing import Final

import pytest

UNTIL: Final = "PERIMETER_E2E_UNTIL"
"""Seconds since 1970 after which no test begins; not set: all run."""

FIRST: Final = ("test_deploy", "test_conformance", "test_resilience")
"""Files by what their tests are worth where not all can run; the others follow."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in order; those of one file stay in theirs."""
    rank = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(FIRST)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test for which no time is left, with these words, before anything is set up for it."""
    until = os.environ.get(UNTIL)
    if until and time.time() > int(until):
        pytest.skip(f"{item.name}: no time is left ({UNTIL})")
