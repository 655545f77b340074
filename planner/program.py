"""Plans a program: runs it in a process of its own and reads what it registered."""

import heapq
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from planner import wire
from planner.environment import environment_with
from planner.errors import PlanError
from planner.plan import Known, Mode, Plan
from planner.project import Program, load_program

__all__ = ["Known", "Mode", "Plan", "PlanError", "plan_program", "resolve_program"]

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
        folder = Path(name)
        (folder / "request").write_text(json.dumps(_request(program, mode, {})), encoding="utf-8")
        code, printed = _run(program, (str(folder / "request"), str(folder / "records")), (), progress or _unheard)
        records = folder / "records"
        with records.open("rb") if records.exists() else open(os.devnull, "rb") as lines:
            run = _Run.read(lines)
    return _plan(run, mode, code, printed)


def resolve_program(project: Path, stack: str, config: Mapping[str, str], known: Mapping[str, Known]) -> Plan:
    """Return what a Pulumi program would create, given what a deployment has made of it so far.

    The plan's secrets have their values, which pass through pipes only. The program is told, as in a preview, that nothing is changed: outputs
    that are in no `known` are unknown to it, and not absent.

    Args:
        project: the folder of Pulumi.yaml.
        stack: the stack's name.
        config: values of config keys, in place of those of the stack's file.
        known: what exists already, by urn.

    Raises:
        PlanError: with everything for which there is no plan.
    """
    program = load_program(project, stack, config)
    asked, answered = os.pipe(), os.pipe()
    request = _request(program, Mode.RESOLVED, known)
    with ThreadPoolExecutor(2) as pool:
        pool.submit(_write, asked[1], json.dumps(request).encode())
        records = pool.submit(_read, answered[0])
        try:
            code, printed = _run(program, (f"/dev/fd/{asked[0]}", f"/dev/fd/{answered[1]}"), (asked[0], answered[1]), _unheard)
        finally:
            # The threads end when the last copy of the other ends is closed, however the process ended.
            os.close(asked[0])
            os.close(answered[1])
        return _plan(_Run.read(records.result().splitlines(keepends=True)), Mode.RESOLVED, code, printed)


def _plan(run: "_Run", mode: Mode, code: int, printed: str) -> Plan:
    if run.findings:
        raise PlanError(run.findings)
    if not run.ended:
        raise PlanError([f"the program's process ended with code {code} before the program did.\n{printed[-_TAIL:]}".rstrip()])
    return Plan(tuple(_ordered(run.resources)), mode, (*printed.splitlines(), *run.messages))


def _unheard(count: int) -> None:
    """Tell nobody."""


def _write(descriptor: int, data: bytes) -> None:
    with suppress(BrokenPipeError), open(descriptor, "wb") as file:
        file.write(data)


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


def _run(program: Program, files: tuple[str, str], descriptors: tuple[int, ...], progress: Callable[[int], None]) -> tuple[int, str]:
    """Run a program to its end and return its process's exit code, and what it printed.

    Args:
        program: what to run.
        files: where it is told what to do, and where it tells what came of it (`planner.recorder`).
        descriptors: what it must inherit to open those.
        progress: told how many resources have been registered.
    """
    reading, writing = os.pipe()
    with open(reading, encoding="ascii") as told, tempfile.TemporaryFile() as printed:
        command = [sys.executable, "-P", "-m", "planner.worker", *files, str(writing)]
        process = subprocess.Popen(
            command,
            cwd=program.folder,
            env=_environment(program),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            pass_fds=[writing, *descriptors],
        )
        os.close(writing)
        try:
            for line in told:
                progress(int(line))
            code = process.wait()
        finally:
            process.kill()
            process.wait()
        printed.seek(0)
        return code, printed.read().decode(errors="replace")


def _request(program: Program, mode: Mode, known: Mapping[str, Known]) -> dict[str, Any]:
    return {
        "project": program.project,
        "stack": program.stack,
        "organization": program.organization,
        "root": str(program.root),
        "entry": program.entry,
        "config": program.config,
        "secret_keys": program.secret_keys,
        "mode": mode,
        "known": {urn: asdict(each) for urn, each in known.items()},
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
    def read(cls, records: Iterable[bytes]) -> "_Run":
        """Read what a process wrote, line by line, as far as it got."""
        run = cls()
        for line in records:
            if line.endswith(b"\n"):
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
