"""The Pulumi CLI itself is not needed here: a script that writes down what it is asked stands on PATH."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.pulumi_cli import PulumiStack

SCRIPT = """#!/bin/sh
printf '%s|' "$@" >> "$ASKED"
echo "backend=$PULUMI_BACKEND_URL phrase=$PULUMI_CONFIG_PASSPHRASE_FILE" >> "$ASKED"
case "$1$2" in whoami*) exit "${LOGGED_OUT:-0}";; stackselect) echo "encryptionsalt: salt" >> "$STACK_FILE";; esac
exit "${CODE:-0}"
"""


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PulumiStack:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi").write_text(SCRIPT)
    (tmp_path / "bin" / "pulumi").chmod(0o755)
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  shop:colour: red\n  shop:size: 3\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("STACK_FILE", str(tmp_path / "Pulumi.dev.yaml"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_BACKEND_URL"):
        monkeypatch.delenv(name, raising=False)
    config = {"shop:colour": "blue", "shop:parts": '{"a": [1]}'}
    return PulumiStack(root=tmp_path, stack="dev", stack_file=tmp_path / "Pulumi.dev.yaml", config=config, policies=tmp_path / "policies")


def asked(stack: PulumiStack) -> list[str]:
    return (stack.root / "asked").read_text().splitlines()


def test_the_plan_is_judged_again_by_the_engines_own_pack(stack: PulumiStack):
    assert stack.up() == 0
    last = asked(stack)[-1].split("|")
    assert last[0] == "up"
    assert last[last.index("--policy-pack") + 1] == str(stack.policies)
    assert last[last.index("--config-file") + 1] == str(stack.config_file)


def test_the_committed_stack_file_stays_and_what_pulumi_wrote_into_it_is_kept_elsewhere(stack: PulumiStack):
    before = stack.stack_file.read_text()
    stack.up()
    assert stack.stack_file.read_text() == before
    written = json.loads(stack.config_file.read_text())
    assert written == {"config": {"shop:colour": "blue", "shop:size": 3, "shop:parts": {"a": [1]}}, "encryptionsalt": "salt"}


def test_the_users_own_login_is_used(stack: PulumiStack):
    stack.up()
    assert all("backend= " in line for line in asked(stack))


def test_who_is_logged_in_nowhere_gets_a_file_backend_with_a_passphrase_of_its_own(stack: PulumiStack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOGGED_OUT", "1")
    stack.up()
    state = stack.root / "state" / "perimeter"
    assert f"backend=file://{state / 'pulumi'} phrase={state / 'passphrase'}" in asked(stack)[-1]
    assert (state / "passphrase").stat().st_mode & 0o077 == 0
    phrase = (state / "passphrase").read_text()
    stack.up()
    assert (state / "passphrase").read_text() == phrase


def test_locks_of_runs_that_were_killed_are_removed_and_others_stay(stack: PulumiStack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOGGED_OUT", "1")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    locks = stack.root / "state" / "perimeter" / "pulumi" / ".pulumi" / "locks" / "organization" / "shop" / "dev"
    locks.mkdir(parents=True)
    given = {"dead": (socket.gethostname(), ended.pid), "alive": (socket.gethostname(), os.getpid()), "elsewhere": ("elsewhere", ended.pid)}
    for name, (host, pid) in given.items():
        (locks / f"{name}.json").write_text(json.dumps({"hostname": host, "pid": pid}))
    stack.up()
    assert {file.stem for file in locks.iterdir()} == {"alive", "elsewhere"}


def test_what_the_cli_ends_with_is_what_up_returns(stack: PulumiStack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("deploy.pulumi_cli.PulumiStack._select", lambda *_given: None)
    monkeypatch.setenv("CODE", "255")
    assert stack.up() == 255
    assert stack.down() == 255
    assert "rm" not in asked(stack)[-1]
