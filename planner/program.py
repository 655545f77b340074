"""Run a program (stand-in until the real planner lands)."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

import yaml

from planner.errors import PlanError
from planner.plan import Plan


class Mode(StrEnum):
    """How unknown values are taken."""

    PESSIMISTIC = "pessimistic"
    OPTIMISTIC = "optimistic"


def plan_program(project: Path, stack: str, config: Mapping[str, str] = {}, *, mode: Mode = Mode.PESSIMISTIC, progress: Callable[[int], None] | None = None) -> Plan:
    """Plan."""
    meta = yaml.safe_load((project / "Pulumi.yaml").read_text())
    file = project / meta.get("stackConfigDir", "") / f"Pulumi.{stack}.yaml"
    if not file.is_file():
        raise PlanError([f"{file} does not exist"])
    values = {}
    for key, value in ((yaml.safe_load(file.read_text()) or {}).get("config") or {}).items():
        key = key if ":" in key else f"{meta['name']}:{key}"
        values[key] = value if isinstance(value, str) else json.dumps(value)
    values.update(config)
    request = {"project": meta["name"], "stack": stack, "config": values, "root": str(project), "mode": mode}
    run = subprocess.run([sys.executable, "-m", "planner.worker"], input=json.dumps(request), capture_output=True, text=True, cwd=project, check=False)
    if run.returncode:
        raise PlanError([run.stderr[-6000:]])
    return Plan(tuple(json.loads(run.stdout.splitlines()[-1])), mode)
