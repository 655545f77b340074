from components.gateway.kong import network
from tests.components.gateway.kong.given import BINDING, COUNTERS, MARKET, ingresses

FENCE = network.fence(BINDING, ingresses(MARKET).values(), COUNTERS)["spec"]


def pods(namespace: str, labels: dict[str, str]) -> dict[str, object]:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": labels},
    }


def tcp(*ports: int) -> list[dict[str, object]]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def test_the_fence_is_around_the_pods_of_the_chart() -> None:
    assert FENCE["podSelector"] == {"matchLabels": {"app": "gateway", "perimeter.dev/layer": "gateway"}}
    assert FENCE["policyTypes"] == ["Ingress", "Egress"]


def test_only_the_edge_reaches_kong_and_only_on_the_port_that_serves_doors() -> None:
    assert FENCE["ingress"] == [{"from": [pods("edge", {"perimeter.dev/layer": "edge"})], "ports": tcp(8443)}]


def test_kong_reaches_names_the_api_server_the_ingresses_and_the_counters() -> None:
    assert FENCE["egress"] == [
        {"to": [pods("kube-system", {"k8s-app": "kube-dns"})], "ports": [{"protocol": "UDP", "port": 53}, *tcp(53)]},
        {"to": [{"ipBlock": {"cidr": cidr}} for cidr in BINDING.api_server], "ports": tcp(443, 6443)},
        {"to": [pods("goods-ingress", {"app": "ingress", "istio": "ingress"})], "ports": tcp(8443)},
        {"to": [pods("prices-ingress", {"app": "ingress", "istio": "ingress"})], "ports": tcp(8443)},
        {"to": [pods("counters", {"app": "redis"})], "ports": tcp(6379)},
    ]


def test_without_shared_limits_kong_reaches_no_counters() -> None:
    spec = network.fence(BINDING, ingresses(MARKET).values(), None)["spec"]
    assert spec["egress"] == FENCE["egress"][:-1]
