"""How Envoy Gateway is installed and fenced, what its proxies ask of the edge and show the mesh."""

from typing import Any, cast

import pytest

from components.binding import Binding
from components.contracts import CounterStore, IngressOutputs
from components.gateway.envoy import install, proxy
from tests.components.edge.systems import system
from tests.schemas import validate
from tests.systems import SYSTEMS, topology
from topology.derive import names
from topology.derive.manifest import Manifest
from topology.model.system import Topology

BINDING = Binding(topology="-")
NOT_YET: Any = cast(Any, None)
COUNTERS = CounterStore(
    host="redis.counters.svc.cluster.local", port=6379, namespace="counters", pod_labels={"app": "redis"}, ready=NOT_YET
)


def ingress(namespace: str = "istio-ingress") -> IngressOutputs:
    return IngressOutputs(
        namespace=namespace,
        service="ingress",
        port=443,
        port_name="https",
        pod_labels={"istio": "ingress"},
        pod_port=8443,
        server_name="api.test.example",
        server_secret="ingress-server",  # noqa: S106 # the name of a Secret
        ready=NOT_YET,
    )


def everything(t: Topology, counters: CounterStore | None) -> list[Manifest]:
    return [
        proxy.envoy_proxy(BINDING, t),
        proxy.client_traffic(),
        proxy.backend_tls(ingress()),
        proxy.fence(BINDING, t, [ingress()], counters),
        install.namespace(),
        *install.fences(BINDING, counters),
    ]


@pytest.mark.parametrize("counters", [None, COUNTERS])
@pytest.mark.parametrize("name", SYSTEMS)
def test_an_api_server_takes_every_object(name: str, counters: CounterStore | None) -> None:
    assert [problem for document in everything(topology(name), counters) for problem in validate(document)] == []


def test_the_proxies_take_the_edges_certificate_alone() -> None:
    tls = proxy.client_traffic()["spec"]["tls"]
    assert tls["minVersion"] == "1.2"
    assert tls["clientValidation"] == {
        "mode": "RequireAndVerify",
        "caCertificateRefs": [{"group": "", "kind": "Secret", "name": "gateway-server"}],
        "subjectAltNames": {"uris": [{"type": "Exact", "value": "spiffe://boundary/ns/edge/sa/edge"}]},
    }


def test_the_proxies_take_no_word_of_a_client_for_their_own() -> None:
    headers = proxy.client_traffic()["spec"]["headers"]
    assert set(headers["earlyRequestHeaders"]["remove"]) == {*names.IDENTITY_HEADERS, *names.TRACE_INTERNAL_HEADERS}
    assert headers["xForwardedClientCert"] == {"mode": "Sanitize"}
    assert headers["withUnderscoresAction"] == "RejectRequest"
    assert headers["requestID"] == "Preserve", "the edge's id, which no client can set"
    assert proxy.client_traffic()["spec"]["path"]["escapedSlashesAction"] == "RejectRequest"
    assert proxy.client_traffic()["spec"]["clientIPDetection"] == {"xForwardedFor": {"numTrustedHops": 1}}


def test_the_proxies_have_no_public_address() -> None:
    service = proxy.envoy_proxy(BINDING, topology("abc"))["spec"]["provider"]["kubernetes"]["envoyService"]
    assert service == {"name": "gateway-envoy", "type": "ClusterIP"}


def test_the_proxies_show_the_mesh_their_certificate_and_verify_its_own() -> None:
    backend = proxy.envoy_proxy(BINDING, topology("abc"))["spec"]["backendTLS"]
    assert backend["clientCertificateRef"]["name"] == "gateway-client"
    spec = proxy.backend_tls(ingress())["spec"]
    assert spec["targetRefs"] == [{"group": "", "kind": "Service", "name": "ingress", "sectionName": "https"}]
    assert spec["validation"] == {
        "hostname": "api.test.example",
        "caCertificateRefs": [{"group": "", "kind": "Secret", "name": "ingress-server"}],
    }


def test_no_log_holds_a_query_string_or_a_credential() -> None:
    text = " ".join(proxy.LOG.values()).lower()
    for forbidden in ("%req(:path)%", "x-envoy-original-path", "authorization", "cookie", names.API_KEY_HEADER, "path(wq"):
        assert forbidden not in text


def reached(document: Manifest) -> list[tuple[str, list[int]]]:
    """Return who is called, by namespace or address range, and on which ports."""

    def name(peer: dict[str, Any]) -> str:
        return str(peer.get("ipBlock", {}).get("cidr") or peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"])

    return [(name(rule["to"][0]), sorted({port["port"] for port in rule["ports"]})) for rule in document["spec"]["egress"]]


def test_the_proxies_are_reached_by_the_edge_alone() -> None:
    spec = proxy.fence(BINDING, topology("abc"), [ingress()], None)["spec"]
    edge = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}},
        "podSelector": {"matchLabels": {"perimeter.dev/layer": "edge"}},
    }
    assert spec["ingress"] == [{"from": [edge], "ports": [{"protocol": "TCP", "port": 10443}]}]


def test_the_proxies_call_meshes_controller_and_issuers() -> None:
    fence = proxy.fence(BINDING, topology("abc"), [ingress("one"), ingress("two")], None)
    assert reached(fence) == [
        ("kube-system", [53]),
        ("envoy-gateway-system", [18000]),
        ("one", [8443]),
        ("two", [8443]),
        ("0.0.0.0/0", [443]),
    ]
    assert fence["spec"]["egress"][-1]["to"][0]["ipBlock"]["except"] == list(BINDING.inside)


def test_without_issuers_nothing_outside_is_called() -> None:
    fence = proxy.fence(BINDING, topology("bookinfo"), [ingress()], None)
    assert [name for name, _ in reached(fence)] == ["kube-system", "envoy-gateway-system", "istio-ingress"]


def test_shared_counters_are_reached_through_their_service() -> None:
    fence = proxy.fence(BINDING, topology("bookinfo"), [ingress()], COUNTERS)
    assert ("envoy-gateway-system", [8081]) in reached(fence)
    limiter = next(each for each in install.fences(BINDING, COUNTERS) if each["metadata"]["name"] == "envoy-ratelimit")
    assert reached(limiter) == [("kube-system", [53]), ("envoy-gateway-system", [18001]), ("counters", [6379])]


def test_key_sets_are_fetched_on_their_own_ports() -> None:
    login = {"issuer": "https://l.example.com", "audiences": ["x"], "jwksUri": "https://l.example.com:8443/keys"}
    t = system(
        {"door": {"paths": ["/a"], "auth": {"jwt": "login"}}},
        issuers={"login": login, "unused": {**login, "jwksUri": "https://u.example.com:9/k"}},
    )
    assert proxy.key_set_ports(t) == [8443]


def test_the_controller_watches_what_routes_need_and_opens_no_extension() -> None:
    values = install.values(BINDING, ["gateway", "istio-ingress"], None)
    config = values["config"]["envoyGateway"]
    assert config["provider"]["kubernetes"] == {
        "deploy": {"type": "GatewayNamespace"},
        "watch": {"type": "Namespaces", "namespaces": ["envoy-gateway-system", "gateway", "istio-ingress"]},
    }
    assert "extensionApis" not in config
    assert "rateLimit" not in config


def test_where_nobody_can_count_nobody_passes() -> None:
    limit = install.values(BINDING, [], COUNTERS)["config"]["envoyGateway"]["rateLimit"]
    assert limit == {
        "backend": {"type": "Redis", "redis": {"url": "redis.counters.svc.cluster.local:6379"}},
        "failClosed": True,
        "timeout": "200ms",
    }
