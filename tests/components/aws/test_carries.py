"""What an Application Load Balancer cannot carry is said with the place in the topology and a way out."""

from typing import Any

import pytest

from components.binding import Binding, GatewayKind
from components.edge import uncarried
from components.edge.application_load_balancer.certificate_name import first_name
from components.placement import has_nginx_behind_balancer, layers_in_cluster
from tests.systems import SYSTEMS, topology
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


@pytest.mark.parametrize("gateway", [GatewayKind.ENVOY_GATEWAY, GatewayKind.KONG])
@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_is_carried(name: str, gateway: GatewayKind) -> None:
    assert uncarried(binding(gateway), topology(name)) == []


def test_nginx_joins_the_edge_where_it_keeps_the_answers_of_a_public_door() -> None:
    assert has_nginx_behind_balancer(binding(), topology("payments"))
    assert layers_in_cluster(binding(), topology("payments")) == {"edge", "gateway"}


def test_nginx_does_not_join_where_nothing_is_cached_or_the_gateway_does_it() -> None:
    assert not has_nginx_behind_balancer(binding(), topology("abc"))
    assert layers_in_cluster(binding(), topology("abc")) == {"gateway"}
    assert not has_nginx_behind_balancer(binding(GatewayKind.KONG), topology("payments"))
    assert not has_nginx_behind_balancer(Binding(topology="-"), topology("payments"))


def test_a_wait_that_is_too_long_is_refused() -> None:
    (found,) = uncarried(binding(), changed(topology("abc"), "a", timeout="2h"))
    assert (found.path, found.given) == (("doors", "a", "timeout"), "2h")


@pytest.mark.parametrize(("name", "door", "most"), [("abc", "a", 3999), ("payments", "catalogue", 3998)])
def test_each_layer_waits_a_second_longer_than_the_one_behind_it(name: str, door: str, most: int) -> None:
    assert uncarried(binding(), changed(topology(name), door, timeout=f"{most}s")) == []
    assert uncarried(binding(), changed(topology(name), door, timeout=f"{most + 1}s")) != []


def test_a_path_that_is_too_long_for_a_rule_is_refused() -> None:
    (found,) = uncarried(binding(), changed(topology("abc"), "a", paths=("/ok/*", f"/{'x' * 200}/*")))
    assert found.path == ("doors", "a", "paths", 1)


@pytest.mark.parametrize("path", ["/{*}/{*}/{*}/{*}/{*}/*", "/a(1)/b(2)/c(3)/*"])
def test_a_path_with_more_wildcards_than_a_rule_has_is_refused(path: str) -> None:
    (found,) = uncarried(binding(), changed(topology("abc"), "a", paths=("/ok/*", path)))
    assert found.path == ("doors", "a", "paths", 1)
    assert "more wildcards" in found.reason


def hosted(*hosts: str) -> Topology:
    return topology("abc").model_copy(update={"hosts": hosts})


def test_a_host_that_is_too_long_for_a_rule_is_refused() -> None:
    long = f"{'x' * 60}.{'y' * 60}.abc.example"
    (found,) = uncarried(binding(), hosted("api.abc.example", long))
    assert (found.path, found.given) == (("hosts",), long)


def test_hosts_that_no_certificate_can_begin_with_are_refused() -> None:
    long = f"{'x' * 60}.abc.example"
    (found,) = uncarried(binding(), hosted(long))
    assert "first name of a certificate" in found.reason
    assert uncarried(binding(), hosted(long, "api.abc.example")) == []
    assert first_name([long, "api.abc.example"]) == "api.abc.example"


def test_more_rules_than_a_load_balancer_has_are_refused() -> None:
    paths = tuple(f"/{number}/{{*}}/{{*}}/{{*}}/*" for number in range(101))
    (found,) = uncarried(binding(), changed(topology("abc"), "a", paths=paths))
    assert found.path == ("doors",)
    assert "101 rules" in found.reason
