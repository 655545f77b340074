"""What `perimeter up` refuses to deploy. What it deploys is tested in tests/deploy and, on a cluster, in tests/e2e."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import clusters
from cli.clusters import Cluster
from cli.commands import up as command
from cli.commands.options import With
from cli.deploying import Deployment
from cli.errors import ExitCode, UsageError
from cli.main import app
from cli.project import Project
from deploy import deployer, pulumi_cli
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


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no cluster be chosen, started or asked, and nothing be made."""

    def touched(*_: object, **__: object) -> None:
        pytest.fail("a cluster was chosen, or something was made")

    for place in ("lab.current", "lab.start", "cli.kind.admit", "cli.kind.make", "cli.clusters.running", "deploy.deployer.up"):
        monkeypatch.setattr(place, touched)
    monkeypatch.setattr(pulumi_cli.PulumiStack, "up", touched)


def without_pulumi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi_cli, "found", lambda: None)


def unjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_judge", lambda *_, **__: None)


@pytest.mark.usefixtures("untouched")
def test_a_stack_of_a_cloud_is_judged_and_then_refused_without_the_pulumi_cli(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    without_pulumi(monkeypatch)
    with pytest.raises(DeployError, match=r"the Pulumi CLI alone can .* there is no pulumi on PATH\. Nothing was changed"):
        app(["up", "azure-dev", "--project", str(ROOT)], standalone_mode=False)
    assert "KEPT" in capsys.readouterr().out


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("options", [["--context", "nowhere"], ["--lab"], ["--kind"]], ids=" ".join)
@pytest.mark.parametrize("stack", ["azure-nginx", "aws-dev"])
def test_a_stack_of_a_cloud_takes_no_cluster_and_is_not_sent_to_get_helm(monkeypatch: pytest.MonkeyPatch, stack: str, options: list[str]):
    without_pulumi(monkeypatch)
    unjudged(monkeypatch)
    with pytest.raises(DeployError) as caught:
        app(["up", stack, *options, "--project", str(ROOT)], standalone_mode=False)
    assert len(caught.value.findings) == 2
    assert "there is no pulumi on PATH" in caught.value.findings[0]
    assert caught.value.findings[1].startswith(f"{options[0]}: stack {stack} makes a cluster of its own")
    assert "helm" not in str(caught.value)


@pytest.mark.usefixtures("untouched")
def test_a_stack_of_a_cloud_is_not_made_with_kubectl(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pulumi_cli, "found", lambda: "/opt/pulumi")
    unjudged(monkeypatch)
    with pytest.raises(DeployError, match=r"^--with kubectl: stack aws-dev makes a cluster of its own"):
        app(["up", "aws-dev", "--with", With.KUBECTL, "--project", str(ROOT)], standalone_mode=False)


@pytest.mark.usefixtures("untouched")
def test_a_stack_of_a_cloud_is_given_to_the_pulumi_cli_alone(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    deployed: list[pulumi_cli.PulumiStack] = []

    def up(stack: pulumi_cli.PulumiStack) -> int:
        deployed.append(stack)
        return 0

    monkeypatch.setattr(pulumi_cli, "found", lambda: "/opt/pulumi")
    monkeypatch.setattr(pulumi_cli.PulumiStack, "up", up)
    unjudged(monkeypatch)
    with pytest.raises(SystemExit) as ended:
        app(["up", "azure-dev", "--project", str(ROOT)], standalone_mode=False)
    assert ended.value.code == ExitCode.KEPT
    assert [(stack.stack, dict(stack.config)) for stack in deployed] == [("azure-dev", {"perimeter:topology": "stacks/abc.topology.yaml"})]
    assert "perimeter verify azure-dev --context NAME --outputs FILE" in " ".join(capsys.readouterr().err.split())
