"""What --kind asks of kind, and what it says where that cannot be had. Real kind is seen by hand (docs/environments/local.md)."""

import json
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from cli import kind
from cli.errors import UsageError
from deploy.errors import DeployError

RECORD = 'printf "%s\\n" "$(basename "$0") $*" >> "$CALLS"\n'
KIND = """
case "$*" in
  version) echo "kind v{version} go1.26.8 linux/amd64";;
  "get clusters") echo "{clusters}"; exit {listing};;
  create*) cat > "$CALLS.config"; exit {creating};;
esac
"""
KUBECTL = """
case "$*" in
  config*) exit {unknown};;
  *wait*) echo "{said}" >&2; exit {waiting};;
esac
"""
USUAL = {"version": "0.33.0", "clusters": "", "listing": 0, "creating": 0, "unknown": 0, "said": "", "waiting": 0}


class Machine:
    """A machine with programs that write down how they were called."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.log = folder / "bin", folder / "calls"
        self.folder.mkdir()
        monkeypatch.setenv("PATH", f"{self.folder}:/usr/bin:/bin")
        monkeypatch.setenv("CALLS", str(self.log))
        monkeypatch.delenv("KIND_EXPERIMENTAL_PROVIDER", raising=False)
        self.has()

    def has(self, **facts: object) -> None:
        """Change what the programs say."""
        said: Mapping[str, object] = {**USUAL, **facts}
        for name, script in {"kind": KIND.format(**said), "kubectl": KUBECTL.format(**said), "docker": ""}.items():
            program = self.folder / name
            program.write_text(f"#!/bin/sh\n{RECORD}{script}", encoding="utf-8")
            program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def calls(self) -> list[str]:
        """Return how the programs were called."""
        return self.log.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize("missing", ["kind", "docker", "kubectl"])
def test_a_program_that_is_missing_is_told_before_anything_is_made(machine: Machine, monkeypatch: pytest.MonkeyPatch, missing: str):
    (machine.folder / missing).unlink()
    monkeypatch.setenv("PATH", str(machine.folder))
    with pytest.raises(UsageError, match=f"^--kind: {missing} is not on PATH"):
        kind.admit()


def test_the_engine_is_the_one_that_kind_was_told_to_use(machine: Machine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KIND_EXPERIMENTAL_PROVIDER", "podman-of-nobody")
    with pytest.raises(UsageError, match=r"^--kind: podman-of-nobody is not on PATH"):
        kind.admit()


def test_another_engine_does_where_docker_is_not_there(machine: Machine, monkeypatch: pytest.MonkeyPatch):
    (machine.folder / "docker").rename(machine.folder / "podman")
    for program in ("sh", "cat", "basename"):
        (machine.folder / program).symlink_to(Path("/bin") / program if program != "basename" else Path("/usr/bin/basename"))
    monkeypatch.setenv("PATH", str(machine.folder))
    kind.admit()


def test_an_engine_that_does_not_run_is_told_before_anything_is_made(machine: Machine):
    machine.has(listing=1)
    with pytest.raises(UsageError, match="does docker run"):
        kind.admit()


@pytest.mark.parametrize(("version", "admitted"), [("0.28.0", False), ("0.29.0", True), ("0.34.0-alpha+1", True), ("1.0.0", True)])
def test_a_kind_that_makes_clusters_too_old_makes_none(machine: Machine, version: str, admitted: bool):
    machine.has(version=version)
    if admitted:
        kind.admit()
        return
    with pytest.raises(UsageError, match=r"kind 0\.29 or later is needed for a cluster, here is kind v0\.28\.0"):
        kind.admit()


def test_a_kind_that_does_not_say_its_version_makes_no_cluster(machine: Machine):
    machine.has(version="next")
    with pytest.raises(UsageError, match="or later is needed"):
        kind.admit()


def test_a_cluster_that_is_there_is_good_enough_whoever_made_it(machine: Machine):
    machine.has(version="0.20.0", clusters=kind.NAME)
    kind.admit()


def test_the_cluster_has_room_for_a_large_system_and_publishes_the_edge_on_this_machine_alone(machine: Machine):
    kind.make(31443)
    assert f"kind create cluster --name {kind.NAME} --wait 5m --config -" in machine.calls()
    config = json.loads(Path(f"{os.environ['CALLS']}.config").read_text(encoding="utf-8"))
    (node,) = config["nodes"]
    assert node["extraPortMappings"] == [{"containerPort": 31443, "hostPort": 31443, "listenAddress": "127.0.0.1"}]
    (patch,) = config["kubeadmConfigPatches"]
    assert json.loads(patch)["maxPods"] == 250


def test_a_cluster_that_was_created_and_is_not_ready_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch):
    machine.has(said="timed out", waiting=1)
    monkeypatch.setattr(kind, "PATIENCE", 0.0)
    with pytest.raises(DeployError, match="not ready: timed out"):
        kind.make(30443)


def test_a_cluster_that_kind_cannot_create_is_an_error(machine: Machine):
    machine.has(creating=1)
    with pytest.raises(DeployError, match="kind could not create the cluster"):
        kind.make(30443)


def test_a_cluster_that_is_there_is_waited_for_and_not_made_again(machine: Machine):
    machine.has(clusters=f"another\n{kind.NAME}")
    kind.make(30443)
    assert not any("create" in call or "export" in call for call in machine.calls())
    assert machine.calls()[-1] == "kubectl --context kind-perimeter wait node --all --for=condition=Ready --timeout=5m"


def test_a_cluster_that_kubectl_does_not_know_is_made_known_to_it(machine: Machine):
    machine.has(clusters=kind.NAME, unknown=1)
    kind.make(30443)
    assert "kind export kubeconfig --name perimeter" in machine.calls()


def test_a_node_that_was_just_started_has_time_to_answer(machine: Machine, monkeypatch: pytest.MonkeyPatch):
    machine.has(clusters=kind.NAME, waiting=1)
    monkeypatch.setattr(time, "sleep", lambda _: machine.has(clusters=kind.NAME))
    kind.make(30443)
    assert sum("wait" in call for call in machine.calls()) == 2


def test_a_cluster_that_was_stopped_or_half_made_is_told_with_the_ways_out(machine: Machine, monkeypatch: pytest.MonkeyPatch):
    machine.has(clusters=kind.NAME, said="the server was refused", waiting=1)
    monkeypatch.setattr(kind, "PATIENCE", 0.0)
    with pytest.raises(DeployError, match="not ready: the server was refused") as caught:
        kind.make(30443)
    assert "kind export kubeconfig --name perimeter" in str(caught.value)
    assert "docker start perimeter-control-plane" in str(caught.value)
    assert "kind delete cluster --name perimeter" in str(caught.value)


def test_a_cluster_of_another_name_is_not_taken_for_ours(machine: Machine):
    machine.has(clusters="perimeter-of-others")
    kind.make(30443)
    assert any("create" in call for call in machine.calls())
