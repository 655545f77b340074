"""What runs a service."""

from typing import Any

import pytest

from tests.topology.derive.documents import HEAD, IMAGES, relations, spec
from topology.derive import workloads
from topology.derive.manifest import Manifest


def made(text: str, *, extra: str = "") -> dict[tuple[str, str], Manifest]:
    r = relations(f"services: {{a: {{{text}}}}}\n{extra}")
    return {(d["kind"], d["metadata"]["name"]): d for d in workloads.workload(r, "a", IMAGES)}


def container(document: Manifest) -> dict[str, Any]:
    (found,) = spec(document)["template"]["spec"]["containers"]
    return found


def test_each_version_is_one_deployment() -> None:
    documents = made("versions: {v1: {weight: 50}, v2.1: {weight: 50, image: 'shop/a:2'}}")
    assert [name for kind, name in documents if kind == "Deployment"] == ["a-v1", "a-v2-1"]
    assert spec(documents["Deployment", "a-v2-1"])["selector"]["matchLabels"] == {"app": "a", "version": "v2.1"}
    assert container(documents["Deployment", "a-v1"])["image"] == "demo:1"
    assert container(documents["Deployment", "a-v2-1"])["image"] == "shop/a:2"


def test_another_trust_domain_makes_every_pod_anew_and_selects_the_same_pods() -> None:
    r = relations("services: {a: {}}")
    moved = relations("services: {a: {}}", head=HEAD.replace("trustDomain: shop.example", "trustDomain: bank.example"))
    (before,), (after,) = (list(workloads.workload(world, "a", IMAGES)) for world in (r, moved))
    assert spec(before)["template"] != spec(after)["template"]
    assert spec(before)["selector"] == spec(after)["selector"]


def test_each_datacenter_has_instances_that_say_where_they_are() -> None:
    documents = made("", extra="datacenters: {d1: {region: north}, d2: {region: south}}")
    assert [name for kind, name in documents if kind == "Deployment"] == ["a-v1-d1", "a-v1-d2"]
    labels = spec(documents["Deployment", "a-v1-d2"])["template"]["metadata"]["labels"]
    assert labels["topology.istio.io/locality"] == "south.d2"


def test_a_pod_meets_the_restricted_standard_by_itself() -> None:
    pod = spec(made("")["Deployment", "a-v1"])["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "a"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] != 1337
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_a_container_writes_to_tmp_and_to_the_directories_that_are_named() -> None:
    deployed = made("versions: {v1: {image: 'x:1', scratch: [/var/cache/x]}}")["Deployment", "a-v1"]
    assert [mount["mountPath"] for mount in container(deployed)["volumeMounts"]] == [workloads.SCRATCH_MOUNT["mountPath"], "/var/cache/x"]
    assert all(volume["emptyDir"] == {} for volume in spec(deployed)["template"]["spec"]["volumes"])


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ("port: 9000", ["./podinfo", "--port=9000"]),
        ("protocol: grpc, port: 9090", ["./podinfo", "--port=9898", "--grpc-port=9090"]),
        ("protocol: grpc, port: 9898", ["./podinfo", "--port=9899", "--grpc-port=9898"]),
    ],
)
def test_the_demonstration_image_listens_on_the_service_s_port(given: str, command: list[str]) -> None:
    assert container(made(given)["Deployment", "a-v1"])["command"] == command


def test_an_image_of_one_s_own_runs_its_own_command() -> None:
    deployed = made("versions: {v1: {image: 'x:1', env: {LOG: debug}}}")["Deployment", "a-v1"]
    assert "command" not in container(deployed)
    assert container(deployed)["env"] == [{"name": "LOG", "value": "debug"}]


def test_an_autoscaled_deployment_does_not_say_how_many_instances_it_has() -> None:
    documents = made("availability: {replicas: 2, maxReplicas: 8, cpuTarget: 60}")
    assert "replicas" not in spec(documents["Deployment", "a-v1"])
    scaler = spec(documents["HorizontalPodAutoscaler", "a-v1"])
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 8)
    assert scaler["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}


def test_several_instances_have_one_disruption_budget_and_a_single_one_has_none() -> None:
    assert spec(made("availability: {replicas: 3, maxUnavailable: 2}")["PodDisruptionBudget", "a"])["maxUnavailable"] == 2
    assert ("PodDisruptionBudget", "a") not in made("")


@pytest.mark.parametrize(
    ("given", "rollout"),
    [
        ("{}", {"maxSurge": 1, "maxUnavailable": 0}),
        ("{replicas: 4, maxUnavailable: 2}", {"maxSurge": 1, "maxUnavailable": 2}),
        ("{maxSurge: 0}", {"maxSurge": 0, "maxUnavailable": 1}),
    ],
)
def test_a_rollout_does_not_take_the_last_instance_unless_it_must(given: str, rollout: dict[str, int]) -> None:
    deployed = made(f"availability: {given}")["Deployment", "a-v1"]
    assert spec(deployed)["strategy"]["rollingUpdate"] == rollout


@pytest.mark.parametrize(("protocol", "word"), [("http", "http"), ("websocket", "http"), ("grpc", "grpc"), ("tcp", "tcp")])
def test_the_port_says_what_it_speaks(protocol: str, word: str) -> None:
    r = relations(f"services: {{a: {{protocol: {protocol}, port: 7000}}}}")
    assert spec(workloads.service(r, "a")) == {
        "type": "ClusterIP",
        "selector": {"app": "a"},
        "ports": [{"name": word, "port": 7000, "targetPort": 7000, "protocol": "TCP", "appProtocol": word}],
    }


def test_nobody_waits_for_a_service_without_instances() -> None:
    r = relations("services: {a: {availability: {replicas: 0}}}")
    assert workloads.service(r, "a")["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def test_health_is_asked_by_path_where_there_is_one() -> None:
    assert container(made("health: /healthz")["Deployment", "a-v1"])["readinessProbe"]["httpGet"] == {"path": "/healthz", "port": 8080}
    assert container(made("")["Deployment", "a-v1"])["readinessProbe"]["tcpSocket"] == {"port": 8080}


def test_a_variable_is_a_value_or_a_secret_s() -> None:
    text = "versions: {v1: {env: {MODE: fast}, secrets: {PASSWORD: {secret: a-database, key: password}}}}"
    assert container(made(text)["Deployment", "a-v1"])["env"] == [
        {"name": "MODE", "value": "fast"},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a-database", "key": "password"}}},
    ]


@pytest.mark.parametrize(
    ("given", "reserved", "most"),
    [
        ("", {"cpu": "50m", "memory": "64Mi"}, "256Mi"),
        ("resources: {cpu: 250m, memory: 1Gi}", {"cpu": "250m", "memory": "1Gi"}, "1Gi"),
    ],
)
def test_an_instance_gets_what_it_reserves_and_no_more_memory(given: str, reserved: dict[str, str], most: str) -> None:
    assert container(made(given)["Deployment", "a-v1"])["resources"] == {"requests": reserved, "limits": {"memory": most}}
