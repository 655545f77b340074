"""Kong as it stands in a plan: what comes before what, and what a plan never shows."""

from functools import cache
from typing import Any

import pytest

from planner import wire
from planner.plan import Plan
from planner.program import plan_program
from tests.components.gateway.kong.given import MARKET_FILE
from tests.systems import ROOT
from topology.derive import names

GATEWAY = "perimeter:gateway:KongGateway"


@cache
def plan() -> Plan:
    return plan_program(ROOT, "local-kong", {"perimeter:topology": str(MARKET_FILE)})


def ours() -> dict[str, dict[str, Any]]:
    return {resource["urn"]: resource for resource in plan().resources if GATEWAY in resource["type"] or GATEWAY in resource["urn"]}


def named(kind: str, name: str) -> dict[str, Any]:
    [found] = [resource for urn, resource in ours().items() if resource["type"].endswith(f":{kind}") and urn.endswith(f"::{name}")]
    return found


def before(resource: dict[str, Any]) -> set[str]:
    """Return what a resource waits for, directly or not."""
    every = {each["urn"]: each for each in plan().resources}
    found: set[str] = set()
    waiting = list(resource.get("dependencies", ()))
    while waiting:
        urn = waiting.pop()
        if urn not in found:
            found.add(urn)
            waiting += every[urn].get("dependencies", ())
    return found


ROUTES = [("HTTPRoute", "basket"), ("HTTPRoute", "stock"), ("HTTPRoute", "window"), ("HTTPRoute", "ticker"), ("GRPCRoute", "quotes")]


@pytest.mark.parametrize(("kind", "door"), ROUTES)
def test_a_route_waits_for_every_plugin_that_it_names(kind: str, door: str) -> None:
    route = named(kind, f"gateway/{door}")
    listed = route["inputs"]["metadata"]["annotations"]["konghq.com/plugins"].split(",")
    plugins = {named("KongPlugin", f"gateway/{plugin}")["urn"] for plugin in listed}
    assert plugins <= set(route["dependencies"])


@pytest.mark.parametrize(("kind", "door"), ROUTES)
def test_a_route_waits_for_the_gateway_and_for_the_service_that_it_sends_to(kind: str, door: str) -> None:
    route = named(kind, f"gateway/{door}")
    backend = route["inputs"]["spec"]["rules"][0]["backendRefs"][0]
    wanted = {
        named("Gateway", "gateway/gateway")["urn"],
        named("Service", f"{backend['namespace']}/{backend['name']}")["urn"],
        named("ReferenceGrant", f"{backend['namespace']}/gateway")["urn"],
    }
    assert wanted <= set(route["dependencies"])


@pytest.mark.parametrize("consumer", ["acme", "globex"])
def test_a_consumer_waits_for_its_limit_and_its_credentials(consumer: str) -> None:
    inputs = named("KongConsumer", f"gateway/{consumer}")["inputs"]
    limit = named("KongPlugin", f"gateway/{inputs['metadata']['annotations']['konghq.com/plugins']}")
    held = {named("Secret", f"gateway/{name}")["urn"] for name in inputs["credentials"]}
    assert {limit["urn"], *held} <= set(named("KongConsumer", f"gateway/{consumer}")["dependencies"])


def test_kong_starts_after_its_fence_its_certificates_the_counters_and_the_kinds_it_reads() -> None:
    waited = " ".join(before(named("Release", "gateway/kong")))
    assert named("NetworkPolicy", "gateway/gateway")["urn"] in waited
    redis = f"::{names.COUNTERS_NAMESPACE}/{names.REDIS}"
    for part in ("::perimeter-boundary", redis, "::httproutes.gateway.networking.k8s.io", "::goods-ingress/ingress"):
        assert part in waited


def test_the_service_does_not_wait_for_kong_which_needs_it_to_know_its_ports() -> None:
    assert named("Release", "gateway/kong")["urn"] not in before(named("Service", "gateway/gateway"))


def test_nothing_waits_for_a_whole_component() -> None:
    components = {resource["urn"] for resource in plan().resources if not resource["custom"]}
    assert all(components.isdisjoint(resource.get("dependencies", ())) for resource in ours().values())


def test_an_api_key_is_in_no_plan() -> None:
    secret = {wire.SIGNATURE: wire.SECRET, "plaintext": f'"{wire.UNKNOWN}"'}
    assert named("Secret", "gateway/api-key-acme")["inputs"]["stringData"] == {"key": secret}


def test_the_component_says_which_product_it_is() -> None:
    [component] = [resource for resource in plan().resources if resource["type"] == GATEWAY]
    assert component["inputs"] == {"product": "kong", "hosts": ["api.market.example"]}
    assert component["outputs"] == {"service": "gateway/gateway"}
