"""Event loop and executor that run a program's registrations a slice at a time.

Decision: how the SDK's cost is halved without touching the SDK
---------------------------------------------------------------
A Pulumi program registers everything it wants synchronously; only when it has ended does its event loop start the registrations, all at once.
For each the SDK makes some ten tasks, serialises its properties and waits: with 10,000 resources there are 10,000 serialised requests and
100,000 parked tasks in memory, and the SDK's `wait_for_rpcs` walks all of them every time some complete, which takes longer than the
registrations themselves. Four settings of what hosts the program, none of them in the SDK, avoid this:

- Work that the program schedules while it runs is held and fed to the loop in its own order, a slice whenever the loop has nothing else to do.
  asyncio promises no order between tasks, only that what is ready runs; a slice may wait for a later one, which then follows, so nothing can
  lock up. Requests in flight are bounded by the slice.
- `RPCManager.rpcs`, where the SDK keeps what it still waits for, gets one more awaitable: that the loop has come to rest. The SDK then waits for
  that first and finds everything else completed.
- Answers of the monitor are computed on the loop's own thread: they take microseconds, a thread's hand-over takes longer. Everything else a
  program gives to the default executor still runs on threads, and so do answers that call functions of the program (transforms).
- The monitor is an object in the program's process, which `pulumi.runtime.Settings` accepts in place of an address. It takes and gives the same
  messages as over a socket; `tests/planner/test_transport.py` plans the same program both ways and compares.

With these, and with the garbage collector set for many objects that live long (`planner.worker`), 8,800 resources took 19 s of processor time
and 0.3 GiB where the SDK's defaults took 36 s and 0.7 GiB, both with the monitor in the process; time and memory grow with the number of
resources. What is left is the SDK's own work: some 2 ms and 25 KiB a resource.
"""

import asyncio
import selectors
import threading
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context, copy_context
from typing import Any

_SLICE = 300
"""How many of the held callbacks the loop gets at a time: those of some forty resources."""

_WORKERS = 16
"""What the language host allows with its default parallelism of 4 (`pulumi-language-python-exec`)."""

_RPC_MODULE = "pulumi.runtime._context"
"""Where the SDK wraps its requests to the monitor before it gives them to the executor."""


class Stalled(Exception):
    """A program that waits for something that nothing can bring about any more."""


class _Selector(selectors.DefaultSelector):
    """Tells the loop's owner before the loop goes to sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.before_sleep: Callable[[bool], bool] = lambda forever: False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for files, but not if there is something to do instead."""
        if timeout != 0 and self.before_sleep(timeout is None):
            timeout = 0
        return super().select(timeout)


class PacedLoop(asyncio.SelectorEventLoop):
    """An event loop that holds what is scheduled while `holding`, and feeds it to itself a slice at a time."""

    def __init__(self) -> None:
        self._files = _Selector()
        super().__init__(self._files)
        self._files.before_sleep = self._rest
        self._held: deque[tuple[asyncio.Handle, Callable[..., object], tuple[Any, ...], Context]] = deque()
        self._is_holding = False
        self.settled: asyncio.Future[None] = self.create_future()
        """Done when everything that was held has run, or waits for time, files or threads."""

    @contextmanager
    def holding(self) -> Generator[None]:
        """Hold what is scheduled meanwhile."""
        self._is_holding = True
        try:
            yield
        finally:
            self._is_holding = False

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """Schedule a callback, now or when its slice comes."""
        if not self._is_holding:
            return super().call_soon(callback, *args, context=context)
        context = copy_context() if context is None else context
        handle = asyncio.Handle(callback, args, self, context)
        self._held.append((handle, callback, args, context))
        return handle

    def _rest(self, forever: bool) -> bool:
        """Feed a slice; when there is none left, settle; when nothing can happen after that, say so."""
        if self._held:
            for _ in range(min(_SLICE, len(self._held))):
                handle, callback, args, context = self._held.popleft()
                super().call_soon(_unless_cancelled, handle, callback, args, context=context)
            return True
        if not self._is_holding and not self.settled.done():
            self.settled.set_result(None)
            return True
        if forever and threading.active_count() == 1 and len(self._files.get_map()) <= 1:
            raise Stalled
        return False


def _unless_cancelled(handle: asyncio.Handle, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
    if not handle.cancelled():
        callback(*args)


class HostExecutor(ThreadPoolExecutor):
    """The loop's default executor: answers of the monitor at once, everything else on threads."""

    def __init__(self, calls_back: Callable[[], bool]) -> None:
        """Create an executor.

        Args:
            calls_back: whether an answer of the monitor may need the event loop, and so must not be given on its thread.
        """
        super().__init__(_WORKERS)
        self._calls_back = calls_back

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run a function, here or on a thread."""
        if getattr(fn, "__module__", None) != _RPC_MODULE or self._calls_back():
            return super().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # the caller gets it, as from a thread
            future.set_exception(error)
        return future
