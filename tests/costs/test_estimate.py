"""Estimates of hand-made resources: what is summed, and what is said instead of being skipped."""

from decimal import Decimal
from typing import Any

import pytest

from costs.estimate import Estimate, estimate, layer_of

OWNER = "urn:pulumi:dev::perimeter::perimeter:cluster:Azure"


def resource(kind: str, name: str = "it", owner: str = OWNER, **inputs: Any) -> dict[str, Any]:
    return {"urn": f"{owner}${kind}::{name}", "type": kind, "inputs": inputs}


def pool(**more: Any) -> dict[str, Any]:
    given = {"agentPoolName": "user", "vmSize": "Standard_D4ds_v5", "enableAutoScaling": True, "minCount": 2, "maxCount": 4}
    return resource("azure-native:containerservice:AgentPool", **{**given, **more})


def total(found: Estimate) -> tuple[Decimal, Decimal]:
    return sum((line.least for line in found.lines), Decimal(0)), sum((line.most for line in found.lines), Decimal(0))


def test_nodes_cost_between_the_least_and_the_most_with_the_disk_that_aks_chooses() -> None:
    nodes, disks = estimate([pool()]).lines
    assert (nodes.count, nodes.least, nodes.most) == ("2 to 4", Decimal("0.272") * 730 * 2, Decimal("0.272") * 730 * 4)
    assert (disks.count, disks.least) == ("2 to 4", Decimal("21.68") * 2)


def test_a_size_without_a_price_is_a_gap_and_not_zero() -> None:
    found = estimate([pool(vmSize="Standard_M128s_v9")])
    assert [gap.reason for gap in found.gaps] == ["nodes of pool user: no price of vm/Standard_M128s_v9 in azure-native's table"]


def test_a_kind_that_nobody_has_sorted_is_a_gap() -> None:
    found = estimate([resource("azure-native:sql:ManagedInstance")])
    assert [gap.reason for gap in found.gaps] == ["azure-native:sql:ManagedInstance is neither priced nor known to be free"]


@pytest.mark.parametrize("given", [{"minCount": None}, {"minCount": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}, {"maxCount": True}])
def test_a_number_that_is_not_known_before_a_deployment_is_a_gap(given: dict[str, Any]) -> None:
    found = estimate([pool(**given)])
    assert (found.lines, len(found.gaps)) == ((), 1)
    assert "cannot be read before a deployment" in found.gaps[0].reason


def test_a_version_in_a_type_changes_nothing() -> None:
    kind = "azure-native:network/v20240501:PublicIPAddress"
    assert total(estimate([resource(kind, sku={"name": "Standard"})])) == (Decimal("3.65"), Decimal("3.65"))


def test_an_address_that_is_protected_by_itself_costs_more() -> None:
    given = resource("azure-native:network:PublicIPAddress", sku={"name": "Standard"}, ddosSettings={"protectionMode": "Enabled"})
    assert [line.least for line in estimate([given]).lines] == [Decimal("0.005") * 730, Decimal(199)]


def test_pieces_of_one_kind_are_added_up_within_their_layer_alone() -> None:
    kind, sku = "azure-native:network:PublicIPAddress", {"name": "Standard"}
    edge = "urn:pulumi:dev::perimeter::perimeter:edge:Edge"
    found = estimate([resource(kind, "a", sku=sku), resource(kind, "b", sku=sku), resource(kind, "c", edge, sku=sku)])
    assert [(line.layer, line.count, line.least) for line in found.lines] == [
        ("cluster", "2", Decimal("7.30")),
        ("edge", "1", Decimal("3.65")),
    ]


def test_the_capacity_units_of_the_least_instances_are_charged_always() -> None:
    scale = {"minCapacity": 3, "maxCapacity": 20}
    gateway = resource("azure-native:network:ApplicationGateway", sku={"name": "WAF_v2"}, autoscaleConfiguration=scale)
    _, units = estimate([gateway]).lines
    assert (units.count, units.least) == ("30 to 200", Decimal("0.0144") * 730 * 30)


def test_a_service_that_makes_a_load_balancer_is_charged_where_there_is_a_cloud() -> None:
    service = resource("kubernetes:core/v1:Service", "outer", spec={"type": "LoadBalancer", "ports": [{}] * 7})
    inside = resource("kubernetes:core/v1:Service", "inner", spec={"type": "ClusterIP", "ports": [{}]})
    group = resource("azure-native:resources:ResourceGroup", location="westeurope")
    assert estimate([service, inside]).lines == ()
    assert [(line.what, line.count) for line in estimate([service, inside, group]).lines] == [
        ("load balancer", "1"),
        ("its further rules", "2"),
    ]


def test_what_is_charged_by_use_is_named_once_and_not_counted() -> None:
    kind = "azure-native:operationalinsights:Workspace"
    found = estimate([resource(kind, "a", sku={"name": "PerGB2018"}), resource(kind, "b", sku={"name": "PerGB2018"})])
    assert (found.lines, found.by_use) == ((), ("logs and traces that Log Analytics takes (2.99/GiB)",))


def test_a_plan_without_a_cloud_costs_nothing_here() -> None:
    found = estimate([resource("kubernetes:core/v1:Pod", owner="urn:pulumi:local::perimeter::perimeter:system:System")])
    assert (found.lines, found.gaps, dict(found.tables)) == ((), (), {})


@pytest.mark.parametrize(
    ("types", "layer"),
    [
        ("perimeter:cluster:Azure$azure-native:network:NatGateway", "cluster"),
        ("perimeter:system:System$perimeter:gateway:ApiManagement$perimeter:gateway:Service$x:y:Z", "gateway"),
        ("perimeter:system:System$x:y:Z", "other"),
        ("x:y:Z", "other"),
    ],
)
def test_a_resource_is_of_the_layer_whose_component_owns_it(types: str, layer: str) -> None:
    assert layer_of(f"urn:pulumi:dev::perimeter::{types}::perimeter:edge:name") == layer
