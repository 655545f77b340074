"""What pytest shows of all tests together."""

from tests.policies.mutations.summary import pytest_terminal_summary

__all__ = ["pytest_terminal_summary"]
