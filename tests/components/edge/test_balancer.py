"""nginx behind a load balancer that ends clients' TLS: real nginx, and a test that connects as the load balancer does, without a name."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from components.edge.nginx import objects
from components.edge.nginx.balancer import HEALTH_CALL, MARGIN, MISDIRECTED, Balancer
from components.edge.nginx.config import nginx_conf
from tests.components.edge import nginx_here
from tests.components.edge.nginx_here import Answer, Edge
from tests.components.edge.systems import HOST, system
from tests.components.edge.test_grpc import grpc_gateway
from topology.model.system import Topology

HERE = Balancer(addresses=("127.0.0.0/8",), idle=300)
ELSEWHERE = Balancer(addresses=("10.70.99.0/26",), idle=300)
CLIENT = "198.51.100.7"

with_nginx = pytest.mark.skipif(bool(nginx_here.missing()), reason=nginx_here.missing())
pytestmark = pytest.mark.xdist_group("nginx")


def news() -> Topology:
    return system({"news": {"paths": ["/news"], "cache": {"ttl": "1m"}}, "page": {"paths": ["/page"]}})


def calls() -> Topology:
    doors = {"feed": {"paths": ["/market.v1.Feed/Get"], "methods": ["POST"]}}
    return system(doors, services={"app": {"protocol": "grpc", "data": "public"}})


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    with nginx_here.running(news(), tmp_path_factory.mktemp("edge"), balancer=HERE) as running:
        yield running


def ask(edge: Edge, path: str, *headers: str, host: str = HOST) -> Answer:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", "User-Agent: test", "Accept: */*", *headers]
    return edge.send("\r\n".join([*lines, "", ""]).encode(), sni=None)


@with_nginx
def test_a_connection_that_asks_for_no_name_is_served(edge: Edge) -> None:
    assert ask(edge, "/page").arrived["path"] == "/page"


@with_nginx
def test_the_clients_address_is_the_last_one_that_the_load_balancer_says(edge: Edge) -> None:
    assert ask(edge, "/page", f"X-Forwarded-For: 203.0.113.1, {CLIENT}").forwarded["x-forwarded-for"] == CLIENT


@with_nginx
def test_no_other_header_says_the_clients_address(edge: Edge) -> None:
    forged = (f"X-Real-IP: {CLIENT}", f"Forwarded: for={CLIENT}", f"True-Client-IP: {CLIENT}")
    assert ask(edge, "/page", *forged).forwarded["x-forwarded-for"] == "127.0.0.1"


@with_nginx
def test_nobody_but_the_load_balancer_says_which_address_a_client_has(tmp_path: Path) -> None:
    with nginx_here.running(news(), tmp_path, balancer=ELSEWHERE) as other:
        assert ask(other, "/page", f"X-Forwarded-For: {CLIENT}").forwarded["x-forwarded-for"] == "127.0.0.1"


@with_nginx
def test_answers_of_a_cached_door_are_kept(edge: Edge) -> None:
    told = [ask(edge, "/news", f"X-Forwarded-For: {CLIENT}").header("X-Cache-Status") for _ in range(2)]
    assert told == ["MISS", "HIT"]


@with_nginx
@pytest.mark.parametrize("host", ["10.70.1.1:8443", "another.example"])
def test_a_request_of_no_host_of_ours_is_misdirected_as_health_checks_expect(edge: Edge, host: str) -> None:
    assert ask(edge, "/", host=host).status == MISDIRECTED


@with_nginx
def test_health_checks_of_grpc_are_answered_without_the_gateway(tmp_path: Path) -> None:
    with nginx_here.running(calls(), tmp_path, grpc_gateway, balancer=HERE) as running:
        credentials = grpc.ssl_channel_credentials(running.authority.read_bytes())

        def opened(host: str) -> grpc.Channel:
            options = [("grpc.ssl_target_name_override", host), ("grpc.default_authority", host)]
            return grpc.secure_channel(f"127.0.0.1:{running.port}", credentials, options)

        with opened(nginx_here.NOBODY) as channel:
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(HEALTH_CALL)(b"", timeout=20)
            assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert running.gateway.seen == []
        with opened(HOST) as channel:
            assert channel.unary_unary("/market.v1.Feed/Get")(b"x", timeout=20) == b"x"


def test_an_unused_connection_is_kept_longer_than_the_load_balancer_keeps_it() -> None:
    assert f"keepalive_timeout {HERE.idle + MARGIN}s;" in nginx_conf(news(), "gateway:443", HERE)


def test_the_load_balancers_subnets_alone_connect() -> None:
    policy = objects.network_policy("gateway", {"app": "gateway"}, 10443, ELSEWHERE.addresses)
    assert policy["spec"]["ingress"] == [{"from": [{"ipBlock": {"cidr": "10.70.99.0/26"}}], "ports": [{"protocol": "TCP", "port": 8443}]}]


def test_the_service_has_no_port_outside_the_cluster() -> None:
    spec = objects.service(objects.INSIDE)["spec"]
    assert spec["type"] == "ClusterIP"
    assert "nodePort" not in spec["ports"][0]
