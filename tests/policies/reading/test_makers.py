"""What charts and gateway controllers create, which no resource of the program shows."""

from typing import Any

import pytest

from policies.reading.charts import chart_name, is_known
from policies.reading.stack import Stack
from tests.policies.building import baseline, changed, resources_of, stack_of

Manifest = dict[str, Any]


def release(chart: str, name: str = "r", **values: Any) -> Manifest:
    return {
        "type": "kubernetes:helm.sh/v3:Release",
        "name": name,
        "inputs": {"chart": chart, "name": name, "namespace": "n", "values": values},
    }


def made(stack: Stack) -> set[str]:
    return {str(resource) for resource, _ in stack.derived}


@pytest.mark.parametrize("chart", ["istiod", "oci://host.example/charts/istiod", "./charts/istiod", "charts/istiod.tgz", "/abs/istiod/"])
def test_a_chart_is_known_by_its_name_wherever_it_comes_from(chart: str) -> None:
    (resource,) = resources_of([release(chart)])
    assert chart_name(resource) == "istiod"
    assert is_known(resource)


def test_an_unknown_chart_is_opaque() -> None:
    assert made(stack_of([release("mystery")])) == set()
    assert not is_known(resources_of([release("mystery")])[0])


def test_istiod_is_named_by_its_revision() -> None:
    assert made(stack_of([release("istiod", revision="main")])) == {
        "ServiceAccount n/istiod-main",
        "Deployment n/istiod-main",
        "Service n/istiod-main",
    }


def test_the_gateway_chart_makes_a_public_service_unless_told_not_to() -> None:
    stack = stack_of([release("gateway", "ingress")])
    assert [service.type for service in stack.services] == ["LoadBalancer"]
    assert len(stack.exposures) == 3
    stack = stack_of([release("gateway", "istio-ingress", service={"type": "None"})])
    assert stack.services == ()
    (pod,) = stack.pods
    assert (pod.labels["app"], pod.labels["istio"], pod.service_account) == ("istio-ingress", "ingress", "istio-ingress")


def test_kong_shows_its_proxy_and_hides_its_admin_port_by_default() -> None:
    stack = stack_of([release("kong", "kong")])
    assert {service.name: service.type for service in stack.services} == {
        "kong-kong-proxy": "LoadBalancer",
        "kong-kong-validation-webhook": "ClusterIP",
        "kong-kong-metrics": "ClusterIP",
    }
    stack = stack_of([release("kong", "kong", fullnameOverride="gateway", proxy={"type": "ClusterIP"}, admin={"enabled": True})])
    admin = stack.service("n", "gateway-admin")
    assert admin is not None
    assert (admin.type, [port.target for port in admin.ports]) == ("NodePort", [8444])


def test_cert_manager_and_envoy_gateway_make_what_their_values_say() -> None:
    found = made(stack_of([release("cert-manager", "cert-manager", startupapicheck={"enabled": False}), release("gateway-helm", "eg")]))
    assert {
        "Deployment n/cert-manager",
        "Deployment n/cert-manager-webhook",
        "Deployment n/envoy-gateway",
        "Service n/envoy-gateway",
    } <= found
    assert not any("startupapicheck" in name for name in found)


def test_a_value_that_is_unknown_leaves_the_release_unreadable() -> None:
    stack = stack_of([release("gateway", "ingress", service={"type": "<unknown>"})])
    assert stack.exposures == ()
    assert [str(resource) for resource, _ in stack.unreadable] == ["Release n/ingress"]


def test_envoy_gateway_puts_its_proxies_beside_the_gateway_when_told_to() -> None:
    stack = stack_of(baseline("abc"))
    (gateway,) = stack.gateways
    (pod,) = gateway.pods
    assert (pod.namespace, pod.name, pod.service_account) == ("gateway", "gateway", "gateway")
    assert pod.labels["gateway.envoyproxy.io/owning-gateway-name"] == "gateway"
    assert gateway.ports == {"https": 10443}


def test_elsewise_they_are_in_the_controllers_namespace_under_a_hashed_name() -> None:
    stack = stack_of([*changed(baseline("abc"), without=["Release envoy-gateway-system/eg"]), release("gateway-helm", "eg")])
    (gateway,) = stack.gateways
    (pod,) = gateway.pods
    assert pod.namespace == "n"
    assert pod.name.startswith("envoy-gateway-gateway-")


def test_a_gateway_is_public_unless_its_service_is_told_otherwise() -> None:
    public = stack_of(changed(baseline("abc"), change={"EnvoyProxy gateway/gateway": {"spec": {"provider": None}}}))
    assert {exposure.resource.name for exposure in public.exposures} == {"edge", "gateway"}
    assert {exposure.resource.name for exposure in stack_of(baseline("abc")).exposures} == {"edge"}


def test_a_gateway_of_a_class_that_nobody_is_known_to_serve_may_be_public() -> None:
    change = {"GatewayClass envoy": {"spec": {"controllerName": "example.com/unknown"}}}
    stack = stack_of(changed(baseline("abc"), change=change))
    assert any("it is not known who serves it" in exposure.why for exposure in stack.exposures)
