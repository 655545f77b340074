"""Real plans of the AWS environments, made once a test session."""

from collections.abc import Iterator
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

WHOLE = ("abc", "bookinfo", "imaging")
"""Systems that are carried whole."""
CACHED = {"brokerage": "exchange-rates", "payments": "catalogue"}
"""Systems with a public door whose answers are kept, which Envoy Gateway behind a load balancer does not: planned without."""
PLANS = (
    *((stack, system) for system in (*WHOLE, *CACHED) for stack in ("aws-dev", "aws-prod")),
    ("aws-kong", "bookinfo"),
)


@cache
def file_of(system: str) -> Path:
    """Return the file of a system; some have lost a cache."""
    if system in WHOLE:
        return topology_file(system)
    document = yaml.safe_load(topology_file(system).read_text(encoding="utf-8"))
    del document["doors"][CACHED[system]]["cache"]
    made = Path(mkdtemp()) / f"{system}.topology.yaml"
    made.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return made


@cache
def system(name: str) -> Topology:
    """Return the model of a system."""
    return load(file_of(name))


@cache
def resources(stack: str, name: str) -> tuple[dict[str, Any], ...]:
    """Return the resources of a first preview, in which nothing is known that only AWS knows."""
    config = {"perimeter:topology": str(file_of(name))}
    return tuple(plan_program(ROOT, stack, config, mode=Mode.PESSIMISTIC).resources)


def registered(stack: str, name: str, type_: str) -> Iterator[dict[str, Any]]:
    """Yield the resources of a type: `lb/listener:Listener`."""
    yield from (resource for resource in resources(stack, name) if resource["type"] == f"aws:{type_}")


def of(stack: str, name: str, type_: str) -> list[dict[str, Any]]:
    """Return the inputs of the resources of a type."""
    return [resource["inputs"] for resource in registered(stack, name, type_)]


def named(resource: dict[str, Any]) -> str:
    """Return the Pulumi name of a resource."""
    return resource["urn"].rpartition("::")[2]


def asked(resource: dict[str, Any], key: str) -> set[str]:
    """Return the names of the resources that a property is taken from."""
    return {urn.rpartition("::")[2] for urn in resource["propertyDependencies"].get(key, [])}
