"""Where clients come in, of a system with two edges and of one with a single one."""

from pathlib import Path

import pytest

from cli.judging import Judged, judge_plan
from cli.project import Project
from cli.report.entrances import entrances
from cli.report.json_report import document
from cli.report.text import show
from planner.plan import Mode
from planner.program import plan_program
from tests.policies.mutations.test_azure_alternative import FILE
from tests.systems import ROOT, topology_file


def test_of_two_edges_it_is_said_which_host_is_at_which(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    judged = judge(FILE, "azure-dev")
    own, beside = (
        "PublicIPAddress pip-edge-abc-dev is an address of ApplicationGateway agw-abc-dev",
        "Service edge/edge is of type LoadBalancer",
    )
    assert entrances(judged) == {"api.streams.example": (own,), "feed.streams.example": (beside,)}
    assert document(judged)["entrances"] == entrances(judged)
    show(judged, verbose=False)
    said = capsys.readouterr().out
    assert f"api.streams.example   ←  {own}" in said
    assert "\napplication-gateway → api-management → aks · small\nload-balancer → envoy-gateway → aks · small\n" in said
    assert document(judged)["environment"]["size"] == "small"


def test_of_one_edge_the_text_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    judged = judge(topology_file("abc"), "local")
    assert [len(by) for by in entrances(judged).values()] == [1]
    show(judged, verbose=False)
    said = capsys.readouterr().out
    assert "ways in" not in said
    assert "\nnginx → envoy-gateway → existing cluster\n" in said


def judge(file: Path, stack: str) -> Judged:
    plan = plan_program(ROOT, stack, {"perimeter:topology": str(file)}, mode=Mode.PESSIMISTIC)
    return judge_plan(Project.find(ROOT), plan, file, subject=stack)
