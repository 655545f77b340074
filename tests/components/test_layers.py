"""The layers of the cluster and the mesh, registered for real with Pulumi's SDK and nothing behind it."""

from typing import Any

import pulumi

from components.cluster import build_platform
from components.context import context
from components.contracts import MeshOutputs, Platform
from components.mesh import build_meshes
from components.workload import build_workloads
from tests.components.registered import Recorder, Top, binding, recording, shop
from topology.derive import names


def build(**given: Any) -> tuple[Recorder, Platform, MeshOutputs, pulumi.Resource]:
    recorder = recording()
    here, top = context(binding(**given), shop()), Top()
    platform = build_platform(here, parent=top)
    meshes = build_meshes(here, platform, parent=top)
    build_workloads(here, meshes, platform, parent=top)
    return recorder, platform, meshes, top


def after(platform: Platform, meshes: MeshOutputs, check: Any) -> Any:
    """Check once everything is registered."""
    waited = [platform.certificates, *platform.namespaces.values(), *meshes.guards.values(), meshes.ingress["main"].ready]
    return pulumi.Output.all(*[resource.urn for resource in waited]).apply(check)


@pulumi.runtime.test
def test_every_namespace_is_closed_before_anything_is_in_it() -> Any:
    recorder, platform, meshes, _ = build()

    def check(_: Any) -> None:
        namespaces = set(recorder.of("kubernetes:core/v1:Namespace"))
        assert namespaces == set(platform.namespaces)
        closed = {name.split("/")[0] for name in recorder.of("kubernetes:networking.k8s.io/v1:NetworkPolicy")}
        assert namespaces <= closed

    return after(platform, meshes, check)


@pulumi.runtime.test
def test_istio_s_definitions_are_released_where_no_topology_can_move_them() -> Any:
    recorder, platform, meshes, _ = build()

    def check(_: Any) -> None:
        base = recorder.of("kubernetes:helm.sh/v3:Release")["cert-manager/istio-base"].inputs
        assert (base["name"], base["namespace"]) == ("istio-base", "cert-manager")
        assert base["values"]["global"]["istioNamespace"] == "istio-system"

    return after(platform, meshes, check)


@pulumi.runtime.test
def test_charts_are_pinned_named_and_never_bring_a_public_service() -> Any:
    recorder, platform, meshes, _ = build()

    def check(_: Any) -> None:
        releases = {name: release.inputs for name, release in recorder.of("kubernetes:helm.sh/v3:Release").items()}
        assert set(releases) == {
            "cert-manager/cert-manager",
            "cert-manager/istio-base",
            "istio-system/istiod-main",
            "istio-ingress/ingress",
            "istio-egress/egress",
        }
        for inputs in releases.values():
            assert inputs["version"]
            assert inputs["createNamespace"] is False
            assert inputs["skipAwait"] is False
        assert releases["istio-ingress/ingress"]["values"]["service"] == {"type": "None"}
        assert releases["istio-ingress/ingress"]["values"]["labels"]["perimeter.dev/trust-domain"] == "shop.example"
        mesh = releases["istio-system/istiod-main"]["values"]["meshConfig"]
        assert mesh["trustDomain"] == "shop.example"
        assert mesh["outboundTrafficPolicy"] == {"mode": "REGISTRY_ONLY"}
        assert mesh["pathNormalization"] == {"normalization": "DECODE_AND_MERGE_SLASHES"}

    return after(platform, meshes, check)


@pulumi.runtime.test
def test_values_of_a_stack_file_are_laid_over_ours() -> Any:
    recorder, platform, meshes, _ = build(values={"istiod": {"resources": {"requests": {"cpu": "2"}}}})

    def check(_: Any) -> None:
        values = recorder.of("kubernetes:helm.sh/v3:Release")["istio-system/istiod-main"].inputs["values"]
        assert values["resources"]["requests"] == {"cpu": "2", "memory": "256Mi"}
        assert values["revision"] == "main"

    return after(platform, meshes, check)


@pulumi.runtime.test
def test_the_mesh_hands_over_where_its_door_is() -> Any:
    _, platform, meshes, _ = build()

    def check(_: Any) -> None:
        door = meshes.ingress["main"]
        assert (door.namespace, door.service, door.port, door.pod_port) == ("istio-ingress", "ingress", 443, 8443)
        assert door.pod_labels == {"app": "ingress", "istio": "ingress"}
        assert (door.server_name, door.server_secret) == ("api.shop.example", names.INGRESS_SERVER_SECRET)

    return after(platform, meshes, check)


@pulumi.runtime.test
def test_every_workload_has_an_identity_a_fence_a_policy_and_a_scope() -> Any:
    recorder, platform, meshes, _ = build()

    def check(_: Any) -> None:
        for workload in ("shop/a", "shop/b", "shop/both"):
            for kind in (
                "kubernetes:core/v1:ServiceAccount",
                "kubernetes:core/v1:Service",
                "kubernetes:networking.k8s.io/v1:NetworkPolicy",
                "kubernetes:security.istio.io/v1:AuthorizationPolicy",
                "kubernetes:networking.istio.io/v1:Sidecar",
                "kubernetes:networking.istio.io/v1:DestinationRule",
            ):
                assert workload in recorder.of(kind), (workload, kind)
        assert set(recorder.of("perimeter:workload:Workload")) == {"a", "b", "both"}

    return after(platform, meshes, check)


@pulumi.runtime.test
def test_a_key_is_made_for_each_consumer_and_is_secret() -> Any:
    recorder, platform, meshes, _ = build(rotation="7")
    secret = pulumi.Output.from_input(platform.api_keys["bob"].is_secret())

    def check(values: list[Any]) -> None:
        assert recorder.of("pulumi-python:dynamic/perimeter:ApiKey")["api-key-bob"].inputs["rotation"] == "7"
        assert values[1:] == ["a-key", True]

    return pulumi.Output.all(meshes.guards["main"].urn, platform.api_keys["bob"], secret).apply(check)


@pulumi.runtime.test
def test_shared_counters_are_there_when_a_limit_asks_for_them_and_let_only_the_gateway_in() -> Any:
    recorder, platform, meshes, _ = build()

    def check(_: Any) -> None:
        assert platform.counters is not None
        policies = recorder.of("kubernetes:networking.k8s.io/v1:NetworkPolicy")
        (rule,) = policies["ratelimit/redis"].inputs["spec"]["ingress"]
        assert rule["from"][0]["namespaceSelector"] == {"matchLabels": {names.NAMESPACE_NAME_LABEL: "envoy-gateway-system"}}
        assert "main-ratelimit/ratelimit" in policies

    return after(platform, meshes, check)


@pulumi.runtime.test
def test_kong_needs_the_definitions_of_the_gateway_api_and_envoy_gateway_brings_them() -> Any:
    _, with_envoy, meshes, _ = build()
    recorder, with_kong, kong_meshes, _ = build(gateway="kong")

    def check(_: Any) -> None:
        assert with_envoy.gateway_api == ()
        assert "httproutes.gateway.networking.k8s.io" in recorder.of("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition")
        assert len(with_kong.gateway_api) == 5

    del meshes
    return after(with_kong, kong_meshes, check)


@pulumi.runtime.test
def test_cert_manager_gives_no_rights_to_whoever_may_edit_a_namespace() -> Any:
    recorder, platform, meshes, _ = build()

    def check(_: Any) -> None:
        values = recorder.of("kubernetes:helm.sh/v3:Release")["cert-manager/cert-manager"].inputs["values"]
        assert values["global"]["rbac"] == {"aggregateClusterRoles": False}

    return after(platform, meshes, check)
