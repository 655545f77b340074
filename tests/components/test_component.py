"""What all components share."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pulumi
import pytest

import components
from components.component import Component
from components.manifests import token_of
from tests.components.registered import Top, recording
from topology.derive.manifest import manifest


def classes() -> Iterator[type[Component]]:
    for module in pkgutil.walk_packages(components.__path__, "components."):
        importlib.import_module(module.name)
    waiting = [Component]
    while waiting:
        for found in waiting.pop().__subclasses__():
            waiting.append(found)
            if found.__module__.startswith("components."):
                yield found


BETWEEN = {"certificates", "system", "azure"}
"""Modules of no single layer: what a cloud's cluster makes and its edge uses lies in the cloud's own room."""


@pytest.mark.parametrize("component", sorted(classes(), key=lambda found: found.token), ids=lambda found: found.token)
def test_every_component_has_a_token_of_the_one_grammar_and_of_its_own_layer(component: type[Component]) -> None:
    assert re.fullmatch(rf"perimeter:[a-z]+:{component.__name__}", component.token)
    layer = component.token.split(":")[1]
    folder = component.__module__.split(".")[1]
    assert layer == folder or folder in BETWEEN


def test_no_two_components_share_a_token() -> None:
    tokens = [component.token for component in classes()]
    assert len(tokens) == len(set(tokens))


@pytest.mark.parametrize(
    ("api_version", "kind", "token"),
    [
        ("v1", "Service", "kubernetes:core/v1:Service"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("security.istio.io/v1", "AuthorizationPolicy", "kubernetes:security.istio.io/v1:AuthorizationPolicy"),
    ],
)
def test_an_object_has_the_token_that_the_provider_gives_its_kind(api_version: str, kind: str, token: str) -> None:
    assert token_of(manifest(api_version, kind, "x")) == token


@pulumi.runtime.test
def test_a_child_is_named_by_namespace_and_name_and_has_every_field() -> None:
    class Probe(Component, layer="test"):
        """A component with two children."""

        def __init__(self, parent: pulumi.Resource) -> None:
            super().__init__("probe", {"fact": 1}, parent=parent)
            first = self.add(manifest("v1", "Namespace", "shop"))
            self.child = self.add(manifest("configuration.konghq.com/v1", "KongPlugin", "x", "shop", plugin="acl"), after=[first])
            self.register_outputs({"fact": 1})

    recorder = recording()
    probe = Probe(Top())

    def check(urn: str) -> None:
        assert "perimeter:test:Probe$kubernetes:configuration.konghq.com/v1:KongPlugin::shop/x" in urn
        assert recorder.of("perimeter:test:Probe")["probe"].inputs == {"fact": 1}
        assert recorder.of("kubernetes:core/v1:Namespace")["shop"].inputs["metadata"]["name"] == "shop"
        assert recorder.of("kubernetes:configuration.konghq.com/v1:KongPlugin")["shop/x"].inputs["plugin"] == "acl"

    return probe.child.urn.apply(check)  # type: ignore[return-value] # the decorator waits for it
