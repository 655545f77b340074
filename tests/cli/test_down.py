"""What `perimeter down` removes with, and when it may say that there is nothing to do. The Pulumi CLI is a script; a cluster is asked in tests/deploy."""

import os
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import clusters
from cli.clusters import Cluster
from cli.commands.options import With
from cli.deploying import Deployment
from cli.errors import ExitCode, UsageError
from cli.main import app
from cli.project import Project
from deploy import deployer, pulumi_cli
from deploy.errors import DeployError, MadeByPulumiError
from deploy.objects import Change
from deploy.processes import Tools
from deploy.target import Result
from tests.systems import ROOT

SCRIPT = """#!/bin/sh
echo "$1 $2" >> "$ASKED"
case "$1 $2" in "stack --stack") [ -z "$NO_STACK" ] || { echo "error: $NO_STACK" >&2; exit 255; };; esac
"""
UNKNOWN = "no stack named 'dev' found"
MADE = MadeByPulumiError(["Namespace shop is in the cluster and made by Pulumi"])


class Here:
    """A stack with a cluster that answers as it is told, and a Pulumi CLI."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.removed = 0
        self.remembered = False
        self.raised: DeployError | None = None
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(deployer, "down", self._down)
        monkeypatch.setattr(deployer, "remembers", self._remembers)

    def pulumi_says(self, text: str) -> None:
        self._monkeypatch.setenv("NO_STACK", text)

    def without_pulumi(self) -> None:
        (self.root / "bin" / "pulumi").unlink()

    def down(self, engine: With | None = None, *, is_lab: bool = False) -> ExitCode:
        cluster = Cluster(name="here", tools=Tools(), is_lab=is_lab)
        project = Project(root=self.root)
        return Deployment(project=project, stack="dev", topology=self.root / "t.yaml", cluster=cluster, engine=engine).down()

    def down_of_a_cloud(self) -> ExitCode:
        cluster = clusters.made({"perimeter:cluster": "eks"})
        assert cluster
        return Deployment(project=Project(root=self.root), stack="dev", topology=self.root / "t.yaml", cluster=cluster).down()

    def asked(self) -> list[str]:
        file = self.root / "asked"
        return file.read_text().splitlines() if file.exists() else []

    def _remembers(self, _: object) -> bool:
        return self.remembered

    def _down(self, *_: object) -> Result:
        if self.raised:
            raise self.raised
        return Result(changes=Counter({Change.REMOVED: self.removed}), seconds=1)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "__main__.py").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi").write_text(SCRIPT)
    (tmp_path / "bin" / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    return Here(tmp_path, monkeypatch)


def test_what_pulumi_knows_is_removed_by_pulumi(here: Here):
    assert here.down() is ExitCode.KEPT
    assert "destroy --skip-preview" in here.asked()


def test_what_kubectl_made_before_pulumi_came_onto_path_is_removed_by_kubectl(here: Here, capsys: pytest.CaptureFixture[str]):
    here.pulumi_says(UNKNOWN)
    here.removed, here.remembered = 7, True
    assert here.down() is ExitCode.KEPT
    assert "7 removed from here" in capsys.readouterr().err
    assert not [line for line in here.asked() if line.startswith("destroy")]


def test_what_kubectl_made_is_not_removed_where_pulumi_was_named(here: Here):
    here.pulumi_says(UNKNOWN)
    here.removed, here.remembered = 7, True
    with pytest.raises(UsageError, match=r"kubectl and helm deployed it to here. Nothing was removed."):
        here.down(With.PULUMI)


@pytest.mark.parametrize("engine", [None, With.PULUMI])
def test_there_is_nothing_to_do_where_neither_has_made_anything(here: Here, capsys: pytest.CaptureFixture[str], engine: With | None):
    here.pulumi_says(UNKNOWN)
    assert here.down(engine) is ExitCode.KEPT
    assert "Nothing to do" in capsys.readouterr().err


@pytest.mark.parametrize("is_lab", [True, False])
def test_a_backend_that_does_not_answer_is_never_nothing_to_do(here: Here, is_lab: bool):
    here.pulumi_says("could not query backend: the token has expired")
    here.raised = MADE
    with pytest.raises(DeployError, match="the token has expired"):
        here.down(is_lab=is_lab)


def test_what_pulumi_made_in_the_embedded_cluster_is_removed_by_pulumi(here: Here):
    here.raised = MADE
    assert here.down(is_lab=True) is ExitCode.KEPT
    assert "destroy --skip-preview" in here.asked()


@pytest.mark.parametrize("engine", [None, With.KUBECTL])
def test_what_pulumi_made_is_said_where_it_cannot_or_may_not_remove_it(here: Here, engine: With | None):
    here.raised = MADE
    if engine is None:
        here.without_pulumi()
    with pytest.raises(MadeByPulumiError):
        here.down(engine)
    assert not here.asked()


def test_what_pulumi_made_under_another_login_is_said(here: Here):
    here.pulumi_says(UNKNOWN)
    here.raised = MADE
    with pytest.raises(MadeByPulumiError):
        here.down()


@pytest.mark.parametrize(("exists", "code", "said"), [(True, 2, "comes back when it starts"), (False, 0, "Nothing to do")])
def test_an_embedded_cluster_that_does_not_run_still_holds_what_was_deployed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, exists: bool, code: int, said: str
):
    monkeypatch.setattr("lab.current", lambda: None)
    monkeypatch.setattr("cli.commands.down.STATE", tmp_path if exists else tmp_path / "none")
    result = CliRunner().invoke(app, ["down", "local", "--lab", "--project", str(ROOT)])
    assert result.exit_code == code
    assert said in result.stderr


def test_what_is_in_a_cloud_is_removed_by_pulumi_and_no_cluster_is_asked(here: Here, capsys: pytest.CaptureFixture[str]):
    here.raised = DeployError(["a cluster was asked"])
    assert here.down_of_a_cloud() is ExitCode.KEPT
    assert "destroy --skip-preview" in here.asked()
    here.pulumi_says(UNKNOWN)
    assert here.down_of_a_cloud() is ExitCode.KEPT
    assert "Nothing to do: Pulumi knows no stack dev." in capsys.readouterr().err


def test_without_pulumi_there_is_never_nothing_to_do_in_a_cloud(monkeypatch: pytest.MonkeyPatch):
    def asked(*_: object, **__: object) -> None:
        pytest.fail("a cluster was chosen or asked")

    monkeypatch.setattr(clusters, "running", asked)
    monkeypatch.setattr(pulumi_cli, "found", lambda: None)
    with pytest.raises(DeployError, match=r"there is no pulumi on PATH\. Nothing was changed"):
        app(["down", "aws-dev", "--project", str(ROOT)], standalone_mode=False)
