"""`perimeter verify`: what it says where nothing can be probed."""

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
