from typing import Any

import pytest

from tests.policies.building import stack_of

Manifest = dict[str, Any]
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "x", "labels": {"app": "p"}},
    "spec": {"containers": [{"name": "p", "ports": [{"name": "http", "containerPort": 8080}]}]},
}


def service(annotations: dict[str, str] | None = None, **spec: Any) -> Manifest:
    metadata = {"name": "s", "namespace": "x", "annotations": annotations or {}}
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": {"app": "p"}, "ports": ports, **spec}}


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (service(type="NodePort"), "Service x/s is of type NodePort"),
        (service(type="LoadBalancer"), "Service x/s is of type LoadBalancer"),
        (service(externalIPs=["192.0.2.1"]), "Service x/s has externalIPs 192.0.2.1"),
        ({**POD, "spec": {"hostNetwork": True, "containers": []}}, "pods of Pod x/p use the node's network (hostNetwork)"),
    ],
)
def test_whatever_has_an_address_outside_is_public(item: Manifest, why: str) -> None:
    stack = stack_of([POD, item] if item["kind"] == "Service" else [item])
    assert [exposure.why for exposure in stack.exposures] == [why]


def test_a_public_service_leads_to_the_container_port_of_its_pods() -> None:
    (exposure,) = stack_of([POD, service(type="NodePort")]).exposures
    assert (exposure.port, [pod.name for pod in exposure.pods]) == (8080, ["p"])


def test_a_cluster_ip_and_an_internal_load_balancer_are_not_public() -> None:
    internal = {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
    assert stack_of([POD, service()]).exposures == ()
    assert stack_of([POD, service(internal, type="LoadBalancer")]).exposures == ()


@pytest.mark.parametrize("backend", [{"service": {"name": "s"}}, {"serviceName": "s"}])
def test_an_ingress_of_any_version_publishes_its_services(backend: Manifest) -> None:
    ingress = {
        "apiVersion": "networking.k8s.io/v1" if "service" in backend else "extensions/v1beta1",
        "kind": "Ingress",
        "metadata": {"name": "i", "namespace": "x"},
        "spec": {"rules": [{"http": {"paths": [{"path": "/", "backend": backend}]}}]},
    }
    (exposure,) = stack_of([POD, service(), ingress]).exposures
    assert exposure.why == "Ingress x/i publishes Service x/s"
    assert [pod.name for pod in exposure.pods] == ["p"]


def test_a_host_port_is_public() -> None:
    container = {"name": "p", "ports": [{"containerPort": 8080, "hostPort": 80}]}
    (exposure,) = stack_of([{**POD, "spec": {"containers": [container]}}]).exposures
    assert exposure.why == "pods of Pod x/p open port 80 of the node (hostPort)"
