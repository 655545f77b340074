"""What an Application Load Balancer cannot carry is said with the place in the topology and a way out."""

from typing import Any

from components.binding import Binding, GatewayKind
from components.edge import uncarried
from tests.systems import topology
from topology.model.system import Topology

AWS: dict[str, Any] = {
    "accountId": "123456789012",
    "region": "eu-central-1",
    "name": "shop-dev",
    "administrators": ["arn:aws:iam::123456789012:role/admin"],
    "hostedZone": "Z0123456789ABCDEFGHIJ",
}


def binding(gateway: GatewayKind = GatewayKind.ENVOY_GATEWAY) -> Binding:
    return Binding.model_validate({"topology": "-", "edge": "application-load-balancer", "gateway": gateway, "cluster": "eks", "aws": AWS})


def changed(t: Topology, door: str, **change: Any) -> Topology:
    return t.model_copy(update={"doors": {**t.doors, door: t.doors[door].model_copy(update=change)}})


def test_a_plain_system_is_carried_whole() -> None:
    assert uncarried(binding(), topology("abc")) == []


def test_other_edges_carry_what_their_gateways_do() -> None:
    assert uncarried(Binding(topology="-"), topology("payments")) == []


def test_a_cache_of_a_public_door_is_carried_by_kong_and_by_nobody_else() -> None:
    (found,) = uncarried(binding(), topology("payments"))
    assert found.path == ("doors", "catalogue", "cache")
    assert "perimeter:gateway: kong" in found.suggestion
    assert uncarried(binding(GatewayKind.KONG), topology("payments")) == []


def test_a_wait_that_is_too_long_is_refused() -> None:
    (found,) = uncarried(binding(), changed(topology("abc"), "a", timeout="2h"))
    assert (found.path, found.given) == (("doors", "a", "timeout"), "2h")


def test_a_path_that_is_too_long_for_a_rule_is_refused() -> None:
    (found,) = uncarried(binding(), changed(topology("abc"), "a", paths=("/ok/*", f"/{'x' * 200}/*")))
    assert found.path == ("doors", "a", "paths", 1)


def test_more_rules_than_a_load_balancer_has_are_refused() -> None:
    paths = tuple(f"/{number}/{{*}}/{{*}}/{{*}}/*" for number in range(101))
    (found,) = uncarried(binding(), changed(topology("abc"), "a", paths=paths))
    assert found.path == ("doors",)
    assert "101 rules" in found.reason
