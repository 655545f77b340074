"""What runs the edge, as Kubernetes objects."""

from typing import Any

import pytest

from components.edge.nginx import objects
from components.edge.rates import AddressLimit, address_limit
from tests.components.edge.systems import system
from tests.schemas import validate
from tests.systems import SYSTEMS, topology
from topology.derive import names, network
from topology.derive.manifest import Manifest
from topology.model.system import Topology

GATEWAY_PODS = {"app": "gateway"}
IMAGE = "registry.example/waf:1"


def everything(t: Topology) -> list[Manifest]:
    files = objects.configuration(t, "gateway.gateway.svc.cluster.local:443")
    return [
        objects.account(),
        objects.service(objects.BY_NODES, node_port=30443),
        objects.network_policy("gateway", GATEWAY_PODS, 10443, [network.ANYWHERE]),
        files,
        *objects.workload(t, files, IMAGE, 2),
    ]


def of_kind(documents: list[Manifest], kind: str) -> Any:
    (found,) = [document for document in documents if document["kind"] == kind]
    return found


@pytest.mark.parametrize("name", SYSTEMS)
def test_an_api_server_takes_every_object(name: str) -> None:
    assert [problem for document in everything(topology(name)) for problem in validate(document)] == []


def test_the_edge_is_the_one_public_service() -> None:
    spec = of_kind(everything(topology("abc")), "Service")["spec"]
    assert spec["type"] == "NodePort"
    assert spec["externalTrafficPolicy"] == "Local", "otherwise every client has the address of a node"
    assert spec["ports"] == [
        {"name": "https", "port": 443, "targetPort": 8443, "nodePort": 30443, "protocol": "TCP", "appProtocol": "https"}
    ]


def test_the_edge_reaches_names_and_the_gateway_and_nothing_else() -> None:
    spec = of_kind(everything(topology("abc")), "NetworkPolicy")["spec"]
    assert spec["ingress"] == [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"protocol": "TCP", "port": 8443}]}]
    gateway = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateway"}},
        "podSelector": {"matchLabels": GATEWAY_PODS},
    }
    lookups, onward = spec["egress"]
    assert {port["port"] for port in lookups["ports"]} == {53}
    assert onward == {"to": [gateway], "ports": [{"protocol": "TCP", "port": 10443}]}


def test_the_pod_keeps_the_restricted_standard_and_can_write_nowhere_but_its_own_volume() -> None:
    pod = of_kind(everything(topology("abc")), "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    writable = [mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/tmp"]  # noqa: S108


def test_our_configuration_alone_is_read() -> None:
    documents = everything(topology("abc"))
    pod = of_kind(documents, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["command"] == ["nginx", "-e", "stderr", "-c", "/etc/waf/nginx.conf"]
    assert {"name": "config", "mountPath": "/etc/waf", "readOnly": True} in container["volumeMounts"]
    assert {"name": "config", "configMap": {"name": "edge"}} in pod["volumes"]
    assert sorted(of_kind(documents, "ConfigMap")["data"]) == ["crs-setup.conf", "modsecurity.conf", "nginx.conf"]


def test_a_changed_configuration_makes_new_pods() -> None:
    def mark(t: Topology) -> str:
        return of_kind(everything(t), "Deployment")["spec"]["template"]["metadata"]["annotations"]["perimeter.dev/config"]

    one, other = system({"door": {"paths": ["/a"]}}), system({"door": {"paths": ["/b"]}})
    assert mark(one) == mark(one)
    assert mark(one) != mark(other)


def test_the_autoscaler_owns_the_number_of_instances() -> None:
    documents = everything(topology("abc"))
    assert "replicas" not in of_kind(documents, "Deployment")["spec"]
    scaling = of_kind(documents, "HorizontalPodAutoscaler")["spec"]
    assert (scaling["minReplicas"], scaling["maxReplicas"]) == (2, 8)
    assert of_kind(documents, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_a_door_for_large_bodies_gets_memory_to_inspect_them() -> None:
    def memory(size: str) -> str:
        documents = everything(system({"door": {"paths": ["/a"], "maxBody": size}}))
        return of_kind(documents, "Deployment")["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]

    assert memory("1Ki") == "512Mi"
    assert memory("64Mi") == "704Mi"


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ([{"requests": 10, "per": "second", "burst": 5}], AddressLimit(per_second=40, burst=15)),
        ([{"requests": 90, "per": "minute"}], AddressLimit(per_second=8, burst=90)),
        ([{"requests": 7200, "per": "hour"}, {"requests": 1, "per": "second"}], AddressLimit(per_second=8, burst=7200)),
    ],
)
def test_no_client_of_any_tier_is_stopped_by_the_limit_for_addresses(limits: list[dict[str, Any]], expected: AddressLimit) -> None:
    assert address_limit(system({}, tiers={"gold": {"limits": limits}})) == expected


def test_the_kubelet_asks_by_a_name() -> None:
    container = of_kind(everything(topology("abc")), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    asked = [container[probe]["httpGet"]["httpHeaders"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")]
    assert asked == [[{"name": "Host", "value": names.EDGE}]] * 3
