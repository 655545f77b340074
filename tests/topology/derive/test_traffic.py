"""How calls are routed and bounded."""

import pytest

from tests.topology.derive.documents import relations, spec
from topology.derive import traffic
from topology.derive.relations import Relations

HOST = "b.shop.svc.cluster.local"


def system(b: str, *, extra: str = "") -> Relations:
    return relations(f"""
services:
  a: {{calls: {{b: [{{methods: [GET], paths: ["/b/*"]}}]}}}}
  b: {{{b}}}
{extra}
""")


def test_a_service_with_one_version_is_called_with_its_timeout_and_no_retries() -> None:
    assert spec(traffic.virtual_service(system("resilience: {timeout: 3s}"), "b")) == {
        "hosts": [HOST],
        "exportTo": ["."],
        "http": [{"route": [{"destination": {"host": HOST, "port": {"number": 8080}}}], "timeout": "3s", "retries": {"attempts": 0}}],
    }


def test_a_canary_goes_before_the_weights_and_a_version_without_weight_gets_nothing_else() -> None:
    r = system("versions: {v1: {weight: 100}, v1.2: {weight: 0}}, canary: {header: x-canary, value: 'yes', version: v1.2}")
    canary, default = spec(traffic.virtual_service(r, "b"))["http"]
    assert canary["match"] == [{"headers": {"x-canary": {"exact": "yes"}}}]
    assert canary["route"] == [{"destination": {"host": HOST, "port": {"number": 8080}, "subset": "v1-2"}}]
    assert default["route"] == [{"destination": {"host": HOST, "port": {"number": 8080}, "subset": "v1"}, "weight": 100}]
    assert spec(traffic.destination_rule(r, "b"))["subsets"] == [
        {"name": "v1", "labels": {"version": "v1"}},
        {"name": "v1-2", "labels": {"version": "v1.2"}},
    ]


def test_retries_say_how_often_how_long_and_on_what() -> None:
    r = system("resilience: {retries: {attempts: 2, perTry: 500ms, retryOn: [5xx, reset]}}")
    (route,) = spec(traffic.virtual_service(r, "b"))["http"]
    assert route["retries"] == {"attempts": 2, "perTryTimeout": "500ms", "retryOn": "5xx,reset"}


def test_a_fault_for_one_caller_is_matched_by_that_caller_s_pods() -> None:
    r = system("faults: [{percent: 10, abort: 503, callers: [a]}, {percent: 5, delay: 1s}]")
    for_a, for_all = spec(traffic.virtual_service(r, "b"))["http"]
    assert for_a["match"] == [{"sourceLabels": {"app": "a"}, "sourceNamespace": "shop"}]
    abort = {"httpStatus": 503, "percentage": {"value": 10}}
    delay = {"fixedDelay": "1s", "percentage": {"value": 5}}
    assert for_a["fault"] == {"abort": abort, "delay": delay}
    assert for_all["fault"] == {"delay": delay}


def test_a_fault_and_a_canary_are_matched_together() -> None:
    r = system(
        "versions: {v1: {weight: 100}, v2: {weight: 0}}, canary: {header: h, value: x, version: v2}, "
        "faults: [{percent: 1, abort: 500, callers: [a]}]"
    )
    first = spec(traffic.virtual_service(r, "b"))["http"][0]
    assert first["match"] == [{"headers": {"h": {"exact": "x"}}, "sourceLabels": {"app": "a"}, "sourceNamespace": "shop"}]


def test_a_mirror_copies_a_share_to_another_version_but_not_to_itself() -> None:
    r = system(
        "versions: {v1: {weight: 100}, v2: {weight: 0}}, mirror: {version: v2, percent: 5}, canary: {header: h, value: x, version: v2}"
    )
    canary, default = spec(traffic.virtual_service(r, "b"))["http"]
    assert "mirrors" not in canary
    assert default["mirrors"] == [{"destination": {"host": HOST, "port": {"number": 8080}, "subset": "v2"}, "percentage": {"value": 5}}]


def test_a_stream_has_no_timeout() -> None:
    (route,) = spec(traffic.virtual_service(system("protocol: websocket"), "b"))["http"]
    assert "timeout" not in route


def test_versions_of_a_tcp_service_share_its_connections() -> None:
    r = relations("""
services:
  a: {calls: {b: []}}
  b: {protocol: tcp, versions: {v1: {weight: 90}, v2: {weight: 10}}}
""")
    routes = spec(traffic.virtual_service(r, "b"))["tcp"]
    assert [(entry["destination"]["subset"], entry["weight"]) for entry in routes[0]["route"]] == [("v1", 90), ("v2", 10)]
    pool = spec(traffic.destination_rule(r, "b"))["trafficPolicy"]["connectionPool"]
    assert set(pool) == {"tcp"}


def test_a_service_that_no_sidecar_calls_has_no_routes_for_sidecars() -> None:
    assert traffic.virtual_service(system(""), "a") is None


def test_connections_are_mutual_tls_bounded_and_avoid_failing_instances() -> None:
    r = system("resilience: {ejection: {consecutiveErrors: 3}, connections: {maxConnections: 10, maxPending: 5}}")
    assert spec(traffic.destination_rule(r, "b"))["trafficPolicy"] == {
        "tls": {"mode": "ISTIO_MUTUAL"},
        "connectionPool": {"tcp": {"maxConnections": 10}, "http": {"http1MaxPendingRequests": 5, "maxRequestsPerConnection": 0}},
        "outlierDetection": {"consecutive5xxErrors": 3, "interval": "10s", "baseEjectionTime": "30s", "maxEjectionPercent": 50},
    }


def test_with_datacenters_a_call_stays_near_and_leaves_when_nearby_fails() -> None:
    r = system("resilience: {ejection: null}", extra="datacenters: {d1: {region: north}, d2: {region: south}}")
    policy = spec(traffic.destination_rule(r, "b"))["trafficPolicy"]
    assert policy["loadBalancer"]["localityLbSetting"] == {"enabled": True}
    assert "outlierDetection" in policy


@pytest.mark.parametrize(("name", "hosts"), [("a", [f"shop/{HOST}"]), ("b", ["~/*"])])
def test_a_proxy_knows_its_callees_and_nothing_else(name: str, hosts: list[str]) -> None:
    assert spec(traffic.sidecar(system(""), name)) == {
        "workloadSelector": {"labels": {"app": name}},
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
        "egress": [{"hosts": hosts}],
    }


def test_routes_are_exported_to_the_callers_namespaces_alone() -> None:
    r = relations("""
services:
  a: {namespace: front, calls: {b: [{methods: [GET], paths: [/b]}]}}
  b: {namespace: back}
  c: {namespace: other, calls: {a: [{methods: [GET], paths: [/a]}]}}
doors: {b: {methods: [GET], paths: [/b], service: b, auth: {jwt: clients}, tiers: [standard]}}
""")
    assert spec(traffic.virtual_service(r, "b"))["exportTo"] == [".", "front"]
    assert spec(traffic.destination_rule(r, "b"))["exportTo"] == [".", "front", "istio-ingress"]
