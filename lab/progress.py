"""What is being made and how long it will still take."""

import errno
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from lab.errors import LabError


class Step(Protocol):
    """One part while it is being made."""

    def advance(self, done: float, detail: str = "") -> None:
        """Say which share is done, from 0 to 1."""
        ...


class Progress(Protocol):
    """Who is told."""

    def expect(self, parts: Sequence[tuple[str, int]]) -> None:
        """Learn what is to be made, and how many seconds each took when it was last measured."""
        ...

    def step(self, part: str) -> AbstractContextManager[Step]:
        """Show one part from its start to its end."""
        ...


class Estimate:
    """Seconds left, from what parts took elsewhere and how fast this machine has been so far."""

    def __init__(self) -> None:
        self._expected: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._since: float | None = None

    def expect(self, parts: Sequence[tuple[str, int]]) -> None:
        """Learn what is to be made."""
        self._expected.update({part: float(seconds) for part, seconds in parts})

    def advance(self, part: str, share: float, now: float) -> None:
        """Learn which share of a part is done at a moment."""
        self._since = now if self._since is None else self._since
        self._shares[part] = share

    def left(self, now: float) -> float:
        """Return the seconds that are left."""
        total = sum(self._expected.values())
        done = sum(seconds * self._shares.get(part, 0.0) for part, seconds in self._expected.items())
        pace = (now - self._since) / done if self._since is not None and done > 0.05 * total else 1.0
        return (total - done) * pace


@contextmanager
def _named(part: str) -> Generator[None]:
    """Say of which part it was that the machine refused something: a full disk, a file that may not be read."""
    try:
        yield
    except OSError as error:
        todo = "Make room on that disk" if error.errno == errno.ENOSPC else ""
        raise LabError(part, f"{error.filename}: {error.strerror}" if error.filename else str(error), todo=todo) from error


class ConsoleProgress:
    """Bars on a terminal; one line for each part elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._estimate = Estimate()
        self._lock = threading.Lock()
        self._bars: Bars | None = None

    def expect(self, parts: Sequence[tuple[str, int]]) -> None:
        """Learn what is to be made."""
        self._estimate.expect(parts)
        if parts and (minutes := self._estimate.left(time.monotonic()) / 60) >= 1:
            self._console.print(f"Making {len(parts)} parts, about {minutes:.0f} minutes once; they are kept for the next start.")

    @contextmanager
    def step(self, part: str) -> Generator[Step]:
        """Show one part from its start to its end."""
        began = time.monotonic()
        if not self._console.is_terminal:
            with _named(part):
                yield _Line(self, part)
            self._advance(part, 1.0)
            self._console.print(f"{part}: {time.monotonic() - began:.1f} s{self._left()}")
            return
        with self._lock:
            if self._bars is None:
                self._bars = Bars(
                    SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.fields[detail]}"), TimeElapsedColumn(),
                    console=self._console, transient=True,
                )  # fmt: skip
                self._bars.start()
            task = self._bars.add_task(part, total=1.0, detail="")
        try:
            with _named(part):
                yield _Bar(self, part, self._bars, task)
            self._advance(part, 1.0)
        finally:
            with self._lock:
                self._bars.remove_task(task)
                if not self._bars.tasks:
                    self._bars.stop()
                    self._bars = None
        self._console.print(f"[green]✓[/green] {part} [dim]{time.monotonic() - began:.1f} s{self._left()}[/dim]")

    def _advance(self, part: str, share: float) -> None:
        with self._lock:
            self._estimate.advance(part, share, time.monotonic())

    def _left(self) -> str:
        with self._lock:
            left = self._estimate.left(time.monotonic())
        return f", about {left / 60:.0f} min left" if left >= 60 else f", about {left:.0f} s left" if left >= 10 else ""


class _Line:
    def __init__(self, whole: ConsoleProgress, part: str) -> None:
        self._whole, self._part = whole, part

    def advance(self, done: float, detail: str = "") -> None:
        self._whole._advance(self._part, done)  # pyright: ignore[reportPrivateUsage]  # one thing in two classes


class _Bar(_Line):
    def __init__(self, whole: ConsoleProgress, part: str, bars: Bars, task: TaskID) -> None:
        super().__init__(whole, part)
        self._bars, self._task, self._what = bars, task, part

    def advance(self, done: float, detail: str = "") -> None:
        super().advance(done, detail)
        self._bars.update(self._task, completed=done, detail=detail + self._whole._left())  # pyright: ignore[reportPrivateUsage]


class Silent:
    """Tells nobody."""

    def expect(self, parts: Sequence[tuple[str, int]]) -> None:
        """Do nothing."""

    @contextmanager
    def step(self, part: str) -> Generator[Step]:
        """Do nothing around a part."""
        with _named(part):
            yield _Nothing()


class _Nothing:
    def advance(self, done: float, detail: str = "") -> None:
        pass
