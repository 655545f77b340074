"""What ends without a verdict is told to people on standard error and to programs in the format that they asked for."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cli.problems import problems_of
from planner.errors import PlanError
from tests.cli.test_commands import ABC, perimeter
from tests.opened import opened_project
from tests.systems import ROOT

BAD = {"jwt: customers": "jwt: nobody", "system: abc": "system: A_B!", "tiers: [standard]": "tiers: [gold]"}
LINES = [3, 40, 41]


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    text = ABC.read_text(encoding="utf-8")
    for old, new in BAD.items():
        text = text.replace(old, new)
    file = tmp_path_factory.mktemp("bad") / "bad.topology.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_bad_input_as_json_has_findings_with_the_keys_of_a_verdict_and_their_place(bad: Path) -> None:
    run = perimeter("check", "local", "--topology", bad.name, "--format", "json", "--project", str(ABC.parent), cwd=bad.parent)
    document = json.loads(run.stdout)
    assert run.returncode == 2
    assert document["verdict"] is None
    assert [(finding["file"], finding["line"]) for finding in document["findings"]] == [(bad.name, line) for line in LINES]
    assert {"rule", "verdict", "message", "fix", "resource", "urn", "path"} <= document["findings"][0].keys()
    assert "3 findings" in run.stderr


def test_bad_input_as_sarif_points_to_the_line_of_the_topology_file(bad: Path) -> None:
    run = perimeter("check", "local", "--topology", bad.name, "--format", "sarif", "--project", str(ABC.parent), cwd=bad.parent)
    (log,) = json.loads(run.stdout)["runs"]
    assert run.returncode == 2
    assert log["invocations"][0]["executionSuccessful"] is False
    places = [result["locations"][0]["physicalLocation"] for result in log["results"]]
    assert [place["region"]["startLine"] for place in places] == LINES
    assert {place["artifactLocation"]["uri"] for place in places} == {bad.name}
    assert {result["ruleId"] for result in log["results"]} <= {rule["id"] for rule in log["tool"]["driver"]["rules"]}


def test_bad_input_as_junit_is_one_case_with_an_error_for_each_finding(bad: Path) -> None:
    run = perimeter("check", "local", "--topology", str(bad), "--format", "junit")
    suite = ElementTree.fromstring(run.stdout)  # noqa: S314 # our own output
    assert run.returncode == 2
    assert [case.get("line") for case in suite if case.find("error") is not None] == [str(line) for line in LINES]
    assert suite.get("errors") == "3"


def test_a_plan_that_is_no_json_is_told_with_its_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text('{"a": 1,\n b', encoding="utf-8")
    run = perimeter("judge", str(file), "--format", "json")
    (finding,) = json.loads(run.stdout)["findings"]
    assert run.returncode == 2
    assert (finding["file"], finding["line"]) == (str(file), 2)
    assert f"{file}:2: column 2: no JSON" in run.stderr


def test_what_a_gateway_cannot_carry_is_told_once_a_feature_at_its_line_with_every_door() -> None:
    run = perimeter("check", "local-kong", "--topology", "stacks/brokerage.topology.yaml", "--format", "json")
    found = json.loads(run.stdout)["findings"]
    assert len(found) == 2
    assert {finding["file"] for finding in found} == {"stacks/brokerage.topology.yaml"}
    assert all(finding["line"] for finding in found)
    assert all("so do doors portfolios, orders, " in finding["message"] for finding in found)


def test_without_a_format_nothing_but_the_verdict_is_written_to_standard_output(bad: Path) -> None:
    run = perimeter("check", "local", "--topology", str(bad))
    assert (run.returncode, run.stdout) == (2, "")
    assert "\x1b[" not in run.stderr


@pytest.mark.parametrize("arguments", [("schema", "--write"), ("rules", "--write"), ("plan", "local", "--out")], ids=" ".join)
def test_where_no_file_can_be_written_the_place_and_the_reason_are_told(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    run = perimeter(*arguments, str(tmp_path / "file" / "below"))
    assert run.returncode == 2
    assert f"cannot be written: {tmp_path / 'file'} " in run.stderr
    assert "is no folder. Name another place." in run.stderr


def test_a_text_that_only_looks_like_a_place_is_a_message() -> None:
    (problem,) = problems_of(PlanError(["nowhere.yaml:3: is wrong"]))
    assert (problem.file, problem.line, problem.message) == ("", 0, "nowhere.yaml:3: is wrong")


def test_a_command_that_is_asked_to_end_cleans_up_first() -> None:
    program = """
import os, signal, time
from cli import main

def busy():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
    finally:
        print("cleaned up", flush=True)

main.app = busy
main.main()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, "cleaned up\n")


def test_every_mistake_of_a_stack_file_is_a_finding_of_its_own(tmp_path: Path) -> None:
    home = opened_project(tmp_path)
    stack = home / "stacks" / "Pulumi.local.yaml"
    text = stack.read_text(encoding="utf-8").replace("publicPort: 30443", "publicPort: 443")
    stack.write_text(text + "  perimeter:replicas: {edg: 2}\n", encoding="utf-8")
    lines = text.splitlines()
    run = perimeter("check", "local", "--format", "json", cwd=home)
    assert run.returncode == 2
    found = json.loads(run.stdout)["findings"]
    assert [(finding["file"], finding["line"], finding["message"]) for finding in found] == [
        ("stacks/Pulumi.local.yaml", lines.index("  perimeter:publicPort: 443") + 1, "perimeter:publicPort: 443 must be at least 30000"),
        ("stacks/Pulumi.local.yaml", len(lines) + 1, 'perimeter:replicas.edg: is not a known key (did you mean "edge"?)'),
    ]
    assert run.stderr.count("✗ ") == 2
    assert "2 findings" in run.stderr
