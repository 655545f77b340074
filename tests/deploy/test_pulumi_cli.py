"""The Pulumi CLI itself is not needed here: a script that writes down what it is asked stands on PATH."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.pulumi_cli import PulumiStack

SCRIPT = """#!/bin/sh
printf '%s|' "$@" >> "$ASKED"
echo "backend=$PULUMI_BACKEND_URL phrase=$PULUMI_CONFIG_PASSPHRASE_FILE path=$PATH" >> "$ASKED"
case "$1$2" in
  whoami*) [ -z "$LOGGED_OUT" ] || echo "error: the token has expired" >&2; exit "${LOGGED_OUT:-0}";;
  stackselect) echo "encryptionsalt: salt" >> "$STACK_FILE";;
  stack--stack) [ -z "$NO_STACK" ] || { echo "error: $NO_STACK" >&2; exit 255; };;
esac
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
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in [name for name in os.environ if name.startswith("PULUMI_")]:
        monkeypatch.delenv(name)
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
    assert f"backend=file://{state / 'pulumi'} phrase={state / 'passphrase'} " in asked(stack)[-1]
    assert (state / "passphrase").stat().st_mode & 0o077 == 0
    phrase = (state / "passphrase").read_text()
    stack.up()
    assert (state / "passphrase").read_text() == phrase


@pytest.mark.parametrize("name", ["PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN"])
def test_a_backend_that_the_environment_names_and_that_fails_is_not_replaced_by_another(
    stack: PulumiStack, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setenv("LOGGED_OUT", "255")
    monkeypatch.setenv(name, "s3://state")
    with pytest.raises(DeployError, match=f"pulumi whoami: exit code 255: error: the token has expired. {name} says where the state is"):
        stack.up()
    assert [line.split("|")[0] for line in asked(stack)] == ["whoami"]
    assert not (stack.root / "state").exists()


@pytest.mark.parametrize(
    ("folder", "variable"), [("home/.pulumi", ""), ("elsewhere", "PULUMI_HOME"), ("elsewhere", "PULUMI_CREDENTIALS_PATH")]
)
@pytest.mark.parametrize("text", ['{"current": "https://pulumi.example", "accounts": {}}', '{"current": "https://pul'])
def test_a_login_that_fails_or_cannot_be_read_is_not_replaced_by_another(
    stack: PulumiStack, monkeypatch: pytest.MonkeyPatch, folder: str, variable: str, text: str
):
    monkeypatch.setenv("LOGGED_OUT", "1")
    file = stack.root / folder / "credentials.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    if variable:
        monkeypatch.setenv(variable, str(file.parent))
    with pytest.raises(DeployError, match=f"`current` in {file} says where the state is"):
        stack.up()


def test_a_backend_of_the_project_that_fails_is_not_replaced_by_another(stack: PulumiStack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOGGED_OUT", "1")
    (stack.root / "Pulumi.yaml").write_text("name: shop\nruntime: python\nbackend:\n  url: s3://state\n")
    with pytest.raises(DeployError, match=r"`backend` in .*Pulumi.yaml says where the state is"):
        stack.exists()


def test_who_has_logged_out_and_names_no_backend_gets_the_file_backend(stack: PulumiStack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOGGED_OUT", "1")
    (stack.root / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (stack.root / "home" / ".pulumi").mkdir(parents=True)
    (stack.root / "home" / ".pulumi" / "credentials.json").write_text('{"current": "", "accounts": {}}')
    assert stack.up() == 0
    assert "backend=file://" in asked(stack)[-1]


def test_uv_of_the_project_is_found_after_everything_else_on_path(stack: PulumiStack):
    stack.up()
    assert asked(stack)[-1].endswith(f"{os.environ['PATH']}{os.pathsep}{stack.root / '.tools' / 'bin'}")


def test_a_stack_is_missing_only_where_the_backend_says_so(stack: PulumiStack, monkeypatch: pytest.MonkeyPatch):
    assert stack.exists()
    monkeypatch.setenv("NO_STACK", "no stack named 'dev' found")
    assert not stack.exists()
    monkeypatch.setenv("NO_STACK", "could not query backend: connection refused")
    with pytest.raises(
        DeployError, match=r"exit code 255: error: could not query backend: connection refused. Whether there is such a stack"
    ):
        stack.exists()


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


@pytest.mark.parametrize("text", ['{"hostname": "he', "", "[]", '{"pid": null, "hostname": "here"}'])
def test_a_lock_that_was_never_written_to_its_end_is_removed_unless_it_may_still_be_written(
    stack: PulumiStack, monkeypatch: pytest.MonkeyPatch, text: str
):
    monkeypatch.setenv("LOGGED_OUT", "1")
    locks = stack.root / "state" / "perimeter" / "pulumi" / ".pulumi" / "locks" / "organization" / "shop" / "dev"
    locks.mkdir(parents=True)
    for name in ("old", "new"):
        (locks / f"{name}.json").write_text(text)
    os.utime(locks / "old.json", (0, 0))
    stack.up()
    assert {file.stem for file in locks.iterdir()} == {"new"}


def test_what_the_cli_ends_with_is_what_up_returns(stack: PulumiStack, monkeypatch: pytest.MonkeyPatch):
    def selected(*_: object) -> None:
        """Select nothing: the script would fail there already."""

    monkeypatch.setattr("deploy.pulumi_cli.PulumiStack._select", selected)
    monkeypatch.setenv("CODE", "255")
    assert stack.up() == 255
    assert stack.down() == 255
    assert "rm" not in asked(stack)[-1]
