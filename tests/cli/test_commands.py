"""The command as its users run it: a process, its output and its exit code."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.systems import ROOT, SYSTEMS, plan, topology_file

ABC = topology_file("abc")


def perimeter(*arguments: str, stdin: str | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, input=stdin, cwd=cwd, check=False, timeout=300)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan of abc in which the mesh no longer demands mTLS and a service is public."""
    document = json.loads(plan("abc").to_json())
    for resource in document["deployment"]["resources"]:
        for side in ("inputs", "outputs"):
            if resource["type"].endswith(":PeerAuthentication"):
                resource[side]["spec"]["mtls"]["mode"] = "PERMISSIVE"
            if resource["type"] == "kubernetes:core/v1:Service" and resource["urn"].endswith("::abc/c"):
                resource[side]["spec"]["type"] = "NodePort"
    file = tmp_path_factory.mktemp("broken") / "plan.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


@pytest.mark.parametrize("system", SYSTEMS)
def test_check_keeps_every_system(system: str) -> None:
    run = perimeter("check", "local", "--topology", str(topology_file(system)))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "KEPT" in run.stdout


def test_check_takes_the_topology_that_the_stack_names() -> None:
    run = perimeter("check", "local", "--format", "json")
    assert json.loads(run.stdout)["system"] == "abc"


def test_judge_reads_a_plan_from_a_file_and_from_standard_input() -> None:
    text = plan("abc").to_json()
    assert perimeter("judge", "-", stdin=text).returncode == 0


def test_judge_says_broken_with_the_path_and_exits_with_1(broken: Path) -> None:
    run = perimeter("judge", str(broken))
    assert run.returncode == 1
    assert "BROKEN" in run.stdout
    for rule in ("M02", "K01"):
        assert rule in run.stdout


def test_a_broken_verdict_is_sarif_that_code_scanning_takes(broken: Path) -> None:
    run = perimeter("judge", str(broken), "--format", "sarif")
    log = json.loads(run.stdout)["runs"][0]
    known = {rule["id"] for rule in log["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in log["results"]} <= known
    assert {"M02", "K01"} <= {result["ruleId"] for result in log["results"]}


def test_a_broken_verdict_is_junit_with_one_case_a_rule(broken: Path) -> None:
    suite = ElementTree.fromstring(perimeter("judge", str(broken), "--format", "junit").stdout)  # noqa: S314 # our own output
    failed = {case.get("name", "").split()[0] for case in suite if case.find("failure") is not None}
    assert {"M02", "K01"} <= failed
    assert int(suite.get("failures", "0")) == len(failed)


def test_bad_topologies_end_with_every_finding_and_exit_code_2(tmp_path: Path) -> None:
    bad = tmp_path / "bad.topology.yaml"
    bad.write_text(
        ABC.read_text(encoding="utf-8").replace("jwt: customers", "jwt: custmers").replace("      b:\n", "      bb:\n", 1), encoding="utf-8"
    )
    run = perimeter("check", "local", "--topology", str(bad))
    assert run.returncode == 2
    assert 'did you mean "customers"?' in run.stderr
    assert 'services.a.calls.bb: "bb" is not a service' in run.stderr
    assert "2 findings" in run.stderr


def test_an_unknown_stack_ends_with_the_names_of_those_there_are() -> None:
    run = perimeter("check", "lokal")
    assert run.returncode == 2
    assert "local-kong" in run.stderr


def test_a_file_that_is_no_plan_is_refused() -> None:
    run = perimeter("judge", "-", stdin="{}")
    assert run.returncode == 2
    assert run.stderr


def test_explain_shows_the_path_of_an_allowed_call() -> None:
    run = perimeter("explain", "a", "b", "--topology", str(ABC))
    assert run.returncode == 0
    assert "can reach" in run.stdout


def test_explain_shows_what_refuses_a_call() -> None:
    run = perimeter("explain", "a", "c", "--topology", str(ABC))
    assert run.returncode == 1
    assert "cannot reach" in run.stdout


def test_rules_are_listed_and_each_has_a_page() -> None:
    assert "M02" in perimeter("rules").stdout
    assert "Forbids" in perimeter("rules", "M02").stdout


def test_plan_writes_what_judge_reads(tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    assert perimeter("plan", "local", "--topology", str(ABC), "--out", str(out)).returncode == 0
    assert str(ROOT) not in out.read_text(encoding="utf-8"), "a plan names its topology as the stack file does, whatever the folder"
    assert perimeter("judge", str(out)).returncode == 0


def test_a_stack_export_of_another_program_is_judged_without_a_crash() -> None:
    run = perimeter("judge", "tests/planner/exports/shop.json", "--topology", str(ABC))
    assert run.returncode == 1
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "local", "--out", "/dev/null/plan.json"),
        ("judge", "/nope/plan.json"),
        ("explain", "a", "nobody"),
        ("rules", "Z99"),
        ("diagram", "nope.yaml"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_a_line_and_is_no_verdict(arguments: tuple[str, ...]) -> None:
    run = perimeter(*arguments)
    assert run.returncode == 2
    assert run.stderr
    assert "Traceback" not in run.stderr


def test_json_that_is_nested_too_deeply_is_refused() -> None:
    run = perimeter("judge", "-", stdin="[" * 200_000)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
