"""Plans by the hundred: the program runs in copies of one process that has read its modules, where `plan_program` reads them each time."""

import json
import multiprocessing
import os
from collections.abc import Callable
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from unittest.mock import patch

from planner import program as planning
from planner import worker
from planner.environment import environment_with
from planner.plan import Plan
from planner.program import plan_program
from planner.project import Program
from tests.systems import ROOT

LONGEST = 60.0
"""Seconds after which a program is given up; one takes less than one."""


@cache
def _copies() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "components.system", "planner.worker", "pulumi_kubernetes", "tests.cross.planning"])
    return context


def _work(program: Program, request: str, records: str) -> None:
    os.chdir(program.folder)
    os.environ.update(environment_with(PULUMI_CONFIG=json.dumps(dict(program.config))))
    worker.main(request, records, str(os.open(os.devnull, os.O_WRONLY)))
    os._exit(0)


def _run(program: Program, files: tuple[str, str], descriptors: tuple[int, ...], progress: Callable[[int], None]) -> tuple[int, str]:
    process = _copies().Process(target=_work, args=(program, *files))
    process.start()
    process.join(LONGEST)
    process.kill()
    process.join()
    return process.exitcode or 0, ""


def planned(file: Path, stack: str = "local") -> Plan:
    """Return the plan of a topology file."""
    with patch.object(planning, "_run", _run):
        return plan_program(ROOT, stack, {"perimeter:topology": str(file)})
