"""The systems under `stacks/`, planned once a test session and shared by every test that reads a real plan."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

from components.binding import Binding, read_binding
from planner.plan import Plan
from planner.program import Mode, plan_program
from planner.project import load_program
from topology.load import load
from topology.model.system import Topology

ROOT = Path(__file__).parents[1]
STACKS = ("local", "local-kong")
SYSTEMS = tuple(sorted(file.name.removesuffix(".topology.yaml") for file in (ROOT / "stacks").glob("*.topology.yaml")))


def topology_file(system: str) -> Path:
    """Return the file of a system."""
    return ROOT / "stacks" / f"{system}.topology.yaml"


@cache
def topology(system: str) -> Topology:
    """Return a system's model."""
    return load(topology_file(system))


@cache
def config_of(stack: str) -> Mapping[str, str]:
    """Return what a stack file configures, as the engine hands it over."""
    return load_program(ROOT, stack, {}).config


@cache
def bound(stack: str) -> Binding:
    """Return what a stack file binds."""
    config = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))["config"]
    given = {key.partition(":")[2]: value for key, value in config.items() if key.startswith("perimeter:")}
    return read_binding({key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}, stack)


@cache
def plan(system: str, stack: str = "local", mode: Mode = Mode.PESSIMISTIC) -> Plan:
    """Return the plan of a system."""
    return plan_program(ROOT, stack, {"perimeter:topology": str(topology_file(system))}, mode=mode)
