"""`perimeter verify`: what it says where nothing can be probed."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from cli.main import main; main()", "verify", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={"PATH": "/nowhere"})


def test_without_kubectl_the_command_says_what_it_needs_and_exits_with_2() -> None:
    done = run("local", "--context", "somewhere", "--public", "127.0.0.1:1")
    assert done.returncode == 2
    assert "kubectl: not found" in done.stderr
    assert done.stdout == ""


def test_without_a_public_address_the_command_says_how_to_give_one() -> None:
    done = run("local", "--context", "somewhere")
    assert done.returncode == 2
    assert "--public HOST:PORT" in done.stderr


def test_an_address_that_is_none_is_told() -> None:
    done = run("local", "--context", "somewhere", "--public", "thirty")
    assert done.returncode == 2
    assert "--public thirty: write HOST:PORT" in done.stderr


def test_what_kept_it_from_probing_is_told_in_the_format_that_was_asked_for() -> None:
    done = run("local", "--context", "somewhere", "--public", "127.0.0.1:1", "--format", "json")
    document = json.loads(done.stdout)
    assert done.returncode == 2
    assert document["error"] == "nothing was probed."
    assert ["kubectl: not found" in finding["message"] for finding in document["findings"]] == [True]


def test_a_report_that_cannot_be_written_is_told_before_anything_is_probed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = run("local", "--context", "somewhere", "--public", "127.0.0.1:1", "--json", str(tmp_path / "file" / "report.json"))
    assert done.returncode == 2
    assert f"cannot be written: {tmp_path / 'file'} is no folder" in done.stderr
    assert "kubectl" not in done.stderr
