"""The embedded cluster on this machine: whole, repaired, and gone without a trace."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lab
from lab import processes, sandbox
from lab.cluster import PROCESSES

pytestmark = pytest.mark.skipif("PERIMETER_E2E" not in os.environ, reason="needs the embedded cluster: make e2e")

SYSCTLS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward")


def _wrote(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _machine() -> dict[str, object]:
    """Return what the lab could have changed."""
    return {
        "mounts": sorted(line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()),
        "links": sorted(path.name for path in Path("/sys/class/net").iterdir()),
        "routes": _wrote("ip", "route", "show", "table", "all"),
        "namespaces": _wrote("ip", "netns", "list"),
        "settings": {name: Path("/proc/sys", name).read_text() for name in SYSCTLS},
        "groups": sorted(str(path) for path in Path("/sys/fs/cgroup").glob("*/k8s.io/*")),
        "folders": sorted(
            path.name
            for place in ("/run", "/var/log", "/var/lib", "/etc/cni", "/opt")
            if Path(place).is_dir()
            for path in Path(place).iterdir()
        ),
    }


def _processes() -> dict[str, processes.Process | None]:
    return {name: processes.known(name) for name in (sandbox.INIT, *PROCESSES)}


@pytest.fixture(scope="module")
def running() -> lab.Lab:
    return lab.start()


def test_every_part_runs(running: lab.Lab) -> None:
    assert all(_processes().values())
    assert lab.current() == running


def test_starting_what_runs_changes_nothing(running: lab.Lab) -> None:
    before = _processes()
    assert lab.start() == running
    assert _processes() == before


@pytest.mark.parametrize("part", ["etcd", "kube-apiserver", "containerd", "kubelet", "enforcer", "internet"])
def test_a_part_that_was_killed_comes_back_with_the_next_start(running: lab.Lab, part: str) -> None:
    process = processes.known(part)
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    lab.start()
    found = processes.known(part)
    assert found is not None
    assert found != process


def test_a_start_that_was_killed_half_way_is_completed_by_the_next(running: lab.Lab) -> None:
    lab.stop()
    with subprocess.Popen([sys.executable, "-m", "lab", "start"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as starting:
        deadline = time.monotonic() + 120
        while processes.known("kube-apiserver") is None and time.monotonic() < deadline:
            time.sleep(0.05)
        starting.kill()
    assert lab.current() is None
    lab.start()
    assert all(_processes().values())


def test_stopping_leaves_the_machine_as_it_was() -> None:
    lab.stop()
    before = _machine()
    lab.start()
    assert _machine() != before
    lab.stop()
    assert _machine() == before
    lab.stop()
    assert lab.current() is None
