import errno
import json
from pathlib import Path

import pytest

from components.binding import read_binding
from lab import Lab, LabError, addons, api, builder
from lab.certificates import Authority, Pair
from lab.issuer import Issuer
from lab.parts import BUILDS
from lab.progress import Estimate, Silent


@pytest.fixture
def lab() -> Lab:
    return Lab(bin=Path("/cache/tools"), charts={"istiod": Path("/cache/charts/istiod.tgz")})


def test_its_stack_configuration_is_one_that_the_program_takes(lab: Lab) -> None:
    given = {key.removeprefix("perimeter:"): value for key, value in lab.stack_config(echo=True).items()}
    binding = read_binding({"topology": "stacks/abc.topology.yaml", **given}, "local")
    assert binding.collector is not None
    assert binding.image("demo") == "lab.local/echo:1"
    assert binding.values["istiod"]["env"]["PILOT_ENABLE_ALPN_FILTER"] == "false"


def test_podinfo_and_no_traces_are_a_choice(lab: Lab) -> None:
    assert set(lab.stack_config(traces=False)) == {"perimeter:values", "perimeter:kubeconfig", "perimeter:context"}


def test_a_chart_is_found_by_what_releases_call_it(lab: Lab) -> None:
    assert lab.mirror("istiod") == Path("/cache/charts/istiod.tgz")
    assert lab.mirror("oci://elsewhere/istiod") is None


def test_names_with_a_dot_lead_outside_and_others_nowhere() -> None:
    assert "match ^[^.]+\\.([^.]+\\.)+$" in addons.COREFILE
    assert '"{{ .Name }} 60 IN A 203.0.113.10"' in addons.COREFILE
    assert addons.COREFILE.count("{") == addons.COREFILE.count("}")


def test_objects_of_the_cluster_have_a_kind_and_a_name(tmp_path: Path) -> None:
    for document in (*addons.rights(), *addons.names(), *addons.traces()):
        assert document["kind"]
        assert document["metadata"]["name"]
        json.dumps(document)


def test_an_error_says_what_why_what_to_do_and_where_to_look() -> None:
    error = LabError("istio", "`go build` ended with 1", todo="Make room", log=Path("/cache/logs/istio.log"))
    assert str(error) == "lab: istio: `go build` ended with 1. Make room. Log: /cache/logs/istio.log"


def test_a_build_that_fails_says_which_why_and_where_its_log_is_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = next(build for build in BUILDS if build.copy is None)
    compiler = tmp_path / "toolchain/go/bin/go"
    compiler.parent.mkdir(parents=True)
    compiler.write_text('#!/bin/sh\n[ "$1" = list ] && echo a && exit 0\necho "web.go:3:1: undefined: answer" >&2\nexit 1\n')
    compiler.chmod(0o755)
    monkeypatch.setattr(builder, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(builder, "BUILD_LOGS", tmp_path / "logs")
    monkeypatch.setattr(builder, "MINIMUM_DISK", 0)
    with pytest.raises(LabError) as raised, Silent().step(build.name) as step:
        builder.make(build, tmp_path / "toolchain", step)
    log = tmp_path / "logs" / f"{build.name}.log"
    assert str(raised.value) == f"lab: {build.name}: `go build` ended with 1: web.go:3:1: undefined: answer. Log: {log}"
    assert "undefined: answer" in log.read_text()
    assert not builder.built(build, tmp_path / "toolchain").exists()


def test_a_build_without_room_says_how_much_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "CACHE", tmp_path)
    monkeypatch.setattr(builder, "MINIMUM_DISK", 1 << 62)
    with pytest.raises(LabError, match=r"has \d+ GiB left\. Make room: a first build takes"), Silent().step("helm") as step:
        builder.make(BUILDS[0], tmp_path / "toolchain", step)


def test_a_full_disk_is_said_of_the_part_that_met_it() -> None:
    with pytest.raises(LabError) as raised, Silent().step("images"):
        raise OSError(errno.ENOSPC, "No space left on device", "/cache/images/1.tar")
    assert str(raised.value) == "lab: images: /cache/images/1.tar: No space left on device. Make room on that disk"


@pytest.fixture
def failing_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lab's own folder in another place; what starts there fails."""

    def nothing(_: object) -> object:
        return object()

    def fail(*_: object) -> None:
        raise LabError("etcd", "ended after it had started", log=tmp_path / "etcd.log")

    monkeypatch.setattr(api, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(api, "DESCRIPTION", tmp_path / "lab.json")
    monkeypatch.setattr(api, "Issuer", lambda: Issuer(outage=tmp_path / "outage"))
    monkeypatch.setattr(api.os, "geteuid", lambda: 0)
    monkeypatch.setattr(api.ingredients, "make", nothing)
    monkeypatch.setattr(api.cluster, "start", fail)
    (tmp_path / "lab.json").write_text("{}")
    (tmp_path / "outage").touch()
    return tmp_path


def test_a_start_that_fails_ends_what_it_started_and_is_not_taken_for_a_running_lab(
    failing_start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []
    monkeypatch.setattr(api.sandbox, "stop", lambda: ended.append(True))
    with pytest.raises(LabError, match=r"^lab: etcd: ended after it had started\. Log: .*etcd\.log$"):
        api.start()
    assert ended == [True]
    assert not (failing_start / "lab.json").exists()
    assert not (failing_start / "outage").exists()


def test_what_cannot_be_cleaned_up_does_not_hide_why_the_start_failed(failing_start: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stuck() -> None:
        raise LabError("network", "the sandbox's link goes: not within 90 s")

    monkeypatch.setattr(api.sandbox, "stop", stuck)
    with pytest.raises(
        LabError, match=r"etcd: ended after it had started; and it could not be cleaned up: lab: network: the sandbox's link"
    ):
        api.start()
    assert not (failing_start / "lab.json").exists()


def test_the_time_left_follows_the_pace_of_this_machine() -> None:
    estimate = Estimate()
    estimate.expect([("helm", 100), ("istio", 100)])
    assert estimate.left(0) == 200
    estimate.advance("helm", 0.0, 0)
    estimate.advance("helm", 1.0, 300)
    assert estimate.left(300) == 300


def test_an_authority_signs_servers_and_clients(tmp_path: Path) -> None:
    authority = Authority.load_or_make(Pair.at(tmp_path, "ca"), "lab")
    again = Authority.load_or_make(Pair.at(tmp_path, "ca"), "lab")
    assert again.certificate == authority.certificate
    pair = Pair.at(tmp_path, "server")
    authority.issue(pair, "server", names=("login.example", "192.0.2.1"))
    assert pair.key.stat().st_mode & 0o777 == 0o600
