"""What `perimeter up` refuses to deploy. What it deploys is tested in tests/deploy and, on a cluster, in tests/e2e."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import clusters
from cli.clusters import Cluster
from cli.commands import up as command
from cli.deploying import Deployment
from cli.errors import UsageError
from cli.main import app
from cli.project import Project
from deploy import deployer
from deploy.errors import DeployError
from deploy.processes import Tools
from tests.opened import opened_project
from tests.systems import ROOT


def test_what_the_judge_does_not_call_kept_is_not_deployed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    # Nobody has reviewed a chart from there.
    unread = {"perimeter:charts": json.dumps({"istiod": "./somewhere/istiod"})}

    def nowhere(*_: object, **__: object) -> Cluster:
        return Cluster(name="nowhere", tools=Tools(folder=tmp_path), config=unread)

    def deployment(**_: object) -> None:
        pytest.fail("it was deployed")

    monkeypatch.setattr(clusters, "running", nowhere)
    monkeypatch.setattr(command, "Deployment", deployment)
    result = CliRunner().invoke(app, ["up", "local", "--project", str(ROOT)])
    assert result.exit_code in {1, 2}
    assert "KEPT" not in result.stdout
    assert "Nothing was applied." in result.stderr


def test_a_broken_boundary_is_not_deployed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def deployment(**_: object) -> None:
        pytest.fail("it was deployed")

    monkeypatch.setattr(command, "Deployment", deployment)
    result = CliRunner().invoke(app, ["up", "local", "--context", "nowhere", "--project", str(opened_project(tmp_path))])
    assert result.exit_code == 1
    assert "Service abc/open" in result.stdout
    assert "Nothing was applied." in result.stderr


def test_a_cluster_that_nobody_named_is_not_deployed_to(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lab.current", lambda: None)
    monkeypatch.setattr(clusters, "_current_context", lambda: "production")
    with pytest.raises(UsageError, match="'production', which is not taken without being named"):
        CliRunner().invoke(app, ["up", "local", "--project", str(ROOT)], catch_exceptions=False)


def test_a_tool_that_is_missing_is_told_before_anything_is_applied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def applied(*_: object) -> None:
        pytest.fail("something was applied")

    (tmp_path / "kubectl").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "kubectl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(deployer, "up", applied)
    cluster = Cluster(name="here", tools=Tools())
    deployment = Deployment(project=Project(root=ROOT), stack="local", topology=tmp_path / "t.yaml", cluster=cluster)
    with pytest.raises(DeployError, match=r"^helm: is not on PATH"):
        deployment.up()
