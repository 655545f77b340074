from pathlib import Path

import pytest

from policies.intent import IntentError, find_intent, load_intent, topology_named_by
from topology.findings import TopologyError

ROOT = Path("/project")
SYSTEM = {"type": "perimeter:system:System", "inputs": {"topology": "stacks/a.yaml"}}


def test_the_top_component_names_the_topology_by_input_or_output() -> None:
    assert topology_named_by([{"type": "other", "inputs": {"topology": "x"}}, SYSTEM], ROOT) == ROOT / "stacks/a.yaml"
    assert topology_named_by([{"type": "perimeter:system:System", "outputs": {"topology": "b.yaml"}}], ROOT) == ROOT / "b.yaml"
    assert topology_named_by([{"type": "perimeter:system:System", "inputs": {}}], ROOT) is None


def test_the_environment_decides_before_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERIMETER_TOPOLOGY", "reviewed.yaml")
    assert find_intent(ROOT / "named.yaml", ROOT) == ROOT / "reviewed.yaml"
    monkeypatch.delenv("PERIMETER_TOPOLOGY")
    assert find_intent(ROOT / "named.yaml", ROOT) == ROOT / "named.yaml"


def test_without_any_name_there_is_nothing_to_judge_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERIMETER_TOPOLOGY", raising=False)
    with pytest.raises(IntentError, match="no topology"):
        find_intent(None, ROOT)


def test_a_topology_that_cannot_be_is_refused_with_its_findings(tmp_path: Path) -> None:
    with pytest.raises(TopologyError):
        load_intent(tmp_path / "none.topology.yaml")
