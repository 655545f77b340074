"""The edges read back: from the hand-written system, and from changes of it."""

from typing import Any

import pytest

from policies.reading.compare import beyond, by_key, largest, within
from policies.reading.read import read
from policies.reading.stack import Stack
from tests.policies.building import baseline, changed, stack_of
from topology.edges import Direction, Edge

Manifest = dict[str, Any]
B = "abc.example/ns/abc/sa/b"


def edge(**given: Any) -> Edge:
    return Edge(**{"direction": Direction.EAST_WEST, "source": "s", "target": "t", "method": "GET", "path": "/x/*", **given})


def stack(*more: Manifest, without: tuple[str, ...] = (), change: Manifest | None = None) -> Stack:
    return stack_of([*changed(baseline("abc"), without=without, change=change), *more])


def test_what_is_read_back_from_the_written_system_is_its_topology() -> None:
    assert read(stack()) == stack().expected


def test_what_is_read_back_from_two_meshes_with_bridge_exit_and_shared_limit_is_their_topology() -> None:
    duo = stack_of(baseline("duo"), "tests/policies/baseline/duo.topology.yaml")
    assert read(duo) == duo.expected
    assert len(duo.ways.counter_calls) == 1


def test_nothing_is_read_back_from_nothing() -> None:
    assert read(stack_of([])) == frozenset()


def test_a_way_names_every_hop_and_the_resource_that_allows_it() -> None:
    found = stack()
    (door,) = [edge for edge in found.observed if edge.direction is Direction.NORTH_SOUTH]
    (trail,) = found.ways.trails[door]
    assert trail.roles == ("edge", "gateway", "abc.example/ns/istio-ingress/sa/ingress")
    allowed_by = " | ".join(hop.allowed_by for hop in trail.hops)
    for resource in (
        "Service edge/edge",
        "NetworkPolicy edge/edge",
        "proxy_pass",
        "HTTPRoute gateway/a",
        "SecurityPolicy gateway/a",
        "AuthorizationPolicy istio-ingress/ingress",
        "Service abc/a",
        "AuthorizationPolicy abc/a",
    ):
        assert resource in allowed_by
    assert trail.hops[0].place == "internet"
    assert trail.hops[-1].place == door.target


def test_a_route_of_the_mesh_that_nobody_asked_for_is_read_back() -> None:
    change = {
        "VirtualService istio-ingress/api.abc.example": {
            "spec": {
                "http": [
                    {
                        "match": [{"uri": {"prefix": "/a/"}}],
                        "route": [{"destination": {"host": "b.abc.svc.cluster.local", "port": {"number": 8080}}}],
                    }
                ]
            }
        },
        "NetworkPolicy istio-ingress/ingress": {"spec": {"egress": [{}]}},
        "NetworkPolicy abc/b": {"spec": {"ingress": [{}]}},
        "AuthorizationPolicy abc/b": {
            "spec": {"rules": [{"from": [{"source": {"principals": ["abc.example/ns/istio-ingress/sa/ingress"]}}]}]}
        },
    }
    extra = [found for found in stack(change=change).observed if found.target == B and found.direction is Direction.NORTH_SOUTH]
    assert [(found.method, found.path) for found in extra] == [("GET", "/a/*")]


def test_a_rewritten_path_is_read_as_the_service_sees_it_and_as_the_client_asks_for_it() -> None:
    http = [
        {
            "match": [{"uri": {"prefix": "/a/"}}],
            "rewrite": {"uri": "/inner/"},
            "route": [{"destination": {"host": "a.abc.svc.cluster.local", "port": {"number": 8080}}}],
        }
    ]
    operation = {"methods": ["GET"], "paths": ["/inner/public/*"]}
    rule = {"from": [{"source": {"principals": ["abc.example/ns/istio-ingress/sa/ingress"]}}], "to": [{"operation": operation}]}
    change = {
        "VirtualService istio-ingress/api.abc.example": {"spec": {"http": http}},
        "AuthorizationPolicy abc/a": {"spec": {"rules": [rule]}},
    }
    (door,) = [found for found in stack(change=change).observed if found.direction is Direction.NORTH_SOUTH]
    assert (door.path, door.entry) == ("/inner/public/*", "/a/public/*")


def test_credentials_of_gateway_and_ingress_add_up() -> None:
    change = {
        "SecurityPolicy gateway/a": {
            "spec": {"jwt": None, "apiKeyAuth": {"credentialRefs": [{"name": "keys"}], "extractFrom": [{"headers": ["x-api-key"]}]}}
        }
    }
    found = stack(change=change)
    (possible,) = [edge for edge in found.ways.trails if edge.direction is Direction.NORTH_SOUTH]
    (door,) = [edge for edge in found.expected if edge.direction is Direction.NORTH_SOUTH]
    assert possible.credential == "api-key and jwt https://login.abc.example"
    refused = found.ways.refused(door)
    assert refused is not None
    assert "(api-key and jwt https://login.abc.example)" in refused.allowed_by


def test_a_door_that_arrives_under_another_path_says_which() -> None:
    rewritten = [{"match": [{"uri": {"prefix": "/a/"}}], "rewrite": {"uri": "/b/"}, "route": [{"destination": {"host": "a.abc.svc.cluster.local", "port": {"number": 8080}}}]}]  # fmt: skip
    change = {
        "VirtualService istio-ingress/api.abc.example": {"spec": {"http": rewritten}},
        "AuthorizationPolicy abc/a": {
            "spec": {"rules": [{"from": [{"source": {"principals": ["abc.example/ns/istio-ingress/sa/ingress"]}}]}]}
        },
    }
    found = stack(change=change)
    (door,) = [edge for edge in found.expected if edge.direction is Direction.NORTH_SOUTH]
    refused = found.ways.refused(door)
    assert refused is not None
    assert refused.allowed_by.endswith("which arrives as /b/* and not as /a/*")


def test_a_call_that_is_accepted_and_that_the_callers_own_proxy_does_not_send_is_not_called_possible() -> None:
    found = stack(change={"Sidecar abc/a": {"spec": {"egress": [{"hosts": ["abc/nobody.abc.svc.cluster.local"]}]}}})
    (asked,) = [edge for edge in found.expected if edge.target.endswith("/sa/b")]
    refused = found.ways.refused(asked)
    assert refused is not None
    assert "what the plan allows there" not in refused.allowed_by


def test_an_optional_token_is_no_token() -> None:
    rules = [{"from": [{"source": {"principals": ["boundary/ns/gateway/sa/gateway"]}}]}]
    change = {
        "SecurityPolicy gateway/a": {"spec": {"jwt": {"optional": True}}},
        "AuthorizationPolicy istio-ingress/ingress": {"spec": {"rules": rules}},
    }
    found = stack(change=change).observed
    assert {each.credential for each in found if each.direction is Direction.NORTH_SOUTH} == {"jwt https://login.abc.example", "public"}


@pytest.mark.parametrize(
    ("change", "without", "reason"),
    [
        ({}, ["Service edge/edge"], "nothing in the plan leads there"),
        ({"NetworkPolicy edge/edge": {"spec": {"ingress": []}}}, [], "no ingress from addresses outside on port 8443"),
        ({"NetworkPolicy edge/edge": {"spec": {"egress": []}}}, [], "no egress to pods of Deployment gateway/gateway on port 10443"),
        ({"Gateway gateway/gateway": {"spec": {"listeners": [{"name": "https", "port": 443, "protocol": "HTTPS", "hostname": "x.example"}]}}}, [], "is not x.example"),
        ({}, ["HTTPRoute gateway/a"], "no route for GET api.abc.example/a/*"),
        ({}, ["ReferenceGrant istio-ingress/gateway"], "no ReferenceGrant lets it refer to Service istio-ingress/ingress"),
        ({}, ["BackendTLSPolicy istio-ingress/ingress"], "the server asks for TLS"),
        ({"BackendTLSPolicy istio-ingress/ingress": {"spec": {"validation": {"hostname": "x.example"}}}}, [], "no server for SNI x.example"),
        ({"Certificate gateway/gateway-client": {"spec": {"uris": ["spiffe://boundary/ns/x/sa/x"]}}}, [], "asks for a certificate of boundary/ns/gateway/sa/gateway"),
        ({}, ["RequestAuthentication istio-ingress/ingress"], "AuthorizationPolicy istio-ingress/ingress"),
        ({}, ["VirtualService istio-ingress/api.abc.example"], "no VirtualService is bound to it for host api.abc.example"),
        ({"Service abc/a": {"spec": {"selector": {"app": "nobody"}}}}, [], "no pod of the program stands behind it"),
        ({"Service abc/a": {"spec": {"ports": [{"name": "http", "port": 9090}]}}}, [], "it has no port 8080"),
        ({"AuthorizationPolicy abc/a": {"spec": {"rules": []}}}, [], "AuthorizationPolicy abc/a"),
        ({"ClientTrafficPolicy gateway/gateway": {"spec": {"tls": {"clientValidation": {"subjectAltNames": {"uris": [{"value": "spiffe://x"}]}}}}}}, [], "asks for a client certificate of x"),
    ],
)  # fmt: skip
def test_a_door_that_does_not_open_says_where(change: Manifest, without: list[str], reason: str) -> None:
    found = stack(without=tuple(without), change=change)
    (door,) = [edge for edge in found.expected if edge.direction is Direction.NORTH_SOUTH]
    refused = found.ways.refused(door)
    assert refused is not None
    assert reason in refused.allowed_by


def test_an_edge_is_within_a_wider_one_of_the_same_parties() -> None:
    assert within(edge(path="/x/y"), edge())
    assert within(edge(), edge(method="*"))
    assert not within(edge(method="*"), edge())
    assert not within(edge(path="/y"), edge())
    assert within(edge(credential="api-key and jwt i"), edge(credential="api-key"))
    assert not within(edge(credential="public"), edge(credential="api-key"))
    assert not within(edge(method="TCP", path="*"), edge())
    assert not list(beyond([edge(path="/x/y")], by_key([edge()])))
    assert list(beyond([edge(target="u")], by_key([edge()])))


def test_of_edges_within_each_other_the_largest_stay() -> None:
    assert largest([edge(), edge(path="/x/y"), edge(path="/z")]) == {edge(), edge(path="/z")}
    assert len(largest([edge(path="/x/{*}"), edge(path="/x/*"), edge(method="POST")])) == 2
