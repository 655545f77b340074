"""Does everything of an ordered set, as much at a time as the order allows, until something fails."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Final, TypeVar

from deploy.order import Frontier

_THREADS: Final = 64
"""Most of what is in hand only waits: for pods, for Helm, for finalizers."""

_AT_A_TIME: Final = 8
"""Requests that the API server answers at once."""

T = TypeVar("T", bound=str)
A = TypeVar("A")
B = TypeVar("B")


def run_all(after: Mapping[T, Iterable[T]], do: Callable[[T], object], stop: Callable[[], None]) -> dict[T, Exception]:
    """Do everything, each after what it comes after; returns what failed.

    After the first failure nothing new is begun, and what is in hand is told to end: it may wait for what is never begun.

    Args:
        after: what comes after what.
        do: does one thing; runs on several threads.
        stop: makes everything in hand end soon.
    """
    frontier = Frontier(after)
    failed: dict[T, Exception] = {}
    running: dict[Future[object], T] = {}
    with ThreadPoolExecutor(_THREADS) as pool:
        try:
            while True:
                for item in frontier.take() if not failed else ():
                    running[pool.submit(do, item)] = item
                if not running:
                    return failed
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    item = running.pop(future)
                    error = future.exception()
                    if isinstance(error, Exception):
                        failed[item] = error
                        stop()
                    elif error is not None:
                        raise error
                    else:
                        frontier.done(item)
        except BaseException:
            stop()
            raise


def each(do: Callable[[A], B], given: Iterable[A]) -> list[B]:
    """Return what a function returns for each of many things, asked of a few at a time."""
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(do, given))
