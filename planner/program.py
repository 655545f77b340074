"""Plans a program: runs it in a process of its own and reads what it registered."""

import heapq
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from planner import wire
from planner.environment import environment_with
from planner.errors import PlanError
from planner.plan import Mode, Plan
from planner.project import Program, load_program

__all__ = ["Mode", "Plan", "PlanError", "plan_program"]

_TAIL = 4_000
"""How many characters of what a program printed are shown when it broke off."""


def plan_program(
    project: Path,
    stack: str,
    config: Mapping[str, str] = {},
    *,
    mode: Mode = Mode.PESSIMISTIC,
    progress: Callable[[int], None] | None = None,
) -> Plan:
    """Return what a Pulumi program would create.

    The program runs unmodified in a fresh process, without engine, login or credentials. Calls for different modes may run side by side.

    Args:
        project: the folder of Pulumi.yaml.
        stack: the stack's name.
        config: values of config keys (`<project>:<key>`), in place of those of the stack's file.
        mode: how values are taken that only a deployment knows.
        progress: told how many resources have been registered so far, now and then.

    Raises:
        PlanError: with everything for which there is no plan.
    """
    program = load_program(project, stack, config)
    with tempfile.TemporaryDirectory(prefix="plan-") as name:
        folder = _Folder(Path(name))
        folder.request.write_text(json.dumps(_request(program, mode)), encoding="utf-8")
        code = _run(program, folder, progress or (lambda count: None))
        run = _Run.read(folder.records)
        printed = folder.printed.read_text(encoding="utf-8", errors="replace")
    if run.findings:
        raise PlanError(run.findings)
    if not run.ended:
        raise PlanError([f"the program's process ended with code {code} before the program did.\n{printed[-_TAIL:]}".rstrip()])
    return Plan(tuple(_ordered(run.resources)), mode, (*printed.splitlines(), *run.messages))


class _Folder:
    """The files through which a run is told what to do, and tells what came of it."""

    def __init__(self, path: Path) -> None:
        self.request = path / "request"
        self.records = path / "records"
        self.printed = path / "printed"


def _run(program: Program, folder: _Folder, progress: Callable[[int], None]) -> int:
    """Run a program to its end and return its process's exit code."""
    reading, writing = os.pipe()
    with open(reading, encoding="ascii") as told, folder.printed.open("wb") as printed:
        command = [sys.executable, "-P", "-m", "planner.worker", str(folder.request), str(folder.records), str(writing)]
        environment = _environment(program)
        process = subprocess.Popen(
            command, cwd=program.folder, env=environment, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, pass_fds=[writing]
        )
        os.close(writing)
        try:
            for line in told:
                progress(int(line))
            return process.wait()
        finally:
            process.kill()
            process.wait()


def _request(program: Program, mode: Mode) -> dict[str, Any]:
    return {
        "project": program.project,
        "stack": program.stack,
        "organization": program.organization,
        "root": str(program.root),
        "entry": program.entry,
        "config": program.config,
        "secret_keys": program.secret_keys,
        "mode": mode,
    }


def _environment(program: Program) -> dict[str, str]:
    """Return the environment that the language host gives a program."""
    return environment_with(PULUMI_CONFIG=json.dumps(dict(program.config)), PULUMI_CONFIG_SECRET_KEYS=json.dumps(program.secret_keys))


class _Run:
    """The records of a run. See `planner.recorder`."""

    def __init__(self) -> None:
        self.resources: dict[str, dict[str, Any]] = {}
        self.findings: list[str] = []
        self.messages: list[str] = []
        self.ended = False

    @classmethod
    def read(cls, records: Path) -> "_Run":
        """Read what a process wrote, as far as it got."""
        run = cls()
        with records.open(encoding="utf-8") if records.exists() else open(os.devnull, encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):
                    for kind, *values in json.loads(line):
                        run._take(kind, values)
        return run

    def _take(self, kind: str, values: list[Any]) -> None:
        match kind:
            case "resource":
                state = cast(dict[str, Any], values[0])
                if state.get("outputs") == "=":
                    state["outputs"] = state["inputs"]
                self.resources[state["urn"]] = state
            case "outputs":
                urn, outputs = values
                if urn in self.resources and outputs:
                    self.resources[urn]["outputs"] = outputs
            case "finding":
                self.findings.append(values[0])
            case "message":
                self.messages.append(values[0])
            case _:
                self.ended = True


def _ordered(resources: Mapping[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the stack, then the others sorted by urn, but each after everything it refers to. Pulumi's tools reject a state in any other order."""
    followers: dict[str, list[str]] = {}
    missing: dict[str, int] = {}
    for urn, state in resources.items():
        before = {other for other in _references(state) if other in resources and other != urn}
        missing[urn] = len(before)
        for other in before:
            followers.setdefault(other, []).append(urn)
    ready = [(resources[urn]["type"] != wire.STACK_TYPE, urn) for urn, count in missing.items() if not count]
    heapq.heapify(ready)
    while ready:
        _, urn = heapq.heappop(ready)
        yield resources[urn]
        for follower in followers.get(urn, ()):
            missing[follower] -= 1
            if not missing[follower]:
                heapq.heappush(ready, (True, follower))


def _references(state: Mapping[str, Any]) -> Iterator[str]:
    yield state.get("parent", "")
    yield state.get("deletedWith", "")
    yield state.get("provider", "").rpartition("::")[0]
    yield from state.get("dependencies", ())
    yield from state.get("replaceWith", ())
    for urns in state.get("propertyDependencies", {}).values():
        yield from urns
