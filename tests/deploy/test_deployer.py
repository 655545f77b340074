"""Deployments of a small program to a real API server: no node, so nothing of it runs, but everything is stored, changed and removed for real."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from rich.console import Console

from deploy import deployer
from deploy.api import connect
from deploy.deployer import down, up
from deploy.errors import DeployError, MadeByPulumiError
from deploy.objects import Change
from deploy.processes import Tools, run
from deploy.progress import Progress
from deploy.target import Result, Target

pytestmark = pytest.mark.xdist_group("cluster")
PROGRAM = Path(__file__).parent / "program"


class Stack:
    """The program's stack in the test cluster."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self.said = StringIO()

    def target(self, *, adopt: bool = False, **config: str) -> Target:
        settings = {f"shop:{key}": value for key, value in config.items()}
        return Target(root=PROGRAM, project="shop", stack="dev", config=settings, tools=self.tools, adopt=adopt)

    def up(self, *, adopt: bool = False, **config: str) -> Result:
        with Progress(Console(file=self.said, width=200)) as progress:
            return up(self.target(adopt=adopt, **config), progress)

    def down(self) -> Result:
        with Progress(Console(file=self.said, width=200)) as progress:
            return down(self.target(), progress)

    def kubectl(self, *words: str) -> str:
        code, printed, complained = run(self.tools.kubectl(*words))
        assert code == 0, complained
        return printed

    def get(self, *words: str) -> dict[str, Any]:
        return json.loads(self.kubectl("get", *words, "--output", "json", "--show-managed-fields"))

    def names(self, kind: str) -> set[str]:
        return {item["metadata"]["name"] for item in self.get(kind, "--namespace", "shop")["items"]}

    def key(self) -> str:
        return base64.b64decode(self.get("secret", "key", "--namespace", "shop")["data"]["key"]).decode()

    def versions(self) -> dict[str, str]:
        found = self.get("configmap,secret,shirts,crd,namespace", "--all-namespaces")["items"]
        return {
            f"{item['kind']}/{item['metadata'].get('namespace')}/{item['metadata']['name']}": item["metadata"]["resourceVersion"]
            for item in found
        }


@pytest.fixture
def stack(tools: Tools) -> Iterator[Stack]:
    found = Stack(tools)
    yield found
    found.down()


def test_everything_is_made_and_a_second_run_changes_nothing(stack: Stack):
    first = stack.up()
    assert first.changes == {Change.CREATED: 9}
    assert stack.names("configmap") >= {"item-0", "item-1", "item-2", "chart"}
    before = stack.versions()
    second = stack.up()
    assert second.nothing
    assert stack.versions() == before


def test_only_what_changed_is_changed_and_what_left_the_plan_is_removed(stack: Stack):
    stack.up()
    result = stack.up(items="1", colour="blue")
    assert result.changes[Change.CHANGED] == 3
    assert result.changes[Change.REMOVED] == 2
    assert stack.names("configmap") & {"item-0", "item-1", "item-2"} == {"item-0"}
    assert stack.get("configmap", "chart", "--namespace", "shop")["data"] == {"colour": "blue"}
    assert stack.up(items="1", colour="blue").nothing


def test_a_key_is_made_once_kept_as_long_as_nothing_asks_for_another_and_is_in_no_clear_text_but_its_own_secret(stack: Stack):
    stack.up()
    key = stack.key()
    assert len(key) == 16
    stack.up(colour="blue")
    assert stack.key() == key
    rotated = stack.up(colour="blue", rotation="2")
    assert rotated.changes[Change.REPLACED] == 1
    assert stack.key() not in {key, ""}
    state = stack.get("secret", "shop-dev", "--namespace", "perimeter")
    assert stack.key() not in json.dumps(state)
    assert stack.key() not in stack.said.getvalue()


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        (("patch", "configmap", "item-0", "--type=merge", "--patch", '{"data":{"colour":"pink"}}'), Change.CHANGED),
        (("patch", "configmap", "item-0", "--type=merge", "--patch", '{"data":{"added":"by hand"}}'), Change.CHANGED),
        (("patch", "shirt", "one", "--type=merge", "--patch", '{"spec":{"colour":"pink"}}'), Change.CHANGED),
        (("delete", "configmap", "item-1"), Change.CREATED),
        (("delete", "configmap", "chart"), Change.CHANGED),
        (("patch", "configmap", "chart", "--type=merge", "--patch", '{"data":{"colour":"pink"}}'), Change.CHANGED),
    ],
)
def test_what_somebody_changed_is_put_back(stack: Stack, command: tuple[str, ...], changed: Change):
    stack.up()
    stack.kubectl(*command, "--namespace", "shop")
    result = stack.up()
    assert {change for change, count in result.changes.items() if count} == {Change.SAME, changed}
    for name in ("item-0", "item-1", "chart"):
        assert stack.get("configmap", name, "--namespace", "shop")["data"] == {"colour": "red"}
    assert stack.get("shirt", "one", "--namespace", "shop")["spec"] == {"colour": "red"}
    assert stack.up().nothing


def test_down_removes_everything_and_a_second_down_has_nothing_to_do(stack: Stack):
    stack.up()
    stack.down()
    names = {item["metadata"]["name"] for item in stack.get("namespace")["items"]}
    assert not names & {"shop", "perimeter"}
    assert not stack.get("crd")["items"]
    assert stack.down().nothing


def test_a_namespace_is_deleted_only_when_the_pods_that_are_ending_in_it_have_ended(stack: Stack):
    stack.up()
    pod = {"nodeName": "none", "containers": [{"name": "main", "image": "none"}], "automountServiceAccountToken": False}
    stack.kubectl("run", "ending", "--image=none", "--namespace", "shop", "--overrides", json.dumps({"spec": pod}))
    stack.kubectl("delete", "pod", "ending", "--namespace", "shop", "--wait=false")
    removing = Thread(target=stack.down)
    removing.start()
    while "pods are ending: ending" not in stack.said.getvalue() and removing.is_alive():
        time.sleep(0.1)
    assert stack.get("namespace", "shop")["status"]["phase"] == "Active"
    stack.kubectl("delete", "pod", "ending", "--namespace", "shop", "--force", "--grace-period=0")
    removing.join()
    assert "shop" not in {item["metadata"]["name"] for item in stack.get("namespace")["items"]}


def test_a_lost_state_is_made_up_for_by_the_labels_of_the_objects(stack: Stack):
    stack.up()
    stack.kubectl("delete", "secret", "shop-dev", "--namespace", "perimeter")
    result = stack.up(items="2")
    assert result.changes[Change.REMOVED] == 1
    assert stack.names("configmap") & {"item-0", "item-1", "item-2"} == {"item-0", "item-1"}


def test_without_its_state_nothing_is_removed_and_what_is_there_is_said(stack: Stack):
    stack.up()
    stack.kubectl("delete", "secret", "shop-dev", "--namespace", "perimeter")
    with pytest.raises(DeployError, match="and nothing was removed: the Secret perimeter/shop-dev is gone") as caught:
        stack.down()
    assert "ConfigMap shop/item-0" in str(caught.value)
    assert not isinstance(caught.value, MadeByPulumiError)
    stack.up()
    assert stack.down().changes[Change.REMOVED]
    assert stack.down().nothing


def test_what_the_pulumi_cli_made_is_said_and_left_to_it(stack: Stack):
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"system": "shop"}}}
    with connect(stack.tools) as api:
        api.request(
            "PATCH", "/api/v1/namespaces/shop", namespace, "application/apply-patch+yaml", fieldManager="pulumi-kubernetes-1a2b3c4d"
        )
    with pytest.raises(MadeByPulumiError, match="Namespace shop is in the cluster and made by Pulumi, and nothing was removed"):
        stack.down()
    assert not deployer.remembers(stack.target())
    stack.kubectl("delete", "namespace", "shop")
    assert stack.down().nothing


def test_what_somebody_else_made_is_not_touched_unless_it_is_to_be_adopted(stack: Stack):
    stack.kubectl("create", "namespace", "shop")
    with pytest.raises(DeployError, match="Namespace shop: exists already and was made by kubectl-create") as caught:
        stack.up()
    assert "--adopt" in str(caught.value)
    assert not stack.get("crd")["items"]
    assert stack.up(adopt=True).changes[Change.CREATED] == 8


def test_a_release_that_was_interrupted_is_repaired(stack: Stack):
    stack.up()
    [secret] = [name for name in stack.names("secret") if name.startswith("sh.helm.release")]
    stack.kubectl("label", "secret", secret, "--namespace", "shop", "--overwrite", "status=pending-install")
    assert stack.up().changes[Change.CREATED] == 1
    assert stack.up().nothing


def test_an_immutable_field_makes_a_new_object(stack: Stack):
    stack.up(immutable="true")
    before = stack.get("configmap", "fixed", "--namespace", "shop")["metadata"]["uid"]
    assert stack.up(immutable="true", colour="blue").changes[Change.REPLACED] == 1
    after = stack.get("configmap", "fixed", "--namespace", "shop")
    assert after["metadata"]["uid"] != before
    assert after["data"] == {"colour": "blue"}


def test_a_refused_object_is_named_with_the_servers_words_and_the_rest_continues_next_time(stack: Stack):
    with pytest.raises(DeployError, match=r"ConfigMap shop/item-0: .*data") as caught:
        stack.up(colour="7", typed="true")
    assert "run the command again" in str(caught.value)
    stack.up()
    assert stack.up().nothing


@pytest.mark.parametrize("moment", [0.4, 1.4, 1.9, 2.4])
def test_a_run_that_was_killed_at_any_moment_is_completed_by_the_next(stack: Stack, moment: float):
    code = (
        "import sys; from pathlib import Path; from rich.console import Console; from deploy.deployer import up; "
        "from deploy.processes import Tools; from deploy.progress import Progress; from deploy.target import Target; "
        f"tools = Tools(folder=Path({str(stack.tools.folder)!r}), kubeconfig=Path({str(stack.tools.kubeconfig)!r}), context='test'); "
        f"up(Target(root=Path({str(PROGRAM)!r}), project='shop', stack='dev', config={{}}, tools=tools), Progress(Console(stderr=True)))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL)
    time.sleep(moment)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    stack.up()
    assert stack.up().nothing
    assert stack.names("configmap") >= {"item-0", "item-1", "item-2", "chart"}
