"""Which addresses reach which."""

from dataclasses import replace
from typing import Any

from tests.topology.derive.documents import AROUND, relations, spec
from topology.derive import fences, network

DNS = network.dns()


def pods(namespace: str, **labels: str) -> dict[str, Any]:
    return network.pods(namespace, labels)


ISTIOD = network.reach([network.pods("istio-system", {"app": "istiod", "istio.io/rev": "main"})], 15012)

PAIR = """
services:
  a: {calls: {b: [{methods: [GET], paths: [/b]}]}}
  b: {port: 9000}
doors:
  a: {methods: [GET], paths: [/a], service: a, auth: {jwt: clients}, tiers: [standard]}
"""


def test_a_service_accepts_its_callers_on_its_port_and_reaches_its_callees_on_theirs() -> None:
    r = relations(PAIR)
    assert spec(fences.service(r, "a", AROUND)) == {
        "podSelector": {"matchLabels": {"app": "a"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [network.accept([pods("istio-ingress", app="ingress", istio="ingress")], 8080)],
        "egress": [DNS, ISTIOD, network.reach([pods("shop", app="b")], 9000)],
    }
    assert spec(fences.service(r, "b", AROUND))["ingress"] == [network.accept([pods("shop", app="a")], 9000)]


def test_a_service_that_nobody_calls_accepts_nothing() -> None:
    r = relations("""
services:
  a: {calls: {b: [{methods: [GET], paths: [/b]}]}}
  b: {}
""")
    assert "ingress" not in spec(fences.service(r, "a", AROUND))


def test_an_ingress_accepts_the_gateway_s_pods_alone_and_reaches_what_doors_lead_to() -> None:
    fence = spec(fences.gateway(relations(PAIR), "main", "ingress", AROUND))
    assert fence["ingress"] == [network.accept([pods("gateway", **{"perimeter.dev/layer": "gateway"})], 8443)]
    assert fence["egress"] == [DNS, ISTIOD, network.reach([pods("shop", app="a")], 8080)]


def test_a_host_with_private_addresses_is_reached_there_alone() -> None:
    r = relations("""
services: {a: {}}
egress:
  books: {host: books.example.org, port: 5432, protocol: tcp, services: [a]}
  mail: {host: mail.example.org, services: [a]}
""")
    placed = replace(AROUND, private_hosts={"books": ("10.30.5.0/24",)})
    *_, outside, private = spec(fences.gateway(r, "main", "egress", placed))["egress"]
    assert outside["ports"] == [{"protocol": "TCP", "port": 443}]
    assert private == {"to": [{"ipBlock": {"cidr": "10.30.5.0/24"}}], "ports": [{"protocol": "TCP", "port": 5432}]}


def test_an_egress_gateway_alone_reaches_outside_and_only_the_ports_that_are_named() -> None:
    r = relations("""
services: {a: {}, b: {calls: {a: [{methods: [GET], paths: [/a]}]}}}
egress: {mail: {host: mail.example.org, port: 8443, services: [a]}}
""")
    fence = spec(fences.gateway(r, "main", "egress", AROUND))
    assert fence["ingress"] == [network.accept([pods("shop", app="a")], 8443)]
    outside = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "192.168.0.0/16"]}}
    assert fence["egress"][-1] == {"to": [outside], "ports": [{"protocol": "TCP", "port": 8443}]}
    assert "ipBlock" not in str(fences.service(r, "a", AROUND))


def test_istiod_accepts_its_own_proxies_and_the_webhook_s_caller_which_is_no_pod() -> None:
    fence = spec(fences.control_plane(relations(PAIR), "main", AROUND))
    assert fence["ingress"] == [
        network.accept([pods("shop"), pods("istio-ingress")], 15012),
        {"ports": [{"protocol": "TCP", "port": 15017}]},
    ]
    assert fence["egress"] == [DNS, network.ranges(["10.96.0.1/32"], 443), network.outside(AROUND.inside, 443)]


def test_istiod_reaches_no_key_set_where_no_door_wants_a_token() -> None:
    r = relations("""
services: {a: {}}
doors: {a: {methods: [GET], paths: [/a], service: a, auth: {apiKey: [standard]}}}
""")
    assert spec(fences.control_plane(r, "main", AROUND))["egress"] == [DNS, network.ranges(["10.96.0.1/32"], 443)]
