"""Real plans of the Azure environments, made once a test session."""

import json
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
NGINX = "azure-nginx"
"""The stack whose edge and gateway are pods. It carries every system whole."""
SETTINGS: dict[str, Any] = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{NGINX}.yaml").read_text(encoding="utf-8"))["config"][
    "perimeter:azure"
]
ZONE = f"/subscriptions/{SETTINGS['subscriptionId']}/resourceGroups/rg-dns/providers/Microsoft.Network/dnsZones/abc.example"
"""A zone of Azure DNS that holds the hosts of the system `abc`."""
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
    config = {"perimeter:topology": str(topology_file(name) if stack == NGINX else file_of(name))}
    return tuple(plan_program(ROOT, stack, config, mode=Mode.PESSIMISTIC).resources)


@cache
def proved() -> tuple[dict[str, Any], ...]:
    """Return the plan of a system whose hosts are in a zone of Azure DNS."""
    config = {"perimeter:topology": str(topology_file("abc")), "perimeter:azure": json.dumps({**SETTINGS, "dnsZone": ZONE})}
    return tuple(plan_program(ROOT, NGINX, config, mode=Mode.PESSIMISTIC).resources)
