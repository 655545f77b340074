from components.gateway.kong import listeners
from tests.components.gateway.kong.given import MARKET


def test_the_class_is_one_whose_proxies_the_chart_makes() -> None:
    document = listeners.gateway_class()
    assert document["spec"] == {"controllerName": "konghq.com/kic-gateway-controller"}
    assert document["metadata"]["annotations"] == {"konghq.com/gatewayclass-unmanaged": "true"}


def test_the_gateway_ends_tls_for_each_public_host_and_names_no_kinds_of_routes() -> None:
    document = listeners.gateway(MARKET)
    assert document["metadata"]["annotations"] == {"konghq.com/publish-service": "gateway/gateway"}
    assert document["spec"] == {
        "gatewayClassName": "gateway",
        "listeners": [
            {
                "name": "api.market.example",
                "hostname": "api.market.example",
                "port": 443,
                "protocol": "HTTPS",
                "tls": {"mode": "Terminate", "certificateRefs": [{"group": "", "kind": "Secret", "name": "gateway-server"}]},
                "allowedRoutes": {"namespaces": {"from": "Same"}},
            }
        ],
    }
