"""NetworkPolicies on the embedded cluster: with its own kubelet, proxy, name service and CNI plugin. Run by `make e2e`."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

import lab

pytestmark = pytest.mark.skipif("PERIMETER_E2E" not in os.environ, reason="needs the embedded cluster: make e2e")

SPACE = "enforcement-test"
PATIENCE = 60.0


class Cluster:
    def __init__(self) -> None:
        here = lab.start()
        self._kubectl = (str(here.tools["kubectl"]), "--kubeconfig", str(here.kubeconfig))
        self.probe, self.echo = here.probe_image, here.images["demo"]

    def ask(self, *arguments: str, given: Any = None, check: bool = True) -> str:
        text = None if given is None else json.dumps(given)
        done = subprocess.run([*self._kubectl, *arguments], input=text, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def apply(self, *objects: dict[str, Any]) -> None:
        self.ask("apply", "--server-side", "-f", "-", given={"apiVersion": "v1", "kind": "List", "items": list(objects)})

    def enforce(self, name: str, **spec: Any) -> None:
        metadata = {"name": name, "namespace": SPACE}
        self.apply(
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": {"podSelector": {}, **spec}}
        )

    def status(self, client: str, url: str) -> str:
        """Ask from a pod; 000 is no answer."""
        return self.ask(
            "exec", "-n", SPACE, client, "--", "curl", "-s", "-o", "/dev/null", "-m", "2", "-w", "%{http_code}", url, check=False
        )

    def becomes(self, client: str, url: str, status: str) -> bool:
        """Tell whether the answer is this within the time that a policy needs."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.status(client, url)) != status and time.monotonic() < deadline:
            time.sleep(0.2)
        return found == status


def pod(name: str, image: str, *command: str, **labels: str) -> dict[str, Any]:
    container: dict[str, Any] = {"name": "main", "image": image, "command": list(command), "imagePullPolicy": "IfNotPresent"}
    if labels.get("app") == "server":
        container["ports"] = [{"name": "web", "containerPort": 8080}]
        container["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 1}
    metadata = {"name": name, "namespace": SPACE, "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
    }


@pytest.fixture(scope="module")
def space() -> Iterator[Cluster]:
    cluster = Cluster()
    service = {"selector": {"app": "server"}, "ports": [{"port": 80, "targetPort": "web"}]}
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "server", "namespace": SPACE}, "spec": service},
        pod("server", cluster.echo, "./podinfo", "--port=8080", app="server"),
        pod("friend", cluster.probe, "sleep", "infinity", app="friend"),
        pod("stranger", cluster.probe, "sleep", "infinity", app="stranger"),
    )
    try:
        cluster.ask("wait", "-n", SPACE, "--for=condition=Ready", "pod", "--all", "--timeout=120s")
        yield cluster
    finally:
        cluster.ask("delete", "namespace", SPACE, "--wait=true")


@pytest.fixture
def cluster(space: Cluster) -> Cluster:
    space.ask("delete", "networkpolicy", "--all", "-n", SPACE)
    assert space.becomes("stranger", "http://server", "200")
    return space


FRIENDS = [{"from": [{"podSelector": {"matchLabels": {"app": "friend"}}}], "ports": [{"port": "web"}]}]


def test_only_those_reach_a_service_whom_its_pods_policy_admits(cluster: Cluster) -> None:
    cluster.enforce("friends", podSelector={"matchLabels": {"app": "server"}}, policyTypes=["Ingress"], ingress=FRIENDS)
    assert cluster.becomes("stranger", "http://server", "000")
    assert cluster.status("friend", "http://server") == "200"
    address = cluster.ask("get", "pod", "server", "-n", SPACE, "-o", "jsonpath={.status.podIP}")
    assert cluster.status("stranger", f"http://{address}:8080") == "000"


def test_who_may_call_but_not_ask_for_names_calls_nobody(cluster: Cluster) -> None:
    address = cluster.ask("get", "service", "server", "-n", SPACE, "-o", "jsonpath={.spec.clusterIP}")
    servers = {"to": [{"podSelector": {"matchLabels": {"app": "server"}}}]}
    cluster.enforce("servers", podSelector={"matchLabels": {"app": "friend"}}, policyTypes=["Egress"], egress=[servers])
    assert cluster.becomes("friend", "http://server", "000")
    assert cluster.status("friend", f"http://{address}") == "200"
    names = {
        "to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}],
        "ports": [{"protocol": "UDP", "port": 53}],
    }
    cluster.enforce("names", podSelector={"matchLabels": {"app": "friend"}}, policyTypes=["Egress"], egress=[names])
    assert cluster.becomes("friend", "http://server", "200")


def test_an_isolated_pod_stays_ready_because_its_node_may_always_ask(cluster: Cluster) -> None:
    cluster.enforce("nobody", policyTypes=["Ingress", "Egress"])
    assert cluster.becomes("stranger", "http://server", "000")
    time.sleep(5)
    ready = cluster.ask("get", "pod", "server", "-n", SPACE, "-o", "jsonpath={.status.conditions[?(@.type=='Ready')].status}")
    assert ready == "True"


def test_a_pod_is_isolated_from_its_first_packet(cluster: Cluster) -> None:
    address = cluster.ask("get", "service", "server", "-n", SPACE, "-o", "jsonpath={.spec.clusterIP}")
    cluster.enforce("newcomers", podSelector={"matchLabels": {"app": "newcomer"}}, policyTypes=["Egress"])
    script = f"for i in $(seq 20); do curl -s -o /dev/null -m 0.3 -w '%{{http_code}}\\n' http://{address}; done"
    cluster.apply(pod("newcomer", cluster.probe, "sh", "-c", f"{script}; sleep infinity", app="newcomer"))
    cluster.ask("wait", "-n", SPACE, "--for=condition=Ready", "pod/newcomer", "--timeout=60s")
    deadline = time.monotonic() + PATIENCE
    while len(answers := cluster.ask("logs", "newcomer", "-n", SPACE).split()) < 20 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert answers == ["000"] * 20
