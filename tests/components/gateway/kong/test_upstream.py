from components.gateway.kong import upstream
from tests.components.gateway.kong.given import MARKET, ingress
from topology.model.service import Protocol

MUTUAL_TLS = {"konghq.com/tls-verify": "true", "konghq.com/connect-timeout": "5000", "konghq.com/retries": "0"}


def annotations(mesh: str) -> dict[str, dict[str, str]]:
    found = upstream.services(MARKET, mesh, ingress(MARKET, mesh))
    return {document["metadata"]["name"]: document["metadata"]["annotations"] for document in found}


def test_kong_has_one_service_for_each_protocol_of_the_doors_into_a_mesh() -> None:
    assert annotations("goods") == {"kong-http": {"konghq.com/protocol": "https", **MUTUAL_TLS}}
    assert list(annotations("prices")) == ["kong-websocket", "kong-grpc"]


def test_a_stream_may_be_silent_for_as_long_as_its_door_says_and_no_less_than_the_proxies_behind_allow() -> None:
    found = annotations("prices")
    assert found["kong-websocket"] == {
        "konghq.com/protocol": "https",
        **MUTUAL_TLS,
        "konghq.com/read-timeout": "3600000",
        "konghq.com/write-timeout": "3600000",
    }
    assert found["kong-grpc"] == {
        "konghq.com/protocol": "grpcs",
        **MUTUAL_TLS,
        "konghq.com/read-timeout": "300000",
        "konghq.com/write-timeout": "300000",
    }


def test_the_services_lead_to_the_pods_of_the_ingress() -> None:
    [service] = upstream.services(MARKET, "goods", ingress(MARKET, "goods"))
    assert service["metadata"]["namespace"] == "goods-ingress"
    assert service["spec"] == {
        "type": "ClusterIP",
        "selector": {"app": "ingress", "istio": "ingress"},
        "ports": [{"name": "https", "port": 443, "targetPort": 8443, "protocol": "TCP", "appProtocol": "https"}],
    }


def test_routes_may_send_to_these_services_and_to_no_other_of_the_namespace() -> None:
    grant = upstream.grant(MARKET, "prices", ingress(MARKET, "prices"))
    assert grant["metadata"]["namespace"] == "prices-ingress"
    assert grant["spec"] == {
        "from": [
            {"group": "gateway.networking.k8s.io", "kind": "GRPCRoute", "namespace": "gateway"},
            {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "gateway"},
        ],
        "to": [
            {"group": "", "kind": "Service", "name": "kong-websocket"},
            {"group": "", "kind": "Service", "name": "kong-grpc"},
        ],
    }


def test_a_door_leads_to_its_mesh_by_its_protocol() -> None:
    backend = upstream.backend(MARKET, MARKET.doors["quotes"], ingress(MARKET, "prices"))
    assert backend == {"group": "", "kind": "Service", "namespace": "prices-ingress", "name": "kong-grpc", "port": 443}


def test_every_protocol_of_a_door_has_a_scheme_of_its_own_with_tls() -> None:
    assert upstream.SCHEMES == {Protocol.HTTP: "https", Protocol.WEBSOCKET: "https", Protocol.GRPC: "grpcs"}
