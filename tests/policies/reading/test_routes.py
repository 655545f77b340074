from typing import Any

import pytest

from policies.reading.patterns import parse
from policies.reading.values import UnknownValueError
from policies.reading.virtual_services import Route, routes_of
from tests.policies.building import baseline, changed, resources_of, stack_of

Manifest = dict[str, Any]


def routes(*http: Manifest, **spec: Any) -> tuple[Route, ...]:
    manifest = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "v", "namespace": "abc"},
        "spec": {"hosts": ["b"], "http": list(http), **spec},
    }
    return routes_of(resources_of([manifest])[0])


TO_B = [{"destination": {"host": "b", "port": {"number": 8080}}}]


def test_a_short_host_is_a_service_of_the_same_namespace() -> None:
    (route,) = routes({"route": TO_B})
    assert [destination.host for destination in route.destinations] == ["b.abc.svc.cluster.local"]
    assert route.gateways == ("mesh",)


def test_each_match_is_a_route_and_a_catch_all_comes_last() -> None:
    found = routes({"route": TO_B, "name": "all"}, {"match": [{"uri": {"exact": "/x"}}, {"uri": {"prefix": "/y/"}}], "route": TO_B})
    assert [[str(pattern) for pattern in route.patterns] for route in found] == [["/x"], ["/y/*"], ["/*"]]


def test_a_mirror_is_a_destination_too() -> None:
    (route,) = routes({"route": TO_B, "mirrors": [{"destination": {"host": "c"}}]})
    assert [(d.host, d.mirror) for d in route.destinations] == [("b.abc.svc.cluster.local", False), ("c.abc.svc.cluster.local", True)]


def test_methods_may_be_alternatives() -> None:
    (route,) = routes({"match": [{"method": {"regex": "GET|POST"}}], "route": TO_B})
    assert route.methods == ("GET", "POST")


def test_rewrites_replace_the_beginning_or_all_of_a_path() -> None:
    prefixed = routes({"match": [{"uri": {"prefix": "/v1/"}}], "rewrite": {"uri": "/"}, "route": TO_B})[0].rewriting
    literal = routes({"rewrite": {"uriRegexRewrite": {"match": r"^/v1\.2/", "rewrite": "/"}}, "route": TO_B})[0].rewriting
    whole = routes({"match": [{"uri": {"exact": "/v1"}}], "rewrite": {"uri": "/x"}, "route": TO_B})[0].rewriting
    assert (prefixed.old, prefixed.new, prefixed.whole) == ("/v1/", "/", False)
    assert (literal.old, literal.new) == ("/v1.2/", "/")
    assert (whole.new, whole.whole) == ("/x", True)


@pytest.mark.parametrize(
    "http",
    [
        {"delegate": {"name": "other"}},
        {"match": [{"uri": {"regex": "/(a|b)"}}], "route": TO_B},
        {"match": [{"method": {"prefix": "G"}}], "route": TO_B},
        {"match": [{"somethingNew": {}}], "route": TO_B},
        {"rewrite": {"uriRegexRewrite": {"match": "^/(.*)$", "rewrite": r"/x/\1"}}, "route": TO_B},
    ],
)
def test_a_route_of_another_form_is_not_decided(http: Manifest) -> None:
    with pytest.raises(UnknownValueError):
        routes(http)


def test_routes_by_server_name_are_not_decided() -> None:
    with pytest.raises(UnknownValueError):
        routes(tls=[{"match": [{"sniHosts": ["b"]}], "route": TO_B}])


def traffic_of(*items: Manifest, change: Manifest | None = None) -> tuple[Any, Any]:
    stack = stack_of([*changed(baseline("abc"), change=change), *items])
    return stack.traffic, stack.holders("abc.example/ns/abc/sa/a")[0]


def test_a_sidecar_shows_exactly_its_hosts() -> None:
    traffic, pod = traffic_of()
    assert traffic.sees(pod, "abc", "b.abc.svc.cluster.local")
    assert not traffic.sees(pod, "abc", "c.abc.svc.cluster.local")


def test_hosts_of_a_sidecar_may_be_wide_and_may_be_taken_out() -> None:
    traffic, pod = traffic_of(change={"Sidecar abc/a": {"spec": {"egress": [{"hosts": ["./*", "~abc/c.abc.svc.cluster.local"]}]}}})
    assert traffic.sees(pod, "abc", "b.abc.svc.cluster.local")
    assert not traffic.sees(pod, "abc", "c.abc.svc.cluster.local")
    assert not traffic.sees(pod, "istio-ingress", "ingress.istio-ingress.svc.cluster.local")


def test_an_object_that_is_not_exported_is_not_seen() -> None:
    traffic, pod = traffic_of(change={"VirtualService abc/b": {"spec": {"exportTo": ["other"]}}})
    assert traffic.mesh_routes(pod, "b.abc.svc.cluster.local", 8080) == []


def test_a_client_rule_of_a_port_or_subset_comes_before_that_of_the_host() -> None:
    levels = [{"port": {"number": 8080}, "tls": {"mode": "DISABLE"}}]
    traffic, pod = traffic_of(
        change={"DestinationRule abc/b": {"spec": {"trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}, "portLevelSettings": levels}}}}
    )
    assert traffic.client_tls(pod, "b.abc.svc.cluster.local", 8080)[0]["mode"] == "DISABLE"
    assert traffic.client_tls(pod, "b.abc.svc.cluster.local", 9090)[0]["mode"] == "ISTIO_MUTUAL"


def test_a_subset_that_nobody_defines_answers_nothing() -> None:
    traffic, pod = traffic_of()
    with pytest.raises(UnknownValueError):
        traffic.subset_labels(pod, "b.abc.svc.cluster.local", "v9")


def test_a_name_of_a_service_entry_is_found_by_wildcard_too() -> None:
    entry = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "out", "namespace": "abc"},
        "spec": {"hosts": ["*.example"], "ports": [{"number": 443, "name": "tls", "protocol": "TLS"}], "resolution": "NONE"},
    }
    stack = stack_of([*baseline("abc"), entry])
    found = stack.traffic.entry("api.example", "abc", stack.meshes[0])
    assert found is not None
    assert found.port(443) == (443, 443, "tls")
    assert stack.traffic.entry("api.other", "abc", stack.meshes[0]) is None


def test_paths_that_a_route_takes_are_spelled_as_topologies_spell_them() -> None:
    assert str(parse("/a/{**}")) == "/a/*"
