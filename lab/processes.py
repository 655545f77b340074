"""Processes that outlive us: each is known by its id and by when it started, since ids are used again."""

import atexit
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lab.errors import LabError
from lab.settings import LOGS, RUN

PAUSE: Final = 0.1
LETTING_GO: Final = 30
"""Seconds that the kernel may take to bury a process of many threads."""
_EXITING: Final = 0x4
"""PF_EXITING of the kernel's include/linux/sched.h."""
_CHILDREN: Final[list["subprocess.Popen[bytes]"]] = []
"""What this process started."""


@atexit.register
def _leave() -> None:
    """Say nothing of what goes on after this process: Python would warn of each."""
    for child in _CHILDREN:
        if child.poll() is None:
            child.returncode = 0


@dataclass(frozen=True, kw_only=True)
class _Stat:
    state: str
    flags: int
    started: str

    @property
    def gone(self) -> bool:
        """A zombie, or dead."""
        return self.state in "ZX"


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process as the kernel tells it from all others since the machine started."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Process | None":
        """Return the running process of an id; a zombie does not run, nor does one that is killed and not yet gone."""
        stat = _stat(pid)
        return None if stat.gone or stat.flags & _EXITING or _killed(pid) else cls(pid=pid, started=stat.started)

    def alive(self) -> bool:
        """Say whether it still runs."""
        return Process.of(self.pid) == self

    def holds(self) -> bool:
        """Say whether it runs or still holds something: of a killed one, threads keep files and sockets open after it counts as a zombie."""
        stat = _stat(self.pid)
        try:
            threads = len(os.listdir(f"/proc/{self.pid}/task"))
        except OSError:
            return False
        return stat.started == self.started and (not stat.gone or threads > 1)

    def end(self, patience: float) -> None:
        """Ask it to end, kill it when it does not within so many seconds, and wait until it has let go of everything."""
        for how, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, LETTING_GO)):
            if self.holds():
                with suppress(ProcessLookupError):
                    os.kill(self.pid, how)
            deadline = time.monotonic() + seconds
            while self.holds() and time.monotonic() < deadline:
                time.sleep(PAUSE)


def known(name: str) -> Process | None:
    """Return the process that was started under a name, if it still runs."""
    process = former(name)
    return process if process and process.alive() else None


def former(name: str) -> Process | None:
    """Return the process that was last started under a name, whether it runs or not."""
    try:
        pid, started = _file(name).read_text().split()
        return Process(pid=int(pid), started=started)
    except (OSError, ValueError):
        return None


def start(
    name: str, command: Sequence[str | Path], *, prefix: Sequence[str | Path] = (), forks: bool = False, cwd: Path | None = None
) -> Process:
    """Start a process in a session of its own, unless the one of this name runs.

    Args:
        name: name of its id file and of its log.
        command: program and arguments.
        prefix: program that starts it, such as `nsenter …`.
        forks: whether the prefix starts it as a child and stays its parent.
        cwd: working folder.

    Raises:
        LabError: it cannot be started, or ends at once.
    """
    if found := known(name):
        return found
    if before := former(name):
        until("its former process has let go of everything", lambda: not before.holds(), LETTING_GO)
    log = LOGS / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    RUN.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        words = [str(word) for word in (*prefix, *command)]
        try:
            parent = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True, cwd=cwd)
        except OSError as error:
            raise LabError(name, f"{words[0]} cannot be started: {error.strerror}") from error
    _CHILDREN.append(parent)
    found = _child(parent) if forks else Process.of(parent.pid)
    if found is None:
        raise LabError(name, "ended at once", log=log)
    _file(name).write_text(f"{found.pid} {found.started}")
    return found


def stop(name: str, patience: float = 10) -> None:
    """End a process, by force when it does not listen."""
    if process := former(name):
        process.end(patience)
    _file(name).unlink(missing_ok=True)


def until(what: str, condition: Callable[[], bool], seconds: float, *, of: str | None = None) -> None:
    """Wait for a condition.

    Args:
        what: what is waited for, for the message.
        condition: asked again and again.
        seconds: how long at most.
        of: name of the process on which it depends: when that ends, so does the waiting.

    Raises:
        LabError: it did not become true in time.
    """
    deadline = time.monotonic() + seconds
    log = LOGS / f"{of}.log" if of else None
    while not condition():
        if of and known(of) is None:
            raise LabError(of, f"ended before {what}: {_tail(log)}", log=log)
        if time.monotonic() > deadline:
            late = f"not within {seconds:.0f} s"
            raise LabError(of, f"{what}: {late}", log=log) if of else LabError(what, late, log=LOGS)
        time.sleep(PAUSE)


def _tail(log: Path | None) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log and log.exists() else []
    return lines[-1][:400] if lines else "it wrote nothing"


def _child(parent: "subprocess.Popen[bytes]") -> Process | None:
    """Return the first child of a process that was just started."""
    deadline = time.monotonic() + 5
    while parent.poll() is None and time.monotonic() < deadline:
        try:
            children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        except OSError:
            return None
        if children:
            return Process.of(int(children[0]))
        time.sleep(0.01)
    return None


def _stat(pid: int) -> _Stat:
    """Return what the kernel says of a process; one that is not there is dead (proc(5))."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return _Stat(state="X", flags=0, started="")
    return _Stat(state=fields[0], flags=int(fields[6]), started=fields[19])


def _killed(pid: int) -> bool:
    """Say whether SIGKILL waits for a process: the kernel may take long to end one of many threads, and calls it running until then."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return True
    pending = [int(value, 16) for name, _, value in (line.partition(":") for line in lines) if name in {"SigPnd", "ShdPnd"}]
    return any(signals & (1 << (signal.SIGKILL - 1)) for signals in pending)


def _file(name: str) -> Path:
    return RUN / f"{name}.pid"
