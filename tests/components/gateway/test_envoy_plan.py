"""Envoy Gateway as the program registers it: what waits for what, so that nothing is open before it is closed."""

from typing import Any

import pytest

from planner import wire
from tests.systems import plan, topology

SYSTEM = "payments"


@pytest.fixture(scope="module")
def resources() -> dict[str, dict[str, Any]]:
    """Return the planned resources by kind and Pulumi name."""
    return {"/".join(each["urn"].rpartition("$")[2].split("::")): each for each in plan(SYSTEM).resources}


def named(resources: dict[str, dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for key, each in resources.items() if f":{kind}/{name}" in key and key.endswith(f"/{name}")]
    return found


def waits(resources: dict[str, dict[str, Any]], one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Say whether a resource waits for another, directly or through others."""
    urns = {each["urn"]: each for each in resources.values()}
    seen: set[str] = set()
    queue = [*one.get("dependencies", [])]
    while queue:
        urn = queue.pop()
        if urn not in seen:
            seen.add(urn)
            queue += urns[urn].get("dependencies", [])
    return other["urn"] in seen


@pytest.mark.parametrize("door", sorted(topology(SYSTEM).doors))
def test_the_routes_of_a_door_wait_for_its_policies(resources: dict[str, dict[str, Any]], door: str) -> None:
    route = named(resources, "HTTPRoute", f"gateway/{door}")
    for kind in ("SecurityPolicy", "BackendTrafficPolicy"):
        assert waits(resources, route, named(resources, kind, f"gateway/{door}"))


def test_the_gateway_waits_for_the_policy_that_refuses_everything_and_for_what_it_asks_of_clients(
    resources: dict[str, dict[str, Any]],
) -> None:
    gateway = named(resources, "Gateway", "gateway/gateway")
    assert waits(resources, gateway, named(resources, "SecurityPolicy", "gateway/deny-everything"))
    assert waits(resources, gateway, named(resources, "ClientTrafficPolicy", "gateway/gateway"))
    assert waits(resources, gateway, named(resources, "NetworkPolicy", "gateway/gateway"))


def test_the_controller_waits_for_its_fences(resources: dict[str, dict[str, Any]]) -> None:
    release = named(resources, "Release", "envoy-gateway-system/envoy-gateway")
    for name in ("default-deny", "envoy-gateway", "certgen", "envoy-ratelimit"):
        assert waits(resources, release, named(resources, "NetworkPolicy", f"envoy-gateway-system/{name}"))


def test_the_edge_waits_for_the_gateways_service_and_its_own_fence(resources: dict[str, dict[str, Any]]) -> None:
    edge = named(resources, "Deployment", "edge/edge")
    assert waits(resources, edge, named(resources, "Service", "gateway/gateway"))
    assert waits(resources, edge, named(resources, "NetworkPolicy", "edge/edge"))
    assert waits(resources, edge, named(resources, "ConfigMap", "edge/edge"))


def test_no_key_is_in_the_plan(resources: dict[str, dict[str, Any]]) -> None:
    for consumer in topology(SYSTEM).consumers:
        secret = named(resources, "Secret", f"gateway/api-key-{consumer}")
        key = {wire.SIGNATURE: wire.SECRET, "plaintext": f'"{wire.UNKNOWN}"'}
        assert secret["inputs"]["stringData"] == {consumer: key}
