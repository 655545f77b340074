"""What `perimeter verify` probes, and what it says where nothing can be probed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import lab
from cli.commands import verify
from cli.conformance import Subject, outputs, public
from cli.errors import UsageError
from cli.main import app

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


def test_each_of_several_edges_has_its_address_and_is_said_once() -> None:
    said = public(["198.51.100.1:443", "stream.example=198.51.100.2:443"])
    assert (str(said.address), {host: str(at) for host, at in said.of.items()}) == (
        "198.51.100.1:443",
        {"stream.example": "198.51.100.2:443"},
    )
    for wrong in (["=198.51.100.1:443"], ["a.example=thirty"], ["a:1", "b:2"], ["a.example=a:1", "a.example=b:2"]):
        with pytest.raises(UsageError, match="--public"):
            public(wrong)


def test_an_address_of_a_host_that_the_topology_does_not_have_is_told() -> None:
    done = run("local", "--context", "somewhere", "--public", "127.0.0.1:1", "--public", "nowhere.example=127.0.0.1:2")
    assert done.returncode == 2
    assert "a public address was given for nowhere.example, which is no host of the topology" in done.stderr


def test_the_outputs_of_a_stack_say_the_address_of_each_edge() -> None:
    one = {"system": "abc", "hosts": ["api.example"], "edge": "edge.example", "publicPort": 443}
    two = {**one, "edges": {"api.example": "edge.example", "stream.example": "pods.example"}}
    assert str(outputs(json.dumps(one)).address) == "edge.example:443"
    assert {host: str(at) for host, at in outputs(json.dumps(two)).of.items()} == {
        "api.example": "edge.example:443",
        "stream.example": "pods.example:443",
    }


def test_an_edge_that_is_a_service_of_the_cluster_is_left_to_the_cluster_to_say() -> None:
    assert outputs(json.dumps({"edge": "edge/edge", "publicPort": 30443})) == public([])


@pytest.mark.parametrize("text", ["", "{}", '{"edge": "edge.example"}'], ids=["nothing", "no-outputs", "no-port"])
def test_what_is_no_output_of_a_stack_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=r"--outputs: .*pulumi stack output --json"):
        outputs(text)


def test_addresses_that_are_said_in_two_ways_are_refused() -> None:
    done = CliRunner().invoke(app, ["verify", "local", "--context", "somewhere", "--public", "127.0.0.1:1", "--outputs", "-"], input="{}")
    assert "--public and --outputs both say where the system is" in str(done.exception)


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


def project(folder: Path, *config: str) -> Path:
    """Return a project whose stack `prod` says this."""
    lines = ["config:", f"  perimeter:topology: {ROOT / 'stacks' / 'abc.topology.yaml'}", *config]
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n", encoding="utf-8")
    (folder / "Pulumi.prod.yaml").write_text("\n".join(lines), encoding="utf-8")
    (folder / "__main__.py").touch()
    return folder


class Asked(Exception):
    """Where probing would have begun."""


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the embedded cluster run, and no probe."""

    def probe(_: Path, subject: Subject, **__: object) -> None:
        raise Asked(subject.name)

    monkeypatch.setattr(verify, "probe", probe)
    found = lab.Lab(bin=Path("/nowhere"), charts={})
    monkeypatch.setattr("lab.current", lambda: found)


@pytest.mark.parametrize(
    ("options", "config", "name"),
    [
        ((), ("  perimeter:context: production",), "production"),
        (("--lab",), ("  perimeter:context: production",), "the embedded cluster"),
        (("--context", "test"), ("  perimeter:context: production",), "test"),
        (("--kind",), ("  perimeter:context: production",), "kind-perimeter"),
        (("--kubeconfig", "/k"), (), "/k"),
        ((), (), "the embedded cluster"),
    ],
)
@pytest.mark.usefixtures("probed")
def test_the_system_is_looked_for_where_up_deploys_it(tmp_path: Path, options: tuple[str, ...], config: tuple[str, ...], name: str) -> None:
    with pytest.raises(Asked, match=f"^{name}$"):
        CliRunner().invoke(app, ["verify", "prod", "--project", str(project(tmp_path, *config)), *options], catch_exceptions=False)


def test_an_embedded_cluster_that_does_not_run_is_not_started_to_be_probed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.current", lambda: None)
    with pytest.raises(UsageError, match="the embedded cluster does not run"):
        CliRunner().invoke(app, ["verify", "prod", "--project", str(project(tmp_path)), "--lab"], catch_exceptions=False)
