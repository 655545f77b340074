"""The command line itself: what it costs to ask for help, how stacks and files are named, and what is never written over."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table
from typer.testing import CliRunner

from cli.clusters import Cluster, admit_context
from cli.commands.table import COMMANDS
from cli.console import console_for_people
from cli.errors import UsageError
from cli.main import app
from cli.project import Project
from deploy.processes import Tools
from planner.errors import PlanError
from tests.systems import ROOT, plan, topology_file


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments), terminal_width=200)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_first_paragraph_of_its_help(name: str) -> None:
    loaded = COMMANDS[name].load(name)
    assert COMMANDS[name].summary == " ".join(loaded.help.partition("\n\n")[0].split())


@pytest.mark.parametrize(
    ("arguments", "costly"),
    [
        (["--help"], {"grpc", "pulumi", "pydantic", "components", "conformance", "lab", "planner", "policies", "topology"}),
        (["--version"], {"grpc", "pulumi", "pydantic", "components", "conformance", "lab", "planner", "policies", "topology"}),
        (["schema"], {"grpc", "pulumi", "components", "conformance", "lab", "planner", "policies"}),
        (["rules"], {"grpc", "pulumi", "components", "conformance", "lab", "planner"}),
    ],
    ids=("--help", "--version", "schema", "rules"),
)
def test_a_command_pays_for_what_it_needs_alone(arguments: list[str], costly: set[str]) -> None:
    program = f"""
import sys
from cli.main import app
try:
    app({arguments})
finally:
    print(sorted({costly} & sys.modules.keys()), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stderr == "[]\n"
    assert done.stdout


def test_the_versions_of_what_decides_are_told() -> None:
    assert re.fullmatch(r"perimeter \S+, Python 3\.\S+, Pulumi SDK 3\.\S+\n", run("--version").stdout)


@pytest.mark.parametrize("command", ["check", "plan", "cost", "up", "down", "verify"])
def test_who_names_no_stack_is_told_which_there_are(command: str) -> None:
    done = run(command, "--project", str(ROOT))
    assert (done.exit_code, done.stdout) == (2, "")
    assert "which stack? aws-dev, " in done.stderr


def test_a_topology_in_place_of_a_stack_is_told_where_it_goes() -> None:
    with pytest.raises(UsageError, match=r"goes by its name.*STACK --topology stacks/abc\.topology\.yaml\. Stacks here: aws-dev, "):
        Project(root=ROOT).program("stacks/abc.topology.yaml")
    with pytest.raises(UsageError, match="that is the file of stack local, which goes by its name alone: local"):
        Project(root=ROOT).program("stacks/Pulumi.local.yaml")
    with pytest.raises(PlanError, match='Did you mean "local"'):
        Project(root=ROOT).program("loca")


def test_outside_a_checkout_it_is_told_what_to_do(tmp_path: Path) -> None:
    for arguments in (("check", "local"), ("check",), ("plan", "local"), ("judge", "-")):
        done = run(*arguments, "--project", str(tmp_path))
        assert isinstance(done.exception, UsageError)
        assert "Run perimeter inside a checkout, or name it with --project." in str(done.exception)


def test_a_plan_is_written_over_nothing_but_a_plan(tmp_path: Path) -> None:
    reviewed = tmp_path / "abc.topology.yaml"
    reviewed.write_text(topology_file("abc").read_text(encoding="utf-8"), encoding="utf-8")
    done = run("plan", "local", "-o", str(reviewed), "--project", str(ROOT))
    assert isinstance(done.exception, UsageError)
    assert "A topology is named with --topology (-t)." in str(done.exception)
    assert reviewed.read_text(encoding="utf-8") == topology_file("abc").read_text(encoding="utf-8")
    earlier = tmp_path / "plan.json"
    earlier.write_text(plan("abc").to_json(), encoding="utf-8")
    assert run("plan", "local", "-o", str(earlier), "--project", str(ROOT)).exit_code == 0


@pytest.mark.parametrize("arguments", [("schema", "--write"), ("plan", "local", "--project", str(ROOT), "-o")], ids=lambda given: given[0])
def test_no_folder_is_made_for_a_file(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(*arguments, str(tmp_path / "a" / "file.json"))
    assert f"cannot be written: there is no folder {tmp_path / 'a'}. Name another place." in str(done.exception)
    assert not (tmp_path / "a").exists()


def test_pages_of_rules_leave_other_pages_alone(tmp_path: Path) -> None:
    (tmp_path / "guide.md").write_text("# Guide", encoding="utf-8")
    (tmp_path / "X99.md").write_text("# X99", encoding="utf-8")
    assert run("rules", "--write", str(tmp_path)).exit_code == 0
    assert (tmp_path / "guide.md").is_file()
    assert not (tmp_path / "X99.md").exists()
    (tmp_path / "README.md").write_text("# Shop", encoding="utf-8")
    assert "holds something else than this command writes" in str(run("rules", "--write", str(tmp_path)).exception)


def test_lines_of_a_table_end_with_their_last_word_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_row("short", "x")
    table.add_row("longer than that", "xyz")
    console_for_people().print(table)
    assert [line for line in capsys.readouterr().out.splitlines() if line != line.rstrip()] == []


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kubectl that knows two contexts, or those of the file that it is given."""
    script = tmp_path / "kubectl"
    script.write_text('#!/bin/sh\n[ "$1" = --kubeconfig ] && echo filed || printf "staging\\nproduction\\n"\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")


@pytest.mark.usefixtures("kubectl")
def test_a_context_that_kubectl_does_not_know_is_told_with_those_it_knows() -> None:
    with pytest.raises(UsageError, match=r"kubectl knows no context 'stagin' \(did you mean \"staging\"\?\)"):
        admit_context(Cluster(name="", tools=Tools(context="stagin")))
    with pytest.raises(UsageError, match=r"kubectl knows no context 'nope' \(known: production, staging\)"):
        admit_context(Cluster(name="", tools=Tools(context="nope")))
    with pytest.raises(UsageError, match=r"kubectl knows no context 'staging' in /k \(known: filed\)"):
        admit_context(Cluster(name="", tools=Tools(context="staging", kubeconfig=Path("/k"))))


@pytest.mark.usefixtures("kubectl")
def test_a_context_that_kubectl_knows_is_taken_and_clusters_without_one_are_not_asked_for() -> None:
    for cluster in (
        None,
        Cluster(name="", tools=Tools(context="staging")),
        Cluster(name="", tools=Tools(kubeconfig=Path("/k"))),
        Cluster(name="", tools=Tools(context="lab"), is_lab=True),
    ):
        admit_context(cluster)
