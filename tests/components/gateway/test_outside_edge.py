"""What gateways of pods do where the edge stands outside the cluster, changes no headers and shows no certificate."""

import pytest

from components.contracts import OutsideEdge
from components.gateway import routes
from components.gateway.envoy import doors, proxy
from components.gateway.kong import listeners, network, plugins, release
from components.headers import BELIEVED, FORWARDING, HIDDEN, REWRITING, TRACING
from tests.components.gateway.kong.given import BINDING, COUNTERS, MARKET, ingresses
from tests.schemas import validate
from tests.systems import topology
from topology.derive import names
from topology.model.base import Name

EDGE = OutsideEdge(addresses=("10.70.99.0/26", "10.70.99.64/26"))
CALLERS = [{"ipBlock": {"cidr": cidr}} for cidr in EDGE.addresses]
MOST_REMOVED = 64
"""Headers that Envoy Gateway removes early, at most (ClientTrafficPolicy, earlyRequestHeaders.remove)."""


def test_envoy_accepts_the_ranges_of_the_edge_alone() -> None:
    fence = proxy.fence(BINDING, MARKET, ingresses(MARKET).values(), None, EDGE)
    assert fence["spec"]["ingress"] == [{"from": CALLERS, "ports": [{"protocol": "TCP", "port": proxy.POD_PORT}]}]


def test_envoy_asks_for_no_certificate_that_nobody_could_show() -> None:
    policy = proxy.client_traffic(EDGE)
    assert "clientValidation" not in policy["spec"]["tls"]
    assert policy["spec"]["tls"]["minVersion"] == "1.2"
    assert validate(policy) == []


def test_envoy_makes_the_requests_id_and_removes_what_clients_say_for_layers() -> None:
    headers = proxy.client_traffic(EDGE)["spec"]["headers"]
    removed = set(headers["earlyRequestHeaders"]["remove"])
    assert headers["requestID"] == "Generate"
    assert removed == set(BELIEVED)
    assert removed >= {*names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS, *FORWARDING, *REWRITING, *TRACING, "x-forwarded-host"}
    assert len(removed) == len(BELIEVED) <= MOST_REMOVED
    assert not removed & {"x-forwarded-for", "authorization", names.API_KEY_HEADER}


def test_envoys_answers_say_the_requests_id_and_nothing_of_the_inside() -> None:
    late = proxy.client_traffic(EDGE)["spec"]["headers"]["lateResponseHeaders"]
    assert late["set"] == [{"name": "x-request-id", "value": "%REQ(x-request-id)%"}]
    assert set(late["remove"]) == set(HIDDEN) - {"x-request-id"}


def test_envoy_reads_a_grpc_request_whole_because_no_edge_has_bounded_it() -> None:
    t = topology("brokerage")
    (grpc,) = [name for name in t.doors if routes.kind(t, t.doors[name]) == "GRPCRoute"]
    assert doors.traffic(t, grpc, first=True)["spec"]["requestBuffer"] == {"limit": 1048576}
    assert "requestBuffer" not in doors.traffic(t, grpc)["spec"]
    assert validate(doors.traffic(t, grpc, first=True)) == []


@pytest.mark.parametrize("name", ["abc", "brokerage"])
def test_one_listener_without_a_name_serves_all_hosts_and_takes_the_kinds_of_all_routes(name: str) -> None:
    t = topology(name)
    document = routes.gateway(t, by_name=False)
    (listener,) = document["spec"]["listeners"]
    assert "hostname" not in listener
    assert {kind["kind"] for kind in listener["allowedRoutes"]["kinds"]} == set(routes.kinds(t))
    assert validate(document) == []
    for door in t.doors:
        for route in routes.routes(t, door, {"name": "ingress", "port": 443}, [], by_name=False):
            assert route["spec"]["parentRefs"][0]["sectionName"] == listener["name"]
            assert route["spec"]["hostnames"] == [t.host_of(t.doors[door])]


def test_kong_accepts_the_ranges_of_the_edge_alone_and_believes_their_word_for_the_client() -> None:
    fence = network.fence(BINDING, ingresses(MARKET).values(), COUNTERS, EDGE)
    assert fence["spec"]["ingress"] == [{"from": CALLERS, "ports": [{"protocol": "TCP", "port": network.POD_PORT}]}]
    assert release.values(BINDING, MARKET, [], EDGE)["env"]["trusted_ips"] == ",".join(EDGE.addresses)


def test_kong_asks_for_no_certificate_that_nobody_could_show() -> None:
    given = release.values(BINDING, MARKET, [], EDGE)["env"]
    assert not [key for key in given if key.startswith("nginx_proxy_ssl_")]
    assert given["nginx_proxy_proxy_ssl_certificate"], "towards the mesh it shows its own"


@pytest.mark.parametrize("door", MARKET.doors)
def test_kong_makes_the_requests_id_under_a_name_that_no_client_can_send(door: Name) -> None:
    loaded = release.values(BINDING, MARKET, [], EDGE)["env"]["plugins"].split(",")
    assert "correlation-id" in loaded
    (made,) = [p for p in plugins.shared(MARKET, COUNTERS, first=True) if p["plugin"] == "correlation-id"]
    assert made["config"]["header_name"].startswith("x-perimeter-")
    said = plugins.annotations(MARKET, door, first=True)["konghq.com/plugins"].split(",")
    assert said[0] == made["metadata"]["name"]
    change = {p["plugin"]: p["config"] for p in plugins.own_plugins(MARKET, door, first=True)}
    for transformer in ("request-transformer", "response-transformer"):
        assert f"{made['config']['header_name']}:x-request-id" in change[transformer]["rename"]["headers"]
        assert "x-request-id" in change[transformer]["remove"]["headers"]
    assert set(change["request-transformer"]["remove"]["headers"]) >= set(BELIEVED)
    assert set(change["response-transformer"]["remove"]["headers"]) >= set(HIDDEN)


def test_kong_keeps_answers_of_public_doors_that_no_edge_keeps() -> None:
    cached = [name for name, door in MARKET.doors.items() if door.cache]
    assert cached
    for name in cached:
        assert "proxy-cache" in {p["plugin"] for p in plugins.own_plugins(MARKET, name, first=True)}


def test_kongs_documents_are_as_an_api_server_takes_them() -> None:
    found = [listeners.gateway(MARKET, by_name=False), *plugins.shared(MARKET, COUNTERS, first=True)]
    found += [document for name in MARKET.doors for document in plugins.own_plugins(MARKET, name, first=True)]
    assert [problem for document in found for problem in validate(document)] == []
