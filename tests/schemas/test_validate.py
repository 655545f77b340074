from copy import deepcopy

import pytest

from tests.schemas import kinds, validate

ALLOW = {
    "apiVersion": "security.istio.io/v1",
    "kind": "AuthorizationPolicy",
    "metadata": {"name": "cart", "namespace": "shop"},
    "spec": {
        "selector": {"matchLabels": {"app": "cart"}},
        "action": "ALLOW",
        "rules": [{"from": [{"source": {"principals": ["shop.test/ns/shop/sa/front"]}}], "to": [{"operation": {"methods": ["GET"]}}]}],
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "cart", "namespace": "shop", "labels": {"app.kubernetes.io/name": "cart"}},
    "spec": {"selector": {"app": "cart"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
}
LIMIT = {
    "apiVersion": "gateway.envoyproxy.io/v1alpha1",
    "kind": "BackendTrafficPolicy",
    "metadata": {"name": "cart", "namespace": "gateway"},
    "spec": {
        "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "cart"}],
        "rateLimit": {"local": {"rules": [{"limit": {"requests": 10, "unit": "Minute"}}]}},
    },
}


def changed(manifest: dict, path: tuple, value: object) -> dict:
    copy = deepcopy(manifest)
    node = copy
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return copy


@pytest.mark.parametrize("manifest", [ALLOW, SERVICE, LIMIT], ids=lambda one: one["kind"])
def test_a_correct_manifest_is_accepted(manifest):
    assert validate(manifest) == []


@pytest.mark.parametrize(
    ("manifest", "path", "value", "finding"),
    [
        (ALLOW, ("spec", "selecter"), {}, "spec: Additional properties are not allowed ('selecter' was unexpected)"),
        (ALLOW, ("spec", "action"), "PERMIT", "spec.action: 'PERMIT' is not one of"),
        (ALLOW, ("metadata", "name"), "Cart", "metadata.name: 'Cart' is not a valid name for a AuthorizationPolicy"),
        (ALLOW, ("metadata", "owner"), "me", "metadata: Additional properties are not allowed ('owner' was unexpected)"),
        (SERVICE, ("spec", "ports", 0, "port"), "80", "spec.ports[0].port: '80' is not of type 'integer'"),
        (SERVICE, ("spec", "ports", 0, "targetPort"), True, "spec.ports[0].targetPort: True is not of type 'integer', 'string'"),
        (SERVICE, ("metadata", "labels"), {"app": "a b"}, "metadata.labels['app']: 'a b' is not a valid value"),
        (LIMIT, ("spec", "rateLimit", "local", "rules", 0, "limit", "requests"), 2**32, "4294967296 is greater than the maximum"),
        (LIMIT, ("spec", "targetRefs", 0, "kind"), "Service", "this policy can only have a targetRefs[*].kind of Gateway"),
        (LIMIT, ("spec", "mergeType"), "Replace", "Replace is not a valid MergeType"),
    ],
)
def test_a_wrong_manifest_is_refused_with_its_reason(manifest, path, value, finding):
    assert any(finding in said for said in validate(changed(manifest, path, value)))


def test_a_kind_without_a_definition_is_refused():
    assert validate({"apiVersion": "example.test/v1", "kind": "Thing", "metadata": {"name": "a"}}) == [
        "Thing a: no definition of apiVersion 'example.test/v1', kind 'Thing'"
    ]


def test_a_rule_is_asked_about_the_object_with_its_defaults_in_place():
    consumer = {"apiVersion": "configuration.konghq.com/v1", "kind": "KongConsumer", "metadata": {"name": "a"}}
    assert validate(consumer) == ["KongConsumer a: (object): Need to provide either username or custom_id"]
    assert validate({**consumer, "username": "a"}) == []


def test_every_layer_of_the_product_has_definitions():
    groups = {api_version.rpartition("/")[0] for api_version, _ in kinds()}
    assert groups >= {
        "apps",
        "networking.istio.io",
        "security.istio.io",
        "gateway.networking.k8s.io",
        "gateway.envoyproxy.io",
        "cert-manager.io",
    }
