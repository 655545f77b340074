"""The process in which a program runs: what Pulumi's language host does, with the monitor of this package in place of an engine.

Started as `python -P -m planner.worker <request> <records> <progress>`: a JSON file that says what to run, the file to write records to, and
the descriptor that is told the number of resources. Source: `sdk/python/cmd/pulumi-language-python-exec` of pulumi/pulumi.
"""

import asyncio
import atexit
import contextlib
import gc
import json
import logging
import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pulumi
import pulumi.runtime
from pulumi.runtime.settings import SETTINGS

from planner.deployment import Deployment
from planner.engine import Engine
from planner.failures import Origin, describe, describe_stall
from planner.loop import HostExecutor, PacedLoop, Stalled
from planner.monitor import Monitor
from planner.plan import Known, Mode
from planner.recorder import Recorder

_FRAMES = 10
"""How many frames of its stack the SDK keeps for every resource; the line of the project that makes it is the seventh or eighth."""

_COLLECT = (10_000, 10, 10)
"""Thresholds of the garbage collector for a program that makes many objects which live until its end."""


def main(request_file: str, records_file: str, progress_descriptor: str) -> None:
    """Run one program and record it."""
    request: dict[str, Any] = json.loads(Path(request_file).read_text(encoding="utf-8"))
    with open(records_file, "w", encoding="utf-8") as records, open(int(progress_descriptor), "w", encoding="ascii") as progress:
        recorder = Recorder(records, lambda count: _tell(progress.write, progress.flush, count))
        deployment = Deployment(
            project=request["project"],
            stack=request["stack"],
            organization=request["organization"],
            root=request["root"],
            config=request["config"],
            secret_keys=frozenset(request["secret_keys"]),
            mode=Mode(request["mode"]),
            known={urn: Known(**known) for urn, known in request["known"].items()},
        )
        run(deployment, request["entry"], Monitor(deployment, recorder), Engine(recorder), recorder)


def _tell(write: Callable[[str], int], flush: Callable[[], None], count: int) -> None:
    # Nobody may be listening any more, which is no reason to fail.
    with contextlib.suppress(OSError):
        write(f"{count}\n")
        flush()


def run(deployment: Deployment, entry: str, monitor: Monitor | str, engine: Engine | str, recorder: Recorder) -> None:
    """Run a program to its end and record what went wrong, if anything did.

    Args:
        deployment: what the program is told about itself.
        entry: the program's folder or file, seen from the current folder.
        monitor: what answers its registrations, or the address of that.
        engine: what takes its messages, or the address of that.
        recorder: where findings go.
    """
    pulumi.runtime.set_all_config(dict(deployment.config), list(deployment.secret_keys))
    settings = pulumi.runtime.Settings(
        project=deployment.project,
        stack=deployment.stack,
        monitor=monitor,
        engine=engine,
        parallel=4,
        dry_run=True,
        organization=deployment.organization,
        root_directory=deployment.root,
    )
    pulumi.runtime.configure(settings)
    # As in the language host: the SDK leaves futures behind that nobody awaits once a program has failed.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = PacedLoop()
    asyncio.set_event_loop(loop)
    loop.set_default_executor(
        HostExecutor(lambda: cast(Any, SETTINGS).callbacks is not None or (isinstance(monitor, Monitor) and monitor.calls_back))
    )
    sys.argv = [entry]
    origin = Origin.PROGRAM

    def program() -> None:
        nonlocal origin
        cast(Any, settings).rpc_manager.rpcs.append(loop.settled)
        sys.tracebacklimit = _FRAMES
        gc.freeze()
        gc.set_threshold(*_COLLECT)
        try:
            with loop.holding():
                runpy.run_path(entry, run_name="__main__")
        finally:
            with contextlib.suppress(AttributeError):
                del sys.tracebacklimit
            gc.freeze()
        origin = Origin.REGISTRATION

    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(program))
    except Stalled:
        recorder.finding(describe_stall(asyncio.all_tasks(loop)))
    except (Exception, SystemExit) as error:  # whatever the program raises is reported
        for finding in describe(error, origin, Path(deployment.root), recorder.findings):
            recorder.finding(finding)
    recorder.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
    # Freeing the program's objects one by one takes seconds, and threads it left behind have no part in the plan.
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage] # temporary files are removed there
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
