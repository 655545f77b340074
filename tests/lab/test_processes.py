import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab import processes
from lab.errors import LabError
from lab.processes import Process


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(processes, "RUN", tmp_path / "run")
    monkeypatch.setattr(processes, "LOGS", tmp_path / "logs")
    return tmp_path


def sleeper(seconds: int = 60) -> list[str]:
    return [sys.executable, "-c", f"import time; time.sleep({seconds})"]


def test_a_started_process_is_known_until_it_is_stopped(folders: Path) -> None:
    started = processes.start("sleeper", sleeper())
    assert processes.known("sleeper") == started
    processes.stop("sleeper")
    assert processes.known("sleeper") is None
    assert not started.alive()


def test_starting_what_runs_changes_nothing(folders: Path) -> None:
    first = processes.start("sleeper", sleeper())
    assert processes.start("sleeper", sleeper()) == first
    processes.stop("sleeper")


def test_another_process_with_the_same_id_is_not_ours(folders: Path) -> None:
    started = processes.start("sleeper", sleeper())
    (folders / "run" / "sleeper.pid").write_text(f"{started.pid} {int(started.started) - 1}")
    assert processes.known("sleeper") is None
    started.end(5)


def test_an_unreadable_id_file_means_that_nothing_runs(folders: Path) -> None:
    (folders / "run").mkdir()
    (folders / "run" / "etcd.pid").write_text("half writ")
    assert processes.known("etcd") is None


def test_a_zombie_does_not_run() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        deadline = time.monotonic() + 10
        while Process.of(child.pid) is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert Process.of(child.pid) is None


def test_a_process_that_was_just_killed_is_not_taken_for_a_running_one(folders: Path) -> None:
    heavy = "import threading, time; held = bytearray(200_000_000); [threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(30)]; print('up')"
    for attempt in range(10):  # the kernel needs a moment for some of them alone
        name = f"heavy-{attempt}"
        started = processes.start(name, [sys.executable, "-u", "-c", heavy])
        processes.until("it is large", lambda name=name: "up" in (folders / "logs" / f"{name}.log").read_text(), 30)
        os.kill(started.pid, signal.SIGKILL)
        assert processes.known(name) is None
        processes.stop(name)
        assert not started.holds()


def test_a_process_whose_threads_still_hold_its_socket_is_waited_for(folders: Path) -> None:
    dying = """
import ctypes, platform, socket, threading, time
held = socket.socket(); held.bind(("127.0.0.1", 0)); held.listen()
threading.Thread(target=lambda: time.sleep(2)).start()
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)  # exit(2) of the first thread alone
"""
    first = processes.start("server", [sys.executable, "-c", dying])
    deadline = time.monotonic() + 10
    while first.alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes.known("server") is None
    assert first.holds()
    second = processes.start("server", sleeper())
    assert not first.holds()
    assert second != first
    second.end(5)


def test_a_process_that_does_not_listen_is_killed(folders: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    started = processes.start("deaf", [sys.executable, "-c", deaf])
    processes.until("it listens to nothing", lambda: "deaf" in (folders / "logs" / "deaf.log").read_text(), 10)
    processes.stop("deaf", patience=0.2)
    assert not started.alive()


def test_a_child_of_a_prefix_is_what_is_known(folders: Path) -> None:
    shell = ["sh", "-c", '"$@" & wait', "sh"]
    started = processes.start("sleeper", sleeper(), prefix=shell, forks=True)
    assert b"time.sleep" in Path(f"/proc/{started.pid}/cmdline").read_bytes()
    processes.stop("sleeper")


def test_a_program_that_is_not_there_is_named(folders: Path) -> None:
    with pytest.raises(LabError, match=r"lab: etcd: /nowhere/etcd cannot be started"):
        processes.start("etcd", ["/nowhere/etcd"])


def test_waiting_ends_with_the_process_that_is_waited_for(folders: Path) -> None:
    processes.start("brief", [sys.executable, "-c", "import time; time.sleep(1); print('port 2379 is taken')"])
    with pytest.raises(LabError, match=r"brief: ended before it is ready: port 2379 is taken\. Log: .*brief\.log"):
        processes.until("it is ready", lambda: False, 30, of="brief")


def test_waiting_has_an_end() -> None:
    with pytest.raises(LabError, match=r"it rains: not within 0 s"):
        processes.until("it rains", lambda: False, 0)
