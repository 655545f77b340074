"""CONTRIBUTING's walk-through: add a service and a door as its text says, and see the new edges proved."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.judging import judge_plan
from cli.project import Project
from planner.program import plan_program
from policies.rule import Verdict
from tests.systems import ROOT, topology_file
from topology.edges import edges
from topology.load import load


def example(heading: str) -> dict[str, Any]:
    """Return the YAML example below a heading of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.search(rf"## {heading}\n.*?```yaml\n(.*?)```", text, flags=re.DOTALL)
    assert found, heading
    return yaml.safe_load(found[1])


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    return base | {
        key: merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
        for key, value in change.items()
    }


@pytest.fixture
def system(tmp_path: Path) -> Path:
    document = yaml.safe_load(topology_file("abc").read_text(encoding="utf-8"))
    for heading in ("Add a service", "Add a door"):
        document = merged(document, example(heading))
    file = tmp_path / "abc.topology.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return file


def test_a_service_and_a_door_added_as_contributing_says_are_proved(system: Path) -> None:
    before, after = edges(load(topology_file("abc"))), edges(load(system))
    assert {edge.path for edge in after - before} == {"/d/*", "/uptime"}
    plan = plan_program(ROOT, "local", {"perimeter:topology": str(system)})
    judged = judge_plan(Project.find(ROOT), plan, system, subject="local")
    assert judged.stack.observed == after
    assert judged.verdict is Verdict.KEPT, [str(finding) for finding in judged.findings]
