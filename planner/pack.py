"""Runs an unmodified policy pack on a plan, as the engine runs it in a preview."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from planner.environment import environment_with
from planner.errors import PlanError
from planner.plan import Plan

_ENGINE = "127.0.0.1:0"
"""The engine's address, which a pack of the Python SDK is given and never uses."""

_START = 120.0
"""How many seconds a pack has for its imports."""

_TAIL = 4_000


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """What a policy says about a plan.

    Attributes:
        policy: the policy's name.
        pack: the name of the pack it belongs to.
        enforcement_level: `advisory` or `mandatory`; a violation of a policy that would remediate is mandatory.
        urn: the resource it concerns; the stack's for a stack policy that names none.
        message: the policy's description and, on the next lines, what it found.
        severity: `low`, `medium`, `high`, `critical`, or empty.
        description: the policy's description.
    """

    policy: str
    pack: str
    enforcement_level: str
    urn: str
    message: str
    severity: str
    description: str


def analyze(pack: Path, plan: Plan, *, project: str, stack: str, config: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """Return what a policy pack says about a plan.

    The pack runs in a process of its own, which ends with this call. As in a preview, resource policies see inputs, stack policies see outputs,
    unknown values are unknown and secrets are secret, resources that are only read are not shown. Nothing is remediated: a policy that would is
    judged as mandatory.

    Args:
        pack: the folder of PulumiPolicy.yaml.
        plan: what to judge.
        project: the project's name, as the pack may ask for it.
        stack: the stack's name, likewise.
        config: the stack's config, likewise, under full keys.

    Raises:
        PlanError: where the pack cannot be run, with what it printed.
    """
    from planner.analyzer import converse  # noqa: PLC0415 # loads Pulumi and gRPC, which takes a third of a second

    pack = pack.resolve()
    _check(pack)
    environment = environment_with(
        PULUMI_ORGANIZATION="organization",
        PULUMI_PROJECT=project,
        PULUMI_STACK=stack,
        PULUMI_DRY_RUN="true",
        PULUMI_CONFIG=json.dumps(dict(config)),
    )
    with _running(pack, environment) as process:
        try:
            return tuple(converse(process.address(), plan, project=project, stack=stack, config=config))
        except ConnectionError as error:
            raise PlanError([f"{pack}: {error}\n{process.printed()}".rstrip()]) from error


def _check(pack: Path) -> None:
    path = pack / "PulumiPolicy.yaml"
    if not path.is_file():
        raise PlanError([f"{path}: there is no such file. Give the folder of a policy pack."])
    settings: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    runtime: object = settings.get("runtime") if isinstance(settings, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    language: object = runtime.get("name") if isinstance(runtime, dict) else runtime  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if language != "python":
        raise PlanError([f"{path}: runtime {language!r}: only packs in Python can be run. Write `runtime: python`."])


class _Process:
    """A pack's process; what it prints goes to files, which nobody has to read for it to go on."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path, errors: Path) -> None:
        self._process = process
        self._output = output
        self._errors = errors

    def address(self) -> str:
        """Return where the pack listens: it prints its port first of all.

        Raises:
            ConnectionError: where it ends, or prints something else, or takes too long.
        """
        deadline = time.monotonic() + _START
        while time.monotonic() < deadline:
            first, newline, _ = self._output.read_bytes().partition(b"\n")
            if newline:
                if not first.strip().isdigit():
                    raise ConnectionError("the pack printed something before its port. It must not print while it is imported.")
                return f"127.0.0.1:{int(first)}"
            if self._process.poll() is not None:
                raise ConnectionError(f"the pack ended with code {self._process.returncode} before it could be asked.")
            time.sleep(0.005)
        raise ConnectionError(f"the pack did not print its port within {_START:.0f} seconds.")

    def printed(self) -> str:
        """Return the end of what the pack printed."""
        return (self._output.read_bytes() + self._errors.read_bytes()).decode("utf-8", "replace")[-_TAIL:]


@contextmanager
def _running(pack: Path, environment: Mapping[str, str]) -> Generator[_Process]:
    with tempfile.TemporaryDirectory(prefix="pack-") as name:
        output, errors = Path(name) / "output", Path(name) / "errors"
        command: Sequence[str] = [sys.executable, "-u", "-m", "pulumi.policy", _ENGINE, str(pack)]
        with output.open("wb") as out, errors.open("wb") as err:
            process = subprocess.Popen(command, cwd=pack, env=dict(environment), stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            yield _Process(process, output, errors)
        finally:
            process.kill()
            process.wait()
