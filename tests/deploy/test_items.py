from collections import Counter

import pytest

from deploy.errors import DeployError
from deploy.items import Key, Sort, items_of
from deploy.order import Frontier
from planner.plan import Plan
from planner.wire import UNKNOWN
from tests import systems

STACK = "urn:pulumi:dev::shop"
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}}


def resource(name: str, type_: str = "kubernetes:core/v1:ConfigMap", **more: object) -> dict[str, object]:
    inputs = {**CONFIG_MAP, "metadata": {"name": name, "namespace": "shop"}}
    return {"urn": f"{STACK}::{type_}::{name}", "type": type_, "custom": type_.startswith("kubernetes:"), "inputs": inputs, **more}


@pytest.mark.parametrize("system", systems.SYSTEMS)
def test_every_planned_object_of_every_system_can_be_deployed_in_the_plans_own_order(system: str):
    plan = systems.plan(system)
    items = items_of(plan)
    expected = Counter(str(each["type"]).startswith(("kubernetes:", "pulumi-python:")) for each in plan.resources)
    assert len(items) == expected[True]
    frontier, taken = Frontier({urn: item.after for urn, item in items.items()}), set[str]()
    while ready := list(frontier.take()):
        for urn in ready:
            assert items[urn].after <= taken
            taken.add(urn)
            frontier.done(urn)
    assert taken == items.keys()


def test_waiting_for_a_component_is_waiting_for_everything_in_it():
    component = resource("parent", "shop:a:Component", inputs={})
    child = resource("child", parent=component["urn"])
    after = resource("after", dependencies=[component["urn"]])
    items = items_of(Plan((component, child, after)))
    assert items[str(after["urn"])].after == {child["urn"]}


def test_a_release_is_found_by_its_own_namespace_and_name():
    release = resource("x", "kubernetes:helm.sh/v3:Release", inputs={"name": "istiod", "namespace": "istio-system", "chart": "istiod"})
    [item] = items_of(Plan((release,))).values()
    assert (item.sort, item.key) == (Sort.RELEASE, Key("helm.sh", "Release", "istio-system", "istiod"))
    assert str(item) == "Release istio-system/istiod"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (resource("a", inputs={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}), "has no name of its own"),
        (resource("a", inputs={"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": UNKNOWN}}), "not known yet"),
        (resource("a", "kubernetes:yaml/v2:ConfigFile"), "stands for several objects"),
        (resource("a", "kubernetes:core/v1:NamespacePatch"), "a part of one"),
        (resource("a", external=True), "is read, not made"),
        (resource("a", "azure-native:network:VirtualNetwork", custom=True), "made by a plugin"),
    ],
)
def test_what_only_the_engine_can_deploy_is_refused_with_the_way_out(broken: dict[str, object], said: str):
    with pytest.raises(DeployError, match=said) as caught:
        items_of(Plan((broken,)))
    assert "--with pulumi" in str(caught.value)
    assert str(broken["urn"]) in str(caught.value)


def test_everything_that_cannot_be_deployed_is_said_at_once():
    with pytest.raises(DeployError) as caught:
        items_of(Plan((resource("a", external=True), resource("b", "kubernetes:yaml/v2:ConfigFile"))))
    assert len(caught.value.findings) == 2
