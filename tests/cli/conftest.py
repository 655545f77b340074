"""What tests of commands share."""

import pytest

from cli import clusters


@pytest.fixture(autouse=True)
def any_context(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every name of a context be one: tests name clusters that no kubectl knows."""
    monkeypatch.setattr(clusters, "admit_context", lambda _: None)
