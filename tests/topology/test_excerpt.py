"""A part of a topology: some services, and what touches them."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings

from tests.topology.strategies import topologies
from topology.diagram import mermaid
from topology.edges import Direction, edges
from topology.excerpt import around
from topology.load import load
from topology.model.system import Topology

STACKS = Path(__file__).parents[2] / "stacks"
BROKERAGE = load(STACKS / "brokerage.topology.yaml")


def test_around_a_service_are_its_doors_callers_and_callees_and_no_call_between_those() -> None:
    part = around(BROKERAGE, {"orders"})
    assert set(part.doors) == {"orders", "legacy-orders"}
    assert set(part.services) == {"orders", *BROKERAGE.services["orders"].calls}
    assert {name for name, service in part.services.items() if service.calls} == {"orders"}
    assert (set(part.meshes), part.egress, part.bridges) == ({"trading"}, {}, {})


def test_a_bridge_brings_the_service_at_its_other_end_and_its_mesh() -> None:
    part = around(BROKERAGE, {"margin"})
    assert set(part.bridges) == {"margin-cash"}
    assert "account" in part.services
    assert set(part.meshes) == {"banking", "trading"}


def test_around_a_service_is_its_way_out_and_nobody_elses() -> None:
    payments = load(STACKS / "payments.topology.yaml")
    assert around(payments, {"payments"}).egress == {"card-network": payments.egress["card-network"]}
    assert around(payments, {"users"}).egress == {}
    assert set(around(payments, {"users"}).compositions) == {"dashboard"}


def test_a_picture_of_a_few_says_again_what_a_picture_of_many_leaves_out() -> None:
    assert '|"' not in mermaid(BROKERAGE).partition("==>")[0].partition("mesh_trading")[2]
    assert 'service_orders -->|"POST /v1/locates"| service_inventory' in mermaid(around(BROKERAGE, {"orders"}))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(topologies())
def test_a_part_has_every_call_of_its_services_and_the_whole_is_a_part(t: Topology) -> None:
    assert edges(around(t, {*t.services, *t.compositions})) == edges(t)
    one = next(iter(t.services))
    touching = {edge for edge in edges(t) if f"/sa/{one}" in {edge.source[-len(one) - 4 :], edge.target[-len(one) - 4 :]}}
    assert {edge for edge in edges(around(t, {one})) if edge.direction is not Direction.NORTH_SOUTH} == {
        edge for edge in touching if edge.direction is not Direction.NORTH_SOUTH
    }
