"""What people read of a verdict."""

from pathlib import Path

import pytest

from cli.judging import Judged
from cli.report.text import show
from policies.harness import Report, RuleResult
from policies.registry import rules
from policies.rule import Finding, Verdict
from tests.policies.building import stack_of


def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> str:
    """Return the text of a verdict on payments, on a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    results = tuple(RuleResult(rule=rule, verdict=Verdict.KEPT, findings=(), exempted=(), seconds=0) for rule in rules())
    verdict = Verdict.UNDECIDED if findings else Verdict.KEPT
    report = Report(verdict=verdict, findings=findings, rules=results, exempted=(), unused=(), resources=0, edges=0, seconds=0)
    show(Judged(subject="local", topology=Path(), report=report, stack=stack_of([], "payments"), resources=0), verbose=False)
    return capsys.readouterr().out


def test_doors_are_counted_as_the_topology_writes_them(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert "5 doors, 5 calls, 1 egress" in shown(capsys, monkeypatch)


def test_nothing_is_cut_where_the_terminal_is_narrow(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(capsys, monkeypatch)
    assert "…" not in text.partition("rules")[0]
    assert "/v1/orders/*" in text


def test_what_several_rules_say_in_the_same_words_is_said_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [
        Finding(rule=rule, verdict=Verdict.UNDECIDED, message="it cannot be followed", resource="Service a") for rule in ("B02", "B03")
    ]
    text = shown(capsys, monkeypatch, *findings)
    assert text.count("it cannot be followed") == 1
    assert "? B02, B03 critical  Service a" in text
