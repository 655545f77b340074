"""Limits of the machine: raised and put back."""

from pathlib import Path

import pytest

from lab import machine

INSTANCES = "fs/inotify/max_user_instances"


@pytest.fixture
def sysctls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of a machine of its own."""
    monkeypatch.setattr(machine, "SYSCTLS", tmp_path / "sys")
    monkeypatch.setattr(machine, "RUN", tmp_path / "run")
    for name in machine.NEEDED:
        (tmp_path / "sys" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sys" / name).write_text("128\n")
    return tmp_path / "sys"


def test_what_is_too_low_is_raised_and_put_back(sysctls: Path) -> None:
    machine.raise_limits()
    assert int((sysctls / INSTANCES).read_text()) == machine.NEEDED[INSTANCES]
    machine.raise_limits()
    machine.restore_limits()
    assert (sysctls / INSTANCES).read_text() == "128\n"


def test_what_is_enough_is_left_alone(sysctls: Path) -> None:
    (sysctls / INSTANCES).write_text("1000000\n")
    machine.raise_limits()
    assert (sysctls / INSTANCES).read_text() == "1000000\n"
    machine.restore_limits()
    assert (sysctls / INSTANCES).read_text() == "1000000\n"


def test_what_somebody_else_changed_since_is_left_alone(sysctls: Path) -> None:
    machine.raise_limits()
    (sysctls / INSTANCES).write_text("4096\n")
    machine.restore_limits()
    assert (sysctls / INSTANCES).read_text() == "4096\n"
