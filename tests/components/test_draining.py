"""What each layer on the way is granted to end what it has begun, once it was told to stop."""

import json
from typing import Any

import pytest

from components.binding import Binding
from components.edge.nginx.objects import workload as edge
from components.gateway.envoy import proxy
from components.mesh import values
from tests.topology.derive.documents import IMAGES, relations
from topology.derive import composition, names, workloads
from topology.derive.manifest import manifest
from topology.derive.relations import Relations

SLEEPS = {"preStop": {"sleep": {"seconds": 10}}}
BINDING = Binding(topology="-")


def system(timeout: str = "15s", protocol: str = "http", door: str = "15s") -> Relations:
    return relations(f"""
services: {{a: {{protocol: {protocol}, resilience: {{timeout: {timeout}}}}}, b: {{}}}}
compositions: {{page: {{parts: {{a: {{service: a, path: /}}, b: {{service: b, path: /}}}}}}}}
doors: {{a: {{methods: [GET], paths: [/a], service: a, auth: {{public: nobody is asked}}, timeout: {door}}}}}
""")


def pods(r: Relations) -> dict[str, dict[str, Any]]:
    config = manifest("v1", "ConfigMap", "edge", "edge", data={})
    made = [*edge(r.t, config, "image", 1), *workloads.workload(r, "a", IMAGES), *composition.workload(r, "page", IMAGES)]
    return {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in made if each["kind"] == "Deployment"}


@pytest.mark.parametrize("name", ["edge", "a-v1", "page-v1"])
def test_a_container_is_told_to_stop_when_nobody_asks_it_any_more(name: str) -> None:
    pod = pods(system())[name]
    assert [container["lifecycle"] for container in pod["containers"]] == [SLEEPS]
    assert pod["terminationGracePeriodSeconds"] == 40


def test_whoever_may_take_longer_is_granted_longer() -> None:
    granted = {name: pod["terminationGracePeriodSeconds"] for name, pod in pods(system(timeout="2m", door="90s")).items()}
    assert granted == {"edge": 130, "a-v1": 130, "page-v1": 40}


@pytest.mark.parametrize(
    ("timeout", "door", "drain"), [("15s", "15s", "25s"), ("2m", "90s", "130s"), ("15s", "90s", "100s"), ("15s", "1h", "310s")]
)
def test_a_proxy_goes_on_for_as_long_as_a_request_may_last_and_is_killed_later(timeout: str, door: str, drain: str) -> None:
    t = system(timeout=timeout, door=door).t
    assert proxy.envoy_proxy(BINDING, t)["spec"]["shutdown"] == {"drainTimeout": drain, "minDrainDuration": "10s"}
    chosen = values.gateway(BINDING, t, next(iter(t.meshes)), names.INGRESS)
    assert json.loads(chosen["podAnnotations"]["proxy.istio.io/config"])["terminationDrainDuration"] == drain
    assert chosen["terminationGracePeriodSeconds"] > int(drain.removesuffix("s"))


def test_nobody_waits_for_the_end_of_a_stream() -> None:
    t = system(timeout="1h", protocol="websocket", door="1h").t
    assert proxy.envoy_proxy(BINDING, t)["spec"]["shutdown"]["drainTimeout"] == "25s"
