from typing import Any

import pytest

from policies.reading.normalise import has_unknown_identity, normalise
from policies.reading.values import UNKNOWN_SENTINELS, UnknownValueError, known

UNKNOWN = UNKNOWN_SENTINELS[0]


def record(token: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:s::p::{token}::n", "type": token, "custom": True, "inputs": inputs, **more}


def manifest(api_version: str, kind: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


def test_an_object_says_itself_what_it_is_whatever_class_registered_it() -> None:
    (resource,) = normalise([record("kubernetes:v1:Service", manifest("v1", "Service", name="b", namespace="abc"))])
    (custom,) = normalise([record("kubernetes:a.io/v1:Thing", manifest("networking.istio.io/v1beta1", "Gateway", name="g"))])
    assert (resource.group, resource.version, resource.kind, str(resource)) == ("", "v1", "Service", "Service abc/b")
    assert (custom.group, custom.version, custom.kind, custom.namespace) == ("networking.istio.io", "v1beta1", "Gateway", "default")


def test_an_object_that_says_nothing_is_what_its_token_says() -> None:
    (resource,) = normalise([record("kubernetes:core/v1:Namespace", {"metadata": {"name": "abc"}})])
    assert (resource.kind, resource.group, resource.version, resource.namespace) == ("Namespace", "", "v1", "")


def test_the_kind_of_a_patch_keeps_its_suffix() -> None:
    (resource,) = normalise([record("kubernetes:core/v1:ServicePatch", manifest("v1", "Service", name="b", namespace="abc"))])
    assert str(resource) == "ServicePatch abc/b"


def test_the_items_of_a_list_are_objects_of_their_own() -> None:
    items = [manifest("v1", "Service", name="b", namespace="abc"), {"metadata": {"name": "c", "namespace": "abc"}}]
    found = normalise([record("kubernetes:core/v1:ServiceList", {"apiVersion": "v1", "kind": "ServiceList", "items": items})])
    assert [str(resource) for resource in found] == ["Service abc/b", "Service abc/c"]


def test_a_list_with_an_unknown_item_stays_beside_its_known_items() -> None:
    items = [manifest("v1", "Service", name="b", namespace="abc"), UNKNOWN]
    found = normalise([record("kubernetes:core/v1:List", {"apiVersion": "v1", "kind": "List", "items": items})])
    assert [resource.kind for resource in found] == ["Service", "List"]


def test_a_provider_may_choose_the_default_namespace() -> None:
    provider = {"urn": "urn:p", "type": "pulumi:providers:kubernetes", "custom": True, "inputs": {"namespace": "team"}}
    (_, resource) = normalise([provider, record("kubernetes:v1:Service", manifest("v1", "Service", name="b"), provider="urn:p::id")])
    assert resource.namespace == "team"


def test_a_name_that_the_provider_makes_up_is_the_name_of_nothing_else() -> None:
    (resource,) = normalise([record("kubernetes:v1:Service", {"apiVersion": "v1", "kind": "Service", "metadata": {}})])
    assert resource.name == "n-<auto>"


def test_an_object_whose_name_is_unknown_says_so() -> None:
    (resource,) = normalise([record("kubernetes:v1:Service", manifest("v1", "Service", name=UNKNOWN, namespace="abc"))])
    assert has_unknown_identity(resource)


def test_a_release_keeps_its_own_name_and_namespace() -> None:
    (release,) = normalise([record("kubernetes:helm.sh/v3:Release", {"chart": "istiod", "name": "x", "namespace": "istio-system"})])
    assert (release.kind, release.group, str(release)) == ("Release", "helm.sh", "Release istio-system/x")


def test_the_version_of_a_provider_is_no_part_of_a_type() -> None:
    (resource,) = normalise([record("azure-native:network/v20230901:ApplicationGateway", {})])
    assert resource.kind == "azure-native:network:ApplicationGateway"


def test_a_component_shows_inputs_and_outputs() -> None:
    (component,) = normalise([record("perimeter:system:System", {"digest": "1"}, custom=False, outputs={"hosts": ["a"]})])
    assert dict(component.props) == {"hosts": ["a"], "digest": "1"}


def test_a_secret_and_an_unknown_cannot_be_looked_at() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "x"}
    value = known({"a": secret, "b": [f"https://{UNKNOWN}/x"], "c": {"4dabf18193072939515e22adb298388d": "other"}})
    for unknown in (value["a"], value["b"][0], value["c"]):
        with pytest.raises(UnknownValueError):
            bool(unknown == "x")
