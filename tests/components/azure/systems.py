"""Real plans of the Azure environments, made once a test session."""

import json
from functools import cache
from typing import Any

import yaml

from components.ways import outside
from planner.plan import Mode
from planner.program import plan_program
from tests.systems import ROOT, SYSTEMS, bound, topology, topology_file
from topology.model.system import Topology

CARRIED = ("abc", "bookinfo", "imaging", "payments")
"""Systems that API Management carries whole."""
PLANS = tuple((stack, system) for stack in ("azure-dev", "azure-prod") for system in SYSTEMS)
NGINX = "azure-nginx"
"""The stack whose edge and gateway are pods. It carries every system whole."""
SETTINGS: dict[str, Any] = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{NGINX}.yaml").read_text(encoding="utf-8"))["config"][
    "perimeter:azure"
]
ZONE = f"/subscriptions/{SETTINGS['subscriptionId']}/resourceGroups/rg-dns/providers/Microsoft.Network/dnsZones/abc.example"
"""A zone of Azure DNS that holds the hosts of the system `abc`."""
UNCARRIED = ("quote-stream", "market-data")
"""Doors of the brokerage that it does not carry, a WebSocket and gRPC: on a host of their own, which the stacks' alternative serves."""


@cache
def at_api_management(name: str) -> Topology:
    """Return what API Management serves of a system: all, or the hosts that the alternative does not."""
    served = outside(bound("azure-dev"), topology(name))
    assert served
    return served


@cache
def resources(stack: str, name: str) -> tuple[dict[str, Any], ...]:
    """Return the resources of a first preview, in which nothing is known that only Azure knows."""
    config = {"perimeter:topology": str(topology_file(name))}
    return tuple(plan_program(ROOT, stack, config, mode=Mode.PESSIMISTIC).resources)


@cache
def proved() -> tuple[dict[str, Any], ...]:
    """Return the plan of a system whose hosts are in a zone of Azure DNS."""
    config = {"perimeter:topology": str(topology_file("abc")), "perimeter:azure": json.dumps({**SETTINGS, "dnsZone": ZONE})}
    return tuple(plan_program(ROOT, NGINX, config, mode=Mode.PESSIMISTIC).resources)
