"""Every mutation of every real plan is noticed by the rule meant for it, and the unmutated plan is clean.

The figure (caught / tried) stands at the end of the test output.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.binding import Binding, GatewayKind
from components.gateway import uncarried
from planner.program import plan_program
from policies.harness import judge
from policies.registry import rules
from policies.rule import Verdict
from tests.policies.mutations.catalogue import MUTATIONS
from tests.policies.mutations.held import Record, hold_clean, hold_noticed, hold_untouched, hold_wellformed, read
from tests.policies.mutations.mutation import Family
from tests.systems import ROOT, SYSTEMS, plan, topology_file
from topology.load import load
from topology.model.system import Topology

GATEWAYS = {"local": GatewayKind.ENVOY_GATEWAY, "local-kong": GatewayKind.KONG}
SHOP = "shop"
"""A system of this folder, because Kong's open-source edition carries only one of those in stacks/: it needs keys in the topology."""


def file_of(system: str) -> Path:
    return Path(__file__).parent / "shop.topology.yaml" if system == SHOP else topology_file(system)


@cache
def intent(system: str) -> Topology:
    return load(file_of(system))


def carries(stack: str, system: str) -> bool:
    return not uncarried(Binding(topology=str(file_of(system)), gateway=GATEWAYS[stack]), intent(system))


PLANS = [pytest.param(system, stack, id=f"{system}-{stack}") for system in (*SYSTEMS, SHOP) for stack in GATEWAYS if carries(stack, system)]
"""Every system with every gateway that carries what it asks for."""


@cache
def resources(system: str, stack: str) -> list[dict[str, Any]]:
    made = plan_program(ROOT, stack, {"perimeter:topology": str(file_of(system))}) if system == SHOP else plan(system, stack)
    return list(made.resources)


@pytest.mark.parametrize(("system", "stack"), PLANS)
def test_the_unmutated_plan_is_clean(system: str, stack: str) -> None:
    hold_clean(resources(system, stack), intent(system))


@pytest.mark.parametrize("family", list(Family))
@pytest.mark.parametrize(("system", "stack"), PLANS)
def test_every_mutation_is_noticed_by_the_rule_meant_for_it(system: str, stack: str, family: Family, record_property: Record) -> None:
    mutations = [each for each in MUTATIONS if each.family is family]
    hold_noticed(mutations, resources(system, stack), intent(system), of=f"{system} {stack}", record=record_property)


@pytest.mark.parametrize("mutation", [pytest.param(mutation, id=mutation.id) for mutation in MUTATIONS])
def test_a_mutation_leaves_the_plan_it_is_applied_to_as_it_was(mutation: Any) -> None:
    hold_untouched(mutation, resources("payments", "local"))


def test_mutations_have_names_of_their_own_rules_that_exist_and_plans_that_they_break() -> None:
    hold_wellformed(MUTATIONS, [resources(*param.values) for param in PLANS])


WIDER: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {
    "a call that is not there": ("B02", lambda t: t["services"]["a"]["calls"].update({"c": [{"methods": ["GET"], "paths": ["/c/*"]}]})),
    "a method that is not there": ("B02", lambda t: t["services"]["a"]["calls"]["b"][0]["methods"].append("DELETE")),
    "a path that is not there": ("B02", lambda t: t["services"]["b"]["calls"]["c"][0]["paths"].append("/admin/*")),
    "a door that is not there": ("B01", lambda t: t["doors"].update({"c": {**t["doors"]["a"], "paths": ["/c/*"], "service": "c"}})),
    "a method of a door that is not there": ("B01", lambda t: t["doors"]["a"]["methods"].append("DELETE")),
    "a door for everybody": (
        "B01",
        lambda t: (t["doors"]["a"].update({"auth": {"public": "Somebody thought it did not matter."}}), t.pop("issuers")),
    ),
    "a host outside that is not there": (
        "B04",
        lambda t: t.update({"egress": {"rates": {"host": "api.rates.example", "services": ["c"]}}}),
    ),
}
"""Ways to want more than the topology says, and the rule that compares: every layer agrees, and all of them are wrong."""


@pytest.mark.parametrize("wider", WIDER)
def test_a_plan_in_which_all_layers_agree_on_too_much_is_refused(wider: str, tmp_path: Path) -> None:
    expected, change = WIDER[wider]
    document = yaml.safe_load(topology_file("abc").read_text(encoding="utf-8"))
    change(document)
    file = tmp_path / "wider.topology.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    made = plan_program(ROOT, "local", {"perimeter:topology": str(file)})
    report = judge(read(made.resources, intent("abc")), rules())
    broken = {finding.rule for finding in report.findings if finding.verdict is Verdict.BROKEN}
    assert expected in broken, f"only {sorted(broken)} fired"
