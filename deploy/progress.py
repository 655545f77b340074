"""What is told while a deployment runs: a line for each kind that is finished, and what is being waited for."""

import threading
import time
from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from types import TracebackType
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from deploy.errors import Trouble
from deploy.objects import Change

_PATIENCE: Final = 15.0
"""Seconds without news after which plain output says what is being waited for."""
_REPEAT: Final = 60.0
"""Seconds after which the same is said again."""
_SHOWN: Final = 6


class Progress:
    """Tells a console how far a deployment is. Threads may share it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._expected: Counter[str] = Counter()
        self._finished: dict[str, Counter[Change]] = {}
        self._running: dict[str, float] = {}
        self._why: dict[str, str] = {}
        self._spent: dict[str, float] = {}
        self._began = time.monotonic()
        self._last = self._began
        self._said = ""
        self._live: Live | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Progress":
        """Begin to tell."""
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._table, console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
        self._thread = threading.Thread(target=self._watch, name="progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Tell what was not finished, and stop."""
        self._over.set()
        if self._thread:
            self._thread.join()
        if self._live:
            self._live.stop()
        with self._lock:
            for kind_ in list(self._finished):
                self._line(kind_)

    def expect(self, kinds: Iterable[str]) -> None:
        """Say what is to come."""
        with self._lock:
            self._expected.update(kinds)

    @contextmanager
    def running(self, kind: str, name: str) -> Generator[None]:
        """Show something as being done."""
        began = time.monotonic()
        with self._lock:
            self._running[name] = began
        try:
            yield
        finally:
            with self._lock:
                self._running.pop(name, None)
                self._why.pop(name, None)
                self._spent[kind] = max(self._spent.get(kind, 0.0), time.monotonic() - began)

    def waiting(self, name: str, why: str) -> None:
        """Say what something in hand waits for."""
        with self._lock:
            self._why[name] = why

    def finished(self, kind: str, change: Change) -> None:
        """Say what became of one thing; the last of its kind makes a line."""
        with self._lock:
            counts = self._finished.setdefault(kind, Counter())
            counts[change] += 1
            if counts.total() >= self._expected[kind]:
                self._line(kind)

    def failed(self, trouble: Trouble) -> None:
        """Tell a trouble at once."""
        with self._lock:
            self._print(f"[red]✗[/red] {escape(str(trouble))}")

    def note(self, text: str) -> None:
        """Tell something else."""
        with self._lock:
            self._print(escape(text))

    def _line(self, kind: str) -> None:
        counts = self._finished.pop(kind)
        total = counts.total()
        self._expected[kind] -= total
        if set(counts) == {Change.SAME}:
            return
        said = ", ".join(f"{counts[change]} {change}" for change in Change if counts[change])
        self._print(f"[green]✓[/green] {escape(kind)}: {said} [dim]({self._spent.get(kind, 0.0):.1f} s)[/dim]")

    def _print(self, text: str) -> None:
        self._last = time.monotonic()
        self._console.print(text, highlight=False, soft_wrap=True)

    def _table(self) -> Table:
        with self._lock:
            table = Table.grid(padding=(0, 1))
            now = time.monotonic()
            waiting = sorted(self._running.items(), key=lambda each: each[1])
            table.add_row(f"[bold]{now - self._began:4.0f} s[/bold]", f"{sum(self._expected.values())} to go, {len(waiting)} in hand")
            for name, since in waiting[:_SHOWN]:
                table.add_row(f"{now - since:4.0f} s", f"{escape(name)} [dim]{escape(self._why.get(name, ''))}[/dim]")
            return table

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            with self._lock:
                if self._live is None and self._running and time.monotonic() - self._last > _PATIENCE:
                    oldest = sorted(self._running, key=lambda name: self._running[name])[:_SHOWN]
                    said = "; ".join(f"{name}{f' ({self._why[name]})' if name in self._why else ''}" for name in oldest)
                    more = len(self._running) - len(oldest)
                    if said != self._said or time.monotonic() - self._last > _REPEAT:
                        self._said = said
                        self._print(f"  waiting for {escape(said)}{f' and {more} more' if more > 0 else ''}")
