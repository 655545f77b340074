"""How many instances a mesh's gateways and its istiod have, and what happens to them while nodes are drained."""

from typing import Any

import pytest

from components.binding import Binding, Replicas
from components.edge.nginx.objects import workload
from components.gateway.envoy import proxy
from components.mesh import values
from components.scaling import spread
from tests.systems import topology
from topology.derive import names
from topology.derive.manifest import manifest

ROLES = (names.INGRESS, names.EGRESS, names.BRIDGE)
SYSTEM = topology("brokerage")
MESH = next(iter(SYSTEM.meshes))
PLACES = ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]


def sized(least: int) -> Binding:
    return Binding(topology="-", replicas=Replicas(edge=least, gateway=least, ingress=least, egress=least, bridge=least, istiod=least))


def gateway(role: str, least: int = 1) -> dict[str, Any]:
    return values.gateway(sized(least), SYSTEM, MESH, role)


def istiod(least: int = 1) -> dict[str, Any]:
    return values.istiod(sized(least), SYSTEM, MESH)


@pytest.mark.parametrize("role", ROLES)
def test_the_autoscaler_owns_the_number_of_a_gateways_instances(role: str) -> None:
    chosen = gateway(role, 3)
    assert "replicaCount" not in chosen
    assert chosen["autoscaling"] == {"enabled": True, "minReplicas": 3, "maxReplicas": 12, "targetCPUUtilizationPercentage": 70}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_has_its_own_least_number(role: str) -> None:
    only = Binding(topology="-", replicas=Replicas.model_validate({role: 2}))
    least = {other: values.gateway(only, SYSTEM, MESH, other)["autoscaling"]["minReplicas"] for other in ROLES}
    assert least == {**dict.fromkeys(ROLES, 1), role: 2}


@pytest.mark.parametrize("role", ROLES)
def test_nodes_are_drained_of_one_instance_after_the_other(role: str) -> None:
    assert gateway(role, 3)["podDisruptionBudget"] == {"maxUnavailable": 1}
    assert istiod(2)["pdb"] == {"maxUnavailable": 1}, "with minAvailable: 1, the chart's default, all but one of many could go at once"


@pytest.mark.parametrize("role", ROLES)
def test_the_instances_of_a_gateway_stand_apart_but_never_wait_for_room(role: str) -> None:
    wished = gateway(role)["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in wished] == PLACES
    assert {each["whenUnsatisfiable"] for each in wished} == {"ScheduleAnyway"}
    assert [each["labelSelector"] for each in wished] == [{"matchLabels": {"app": role, "istio": role}}] * 2


def test_the_control_plane_is_sized_like_what_it_controls() -> None:
    chosen = istiod(2)
    assert "replicaCount" not in chosen
    assert (chosen["autoscaleEnabled"], chosen["autoscaleMin"], chosen["autoscaleMax"]) == (True, 2, 8)
    assert chosen["cpu"] == {"targetAverageUtilization": 70}
    assert chosen["topologySpreadConstraints"] == spread({"app": "istiod", "istio.io/rev": MESH})


def test_what_is_scaled_by_its_cpu_asks_for_some() -> None:
    requests = [*(gateway(role)["resources"]["requests"] for role in ROLES), istiod()["resources"]["requests"]]
    assert [int(each["cpu"].removesuffix("m")) >= 100 for each in requests] == [True] * 4, "a tenth of a core is soon busy by itself"


def test_every_layer_grows_by_the_same_factor() -> None:
    least = 3
    config = manifest("v1", "ConfigMap", "edge", "edge", data={})
    (edge,) = (each["spec"] for each in workload(SYSTEM, config, "image", least) if each["kind"] == "HorizontalPodAutoscaler")
    envoy = proxy.envoy_proxy(sized(least), SYSTEM)["spec"]["provider"]["kubernetes"]["envoyHpa"]
    most = [edge["maxReplicas"], envoy["maxReplicas"], istiod(least)["autoscaleMax"]]
    most += [gateway(role, least)["autoscaling"]["maxReplicas"] for role in ROLES]
    assert most == [12] * 6
