"""`perimeter up` and `down` on the embedded cluster: nothing twice, everything after an interruption, nothing left behind. Run by `make e2e`."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import OWN, Stack
from tests.opened import opened_project
from tests.systems import ROOT

pytestmark = pytest.mark.skipif("PERIMETER_E2E" not in os.environ, reason="needs the embedded cluster: make e2e")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    found = Stack()
    found.up()
    yield found
    found.up()


def test_a_second_run_has_nothing_to_do_and_changes_nothing(stack: Stack) -> None:
    before = stack.generations()
    assert "Nothing to do" in stack.up()
    assert stack.generations() == before


@pytest.mark.parametrize(
    "command",
    [
        ("patch", "peerauthentications.security.istio.io/default", "-n", "istio-system", "--type=merge", "-p", '{"spec":{"mtls":{"mode":"PERMISSIVE"}}}'),
        ("delete", "authorizationpolicies.security.istio.io/b", "-n", "abc"),
        ("delete", "networkpolicy/default-deny", "-n", "abc"),
        ("delete", "deployment/b-v1", "-n", "abc"),
        ("patch", "deployment/c-v1", "-n", "abc", "--type=merge", "-p", '{"spec":{"template":{"metadata":{"annotations":{"sidecar.istio.io/inject":"false"}}}}}'),
        ("patch", "deployment/istiod-main", "-n", "istio-system", "--type=json", "-p", '[{"op":"replace","path":"/spec/template/spec/containers/0/env","value":[]}]'),
        ("delete", "deployment/istiod-main", "-n", "istio-system"),
    ],
    ids=lambda command: " ".join(command[:2]),
)  # fmt: skip
def test_what_somebody_changed_is_put_back(stack: Stack, command: tuple[str, ...]) -> None:
    stack.kubectl(*command)
    assert "Nothing to do" not in stack.up()
    assert "Nothing to do" in stack.up()


def test_another_system_takes_the_place_of_the_first_and_nothing_of_it_is_left(stack: Stack) -> None:
    stack.up("payments")
    names = {item["metadata"]["name"] for item in stack.get("namespaces")["items"]}
    assert "abc" not in names
    assert "Nothing to do" in stack.up("payments")
    keys = {item["metadata"]["name"]: item["data"] for item in stack.get("secrets", "-n", "gateway", *OWN)["items"]}
    assert keys
    stack.up("payments")
    assert {item["metadata"]["name"]: item["data"] for item in stack.get("secrets", "-n", "gateway", *OWN)["items"]} == keys
    stack.up()
    assert not stack.get("secrets", "-n", "gateway", *OWN)["items"]


@pytest.mark.parametrize("seconds", [10.0, 35.0])
def test_a_first_run_that_was_killed_is_completed_by_the_next(stack: Stack, seconds: float) -> None:
    stack.down()
    stack.killed_after(seconds)
    stack.up()
    assert "Nothing to do" in stack.up()


def test_a_removal_that_was_killed_is_completed_by_the_next_and_leaves_nothing(stack: Stack) -> None:
    stack.killed_after(5.0, "down")
    stack.down()
    assert "Nothing to do" in stack.down()
    names = {item["metadata"]["name"] for item in stack.get("namespaces")["items"]}
    assert not names & {"abc", "edge", "gateway", "istio-system", "istio-ingress", "cert-manager", "envoy-gateway-system", "perimeter"}
    found = json.loads(stack.kubectl("get", "clusterroles,clusterrolebindings", *OWN, "-o", "json"))
    assert not found["items"]


def test_a_broken_boundary_is_not_deployed(stack: Stack, tmp_path: Path) -> None:
    project = opened_project(tmp_path)
    before = stack.generations()
    done = subprocess.run(
        stack.command("up", "--no-verify", "--project", str(project)), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr[-4000:]
    assert "BROKEN" in done.stdout
    assert "Service abc/open" in done.stdout
    assert "Nothing was applied." in done.stderr
    assert stack.generations() == before
