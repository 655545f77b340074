"""Real plans of the Azure environments, made once a test session."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import yaml

from planner.plan import Mode
from planner.program import plan_program
from tests.systems import ROOT, topology_file
from topology.load import load
from topology.model.system import Topology

CARRIED = ("abc", "bookinfo", "imaging", "payments")
"""Systems that API Management carries whole."""
PLANS = tuple((stack, system) for stack in ("azure-dev", "azure-prod") for system in (*CARRIED, "brokerage"))
UNCARRIED = ("quote-stream", "market-data")
"""Doors of the brokerage that it does not carry: a WebSocket and gRPC."""


@cache
def file_of(system: str) -> Path:
    """Return the file of a system; that of the brokerage has lost the doors that cannot be carried."""
    if system in CARRIED:
        return topology_file(system)
    document = yaml.safe_load(topology_file(system).read_text(encoding="utf-8"))
    document["doors"] = {name: door for name, door in document["doors"].items() if name not in UNCARRIED}
    document["hosts"].remove("stream.brokerage.example")  # theirs alone
    made = Path(mkdtemp()) / f"{system}.topology.yaml"
    made.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return made


@cache
def system(name: str) -> Topology:
    """Return the model of a system."""
    return load(file_of(name))


@cache
def resources(stack: str, name: str) -> tuple[dict[str, Any], ...]:
    """Return the resources of a first preview, in which nothing is known that only Azure knows."""
    config = {"perimeter:topology": str(file_of(name))}
    return tuple(plan_program(ROOT, stack, config, mode=Mode.PESSIMISTIC).resources)
