"""`perimeter diff`: what a change of the topology opens, in each format, with an exit code that a pipeline can stop at."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_commands import ABC, perimeter

TEXT = ABC.read_text(encoding="utf-8")
OPENER = TEXT.replace('paths: ["/b/*"]', 'paths: ["/b/*", /all]')


@pytest.fixture
def opener(tmp_path: Path) -> Path:
    file = tmp_path / "new.topology.yaml"
    assert OPENER != TEXT
    file.write_text(OPENER, encoding="utf-8")
    return file


def test_what_opens_something_ends_with_1_and_what_closes_or_changes_nothing_with_0(opener: Path) -> None:
    wider, narrower, same = (
        perimeter("diff", str(ABC), str(opener)),
        perimeter("diff", str(opener), str(ABC)),
        perimeter("diff", str(ABC), str(ABC)),
    )
    assert [run.returncode for run in (wider, narrower, same)] == [1, 0, 0]
    assert "wider\n  +  call  a → b  GET /all\n" in wider.stdout
    assert "✗ WIDER     1 of 1 difference let more through than before" in wider.stdout
    assert "narrower\n  -  call  a → b  GET /all\n" in narrower.stdout
    assert "✓ SAME" in same.stdout


def test_programs_read_every_difference_with_all_its_terms(opener: Path) -> None:
    opener.write_text(TEXT.replace('paths: ["/a/*"]', 'paths: ["/a/*", /all]'), encoding="utf-8")
    document = json.loads(perimeter("diff", str(ABC), str(opener), "--format", "json").stdout)
    (change,) = document["changes"]
    assert document["wider"] is True
    assert (change["kind"], change["width"], change["door"], change["source"], change["paths"]) == (
        "added",
        "wider",
        "a",
        "api.abc.example",
        ["/all"],
    )
    assert change["terms"]["credential"] == "jwt https://login.abc.example"
    assert change["terms"]["limits"].startswith("standard ")


def test_a_comment_on_a_pull_request_says_it_in_tables(opener: Path) -> None:
    run = perimeter("diff", str(ABC), str(opener), "--format", "markdown")
    assert run.stdout.startswith("## Boundary of abc: ✗ wider\n")
    assert "| added | call | `GET /all` | a → b |  |" in run.stdout
    assert run.returncode == 1


def test_a_topology_at_a_revision_of_git_is_compared_with_a_file(tmp_path: Path) -> None:
    file = tmp_path / "abc.topology.yaml"
    file.write_text(TEXT, encoding="utf-8")
    who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
    for command in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "--message", "first")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    file.write_text(OPENER, encoding="utf-8")
    assert perimeter("diff", f"HEAD:{file.name}", file.name, cwd=tmp_path).returncode == 1
    run = perimeter("diff", "HEAD:nope.yaml", file.name, cwd=tmp_path)
    assert run.returncode == 2
    assert "HEAD:nope.yaml: neither a file, nor one that git knows" in run.stderr


@pytest.mark.parametrize("output", ["text", "json", "markdown"])
def test_a_topology_that_cannot_be_is_no_answer(tmp_path: Path, output: str) -> None:
    bad = tmp_path / "bad.topology.yaml"
    bad.write_text(TEXT.replace("jwt: customers", "jwt: nobody"), encoding="utf-8")
    run = perimeter("diff", str(ABC), str(bad), "--format", output)
    assert run.returncode == 2
    assert 'did you mean "' in run.stderr or "known: " in run.stderr
    assert "Traceback" not in run.stderr
    assert {"text": "", "json": "{", "markdown": "# No verdict"}[output] == run.stdout[: {"text": 0, "json": 1, "markdown": 12}[output]]
