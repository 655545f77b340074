from typing import Any

import pytest

from policies.reading.meshes import Proxy
from tests.policies.building import baseline, changed, stack_of

Manifest = dict[str, Any]


def proxy_of(pod: Manifest, namespace: Manifest | None = None, **values: Any) -> Proxy | None:
    labels = namespace if namespace is not None else {"istio.io/rev": "main"}
    items = [
        {
            "type": "kubernetes:helm.sh/v3:Release",
            "name": "istiod",
            "inputs": {"chart": "istiod", "name": "i", "namespace": "s", "values": values},
        },
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x", "labels": labels}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": "x", **pod.get("metadata", {})},
            "spec": pod.get("spec", {}),
        },
    ]
    stack = stack_of(items)
    member = stack.member(next(each for each in stack.pods if each.name == "p"))
    return member[1] if member else None


MAIN = {"revision": "main"}


@pytest.mark.parametrize(
    ("pod", "namespace", "values", "proxy"),
    [
        ({}, None, MAIN, Proxy.SIDECAR),
        ({}, {"istio.io/rev": "other"}, MAIN, None),
        ({}, {"istio.io/rev": "tag"}, {**MAIN, "revisionTags": ["tag"]}, Proxy.SIDECAR),
        ({}, {"istio-injection": "enabled"}, {}, Proxy.SIDECAR),
        ({}, {"istio-injection": "enabled"}, MAIN, None),
        ({}, {"istio-injection": "disabled", "istio.io/rev": "main"}, MAIN, None),
        ({}, {}, MAIN, None),
        ({"metadata": {"labels": {"istio.io/rev": "main"}}}, {}, MAIN, Proxy.SIDECAR),
        ({"metadata": {"labels": {"sidecar.istio.io/inject": "true"}}}, {}, {}, Proxy.SIDECAR),
        ({"metadata": {"labels": {"sidecar.istio.io/inject": "false"}}}, None, MAIN, None),
        ({"metadata": {"annotations": {"sidecar.istio.io/inject": "false"}}}, None, MAIN, None),
        ({"spec": {"hostNetwork": True}}, None, MAIN, None),
        ({"metadata": {"annotations": {"inject.istio.io/templates": "gateway"}}}, None, MAIN, Proxy.GATEWAY),
    ],
)
def test_a_proxy_is_injected_as_the_webhook_and_the_injector_decide(
    pod: Manifest, namespace: Manifest | None, values: Manifest, proxy: Proxy | None
) -> None:
    assert proxy_of(pod, namespace, **values) is proxy


def test_a_template_of_which_it_is_not_known_what_it_makes_is_noted() -> None:
    stack = stack_of(
        changed(
            baseline("abc"),
            change={"Deployment abc/b-v1": {"spec": {"template": {"metadata": {"annotations": {"inject.istio.io/templates": "own"}}}}}},
        )
    )
    assert stack.member(next(pod for pod in stack.pods if pod.name == "b-v1")) is None
    assert [str(resource) for resource, _ in stack.unreadable] == ["Deployment abc/b-v1"]


def test_values_lie_over_the_mesh_configuration_of_the_chart() -> None:
    (mesh,) = stack_of(baseline("abc")).meshes
    assert (mesh.trust_domain, mesh.root_namespace, mesh.namespace) == ("abc.example", "istio-system", "istio-system")
    items = [{"type": "kubernetes:helm.sh/v3:Release", "name": "i", "inputs": {"chart": "istiod", "name": "i", "namespace": "s"}}]
    (plain,) = stack_of(items).meshes
    assert (plain.trust_domain, plain.root_namespace, plain.revisions) == ("cluster.local", "istio-system", frozenset({"default"}))


def test_istiod_sees_only_the_namespaces_it_is_told_to() -> None:
    stack = stack_of(baseline("abc"))
    (mesh,) = stack.meshes
    assert mesh.discovers(stack.namespace("abc"))
    assert not mesh.discovers(stack.namespace("edge"))


def test_an_identity_is_trust_domain_namespace_and_account() -> None:
    stack = stack_of(baseline("abc"))
    assert [str(pod) for pod in stack.holders("abc.example/ns/istio-ingress/sa/ingress")] == ["pods of Deployment istio-ingress/ingress"]
    assert stack.identity(next(pod for pod in stack.pods if pod.namespace == "edge")) == ""
