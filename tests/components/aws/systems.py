"""Real plans of the AWS environments, made once a test session."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from planner.plan import Mode
from planner.program import plan_program
from tests.systems import ROOT, SYSTEMS, topology, topology_file
from topology.model.system import Topology

WITH_NGINX = ("brokerage", "payments")
"""Systems with a public door whose answers are kept: nginx does that, between the load balancer and Envoy Gateway."""
PLANS = (
    *((stack, system) for system in SYSTEMS for stack in ("aws-dev", "aws-prod")),
    ("aws-kong", "bookinfo"),
)


def system(name: str) -> Topology:
    """Return the model of a system."""
    return topology(name)


@cache
def resources(stack: str, name: str) -> tuple[dict[str, Any], ...]:
    """Return the resources of a first preview, in which nothing is known that only AWS knows."""
    config = {"perimeter:topology": str(topology_file(name))}
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
