"""Whose calls fail on purpose is M26's affair alone: every other object of such a plan is as it should be."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings

from components.binding import Binding, GatewayKind
from components.gateway import uncarried
from planner.program import plan_program
from policies.harness import findings_of
from policies.rule import Verdict
from tests.policies.mutations.faults import TABLE
from tests.policies.mutations.held import RULES, read
from tests.policies.mutations.mutation import Mutation
from tests.systems import ROOT, plan, topology
from tests.topology.strategies import topologies
from topology.load import load
from topology.model.service import Protocol
from topology.model.system import Topology

SYSTEM = "brokerage"
KNOWN = [each for each in TABLE.mutations if each.id != "fault-for-somebody"]  # a value that is not known is P01's affair, too


@pytest.mark.parametrize("mutation", [pytest.param(mutation, id=mutation.id) for mutation in KNOWN])
def test_a_fault_that_meets_others_than_its_callers_is_noticed_by_one_rule_alone(mutation: Mutation) -> None:
    resources = mutation.apply(list(plan(SYSTEM).resources))
    assert resources is not None
    stack = read(resources, topology(SYSTEM))
    noticed = {(rule.id, finding.verdict) for rule in RULES.values() for finding in findings_of(rule, stack)}
    assert noticed == {("M26", Verdict.BROKEN)}


def failing(t: Topology) -> dict[str, Any]:
    """Return a topology as its file has it, in which calls to every service fail for some callers, or for everybody."""
    document: dict[str, Any] = t.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    for number, (name, service) in enumerate(t.services.items()):
        first, *others = [caller for caller, about in t.services.items() if name in about.calls] or [""]
        faults: list[dict[str, Any]] = [{"percent": 10, "abort": 503, "callers": [first]}] if first else []
        if number % 2:
            faults.append({"percent": 30, "delay": "2s"})
        elif others:
            faults.append({"percent": 30, "delay": "2s", "callers": others})
        if faults and service.protocol is not Protocol.TCP:
            document["services"][name]["faults"] = faults
    return document


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
)
@given(topologies())
def test_faults_of_any_topology_meet_whom_they_are_for(random: Topology) -> None:
    assume(not uncarried(Binding(topology="random", gateway=GatewayKind.ENVOY_GATEWAY), random))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "random.topology.yaml"
        file.write_text(yaml.safe_dump(failing(random), sort_keys=False), encoding="utf-8")
        stack = read(plan_program(ROOT, "local", {"perimeter:topology": str(file)}).resources, load(file))
        found = [f"{rule} {finding.resource}: {finding.message}" for rule in ("M14", "M26") for finding in findings_of(RULES[rule], stack)]
    assert not found, "\n".join(found)
