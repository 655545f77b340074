"""The internal gateway between two meshes."""

from typing import Any

from tests.topology.derive.documents import AROUND, relations, spec
from topology.derive import bridge, fences, identity, network, traffic
from topology.derive.manifest import Manifest
from topology.derive.relations import Relations

HEAD = """\
system: shop
hosts: [api.shop.example]
meshes:
  east: {trustDomain: east.example, namespace: east, controlPlane: istio-east, ingress: ei, egress: ee, bridge: east-bridge}
  west: {trustDomain: west.example, namespace: west, controlPlane: istio-west, ingress: wi, egress: we, bridge: west-bridge}
"""
TEXT = """
services:
  a: {mesh: east}
  t: {mesh: west, versions: {v1: {weight: 90}, v2: {weight: 10}}, faults: [{percent: 1, abort: 503, callers: [a]}]}
bridges:
  one: {source: a, target: t, operations: [{methods: [GET], paths: ["/t/*"]}]}
"""
HERE, THERE = "t.east-bridge.svc.cluster.local", "t.west.bridge.internal"


def world() -> Relations:
    return relations(TEXT, head=HEAD)


def side(mesh: str) -> dict[tuple[str, str], Manifest]:
    return {(d["kind"], d["metadata"]["name"]): d for d in bridge.documents(world(), mesh)}


def tls(rule: Manifest) -> dict[str, Any]:
    return spec(rule)["trafficPolicy"]["tls"]


def test_callers_reach_the_target_by_a_service_in_their_own_mesh() -> None:
    (service,) = bridge.services(world(), "east")
    assert (service["metadata"]["namespace"], service["metadata"]["name"]) == ("east-bridge", "t")
    assert spec(service)["selector"] == {"app": "bridge", "istio": "bridge"}
    assert spec(service)["ports"][0] | {"appProtocol": None} == {
        "name": "http",
        "port": 8080,
        "targetPort": 8443,
        "protocol": "TCP",
        "appProtocol": None,
    }
    assert spec(traffic.sidecar(world(), "a"))["egress"] == [{"hosts": [f"east-bridge/{HERE}"]}]


def test_the_caller_s_side_knows_the_caller_by_its_mesh_s_certificate() -> None:
    (server,) = spec(side("east")["Gateway", "bridge"])["servers"]
    assert (server["hosts"], server["tls"]) == ([f"./{HERE}"], {"mode": "ISTIO_MUTUAL"})
    assert tls(side("east")["DestinationRule", "t"]) == {"mode": "ISTIO_MUTUAL", "sni": HERE}
    assert spec(identity.bridge(world(), "east"))["rules"] == [
        {
            "from": [{"source": {"principals": ["east.example/ns/east/sa/a"]}}],
            "to": [{"operation": {"hosts": [HERE, f"{HERE}:*"], "methods": ["GET"], "paths": ["/t/*"]}}],
        }
    ]


def test_each_side_checks_the_other_by_the_bridge_s_own_authority() -> None:
    assert tls(side("east")["DestinationRule", THERE]) == {
        "mode": "MUTUAL",
        "credentialName": "bridge",
        "sni": THERE,
        "subjectAltNames": ["spiffe://west.example/ns/west-bridge/sa/bridge"],
    }
    (server,) = spec(side("west")["Gateway", "bridge"])["servers"]
    assert server["hosts"] == [f"./{THERE}"]
    assert server["tls"]["mode"] == "MUTUAL"
    assert server["tls"]["subjectAltNames"] == ["spiffe://east.example/ns/east-bridge/sa/bridge"]
    (rule,) = spec(identity.bridge(world(), "west"))["rules"]
    assert rule["from"] == [{"source": {"principals": ["east.example/ns/east-bridge/sa/bridge"]}}]
    assert rule["to"] == [{"operation": {"hosts": [THERE, f"{THERE}:*"], "methods": ["GET"], "paths": ["/t/*"]}}]


def test_the_target_admits_its_own_mesh_s_side_with_the_operations_of_the_bridge() -> None:
    (rule,) = spec(identity.callee(world(), "t"))["rules"]
    assert rule["from"] == [{"source": {"principals": ["west.example/ns/west-bridge/sa/bridge"]}}]
    assert rule["to"] == [{"operation": {"methods": ["GET"], "paths": ["/t/*"], "ports": ["8080"]}}]


def test_beyond_the_bridge_a_call_is_routed_like_any_other() -> None:
    (route,) = spec(side("west")["VirtualService", "t"])["http"]
    assert [entry["weight"] for entry in route["route"]] == [90, 10]
    assert "fault" not in route


def test_callers_are_led_to_their_side_and_from_there_to_the_other() -> None:
    calls, onward = spec(side("east")["VirtualService", "t"])["http"]
    assert calls["match"] == [{"gateways": ["mesh"]}]
    assert onward["match"] == [{"gateways": ["east-bridge/bridge"]}]
    assert onward["rewrite"] == {"authority": THERE}


def test_fences_let_the_two_sides_meet_and_nobody_else() -> None:
    r = world()
    bridges = [network.pods(namespace, {"app": "bridge", "istio": "bridge"}) for namespace in ("east-bridge", "west-bridge")]
    east, west = (spec(fences.gateway(r, mesh, "bridge", AROUND)) for mesh in ("east", "west"))
    assert east["ingress"] == [network.accept([network.pods("east", {"app": "a"})], 8443)]
    assert east["egress"][2:] == [network.reach([bridges[1]], 8443)]
    assert west["ingress"] == [network.accept([bridges[0]], 8443)]
    assert west["egress"][2:] == [network.reach([network.pods("west", {"app": "t"})], 8080)]


def test_a_mesh_without_bridges_has_no_side() -> None:
    assert list(bridge.documents(relations("services: {a: {}}"), "main")) == []
