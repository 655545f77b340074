from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.releases import arguments, digest
from tests import systems

ISTIOD = {
    "atomic": True,
    "chart": "istiod",
    "compat": "true",
    "createNamespace": False,
    "name": "istiod-main",
    "namespace": "istio-system",
    "repositoryOpts": {"repo": "https://charts.example"},
    "skipAwait": False,
    "timeout": 600,
    "version": "1.31.1",
    "values": {"a": 1},
}


def test_a_release_is_said_to_helm_exactly():
    assert arguments(ISTIOD, None, "/dev/fd/3") == [
        *("upgrade", "--install", "istiod-main", "istiod", "--namespace", "istio-system", "--values", "/dev/fd/3", "--timeout", "600s"),
        *("--wait", "--atomic", "--version", "1.31.1", "--repo", "https://charts.example"),
    ]


def test_a_local_copy_takes_the_place_of_chart_version_and_repository_and_of_nothing_else():
    words = arguments(ISTIOD, Path("/charts/istiod-1.31.1.tgz"), "-")
    assert words[3] == "/charts/istiod-1.31.1.tgz"
    assert "--version" not in words
    assert "--repo" not in words
    assert {"--wait", "--atomic"} <= set(words)


def test_a_release_that_is_not_awaited_is_not_waited_for():
    assert "--wait" not in arguments({**ISTIOD, "skipAwait": True}, None, "-")


def test_a_property_that_helm_cannot_be_told_is_refused():
    with pytest.raises(DeployError, match="Release istiod-main: postrender"):
        arguments({**ISTIOD, "postrender": "./x"}, None, "-")


@pytest.mark.parametrize("system", systems.SYSTEMS)
@pytest.mark.parametrize("stack", systems.STACKS)
def test_every_release_of_every_system_can_be_said(system: str, stack: str):
    try:
        plan = systems.plan(system, stack)
    except Exception as error:
        pytest.skip(f"the product bound to this stack cannot carry this system: {error}")
    for resource in plan.resources:
        if str(resource["type"]).endswith(":Release"):
            assert arguments(resource["inputs"], None, "-")


def test_the_digest_follows_inputs_and_the_files_of_a_local_chart(tmp_path: Path):
    (tmp_path / "Chart.yaml").write_text("a")
    before = digest(ISTIOD, tmp_path)
    assert digest(dict(reversed(ISTIOD.items())), tmp_path) == before
    assert digest({**ISTIOD, "values": {"a": 2}}, tmp_path) != before
    (tmp_path / "Chart.yaml").write_text("b")
    assert digest(ISTIOD, tmp_path) != before
