"""What holds for all tests together: what pytest shows of them, and which random examples hypothesis tries.

Who changes nothing gets the same examples, so that a change is judged by itself. `make fuzz` tries others.
"""

import os

from hypothesis import settings

from tests.policies.mutations.summary import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]

settings.register_profile("gate", derandomize=True, database=None)
settings.register_profile("fuzz", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))
