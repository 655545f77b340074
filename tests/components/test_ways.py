"""The ways into a system: which hosts the stack's own edge and gateway serve, and which its alternative."""

from typing import Any

import pytest

from components.binding import Binding, EdgeKind, GatewayKind
from components.ways import Way, inside, outside, uncarried, ways
from tests.components.azure.systems import CARRIED
from tests.components.edge.systems import system
from tests.systems import bound, topology
from topology.findings import Finding
from topology.model.system import Topology

DEV: Binding = bound("azure-dev")
ALONE: Binding = DEV.model_copy(update={"alternative": None})
SERVICES: dict[str, Any] = {"app": {"data": "public"}, "feed": {"protocol": "grpc", "port": 9090}}
PLAIN: dict[str, Any] = {"paths": ["/plain"]}
FEED: dict[str, Any] = {"service": "feed", "methods": ["POST"], "paths": ["/feed.v1.Feed/Get"]}


def served(way: Way) -> tuple[str, tuple[str, ...], set[str]]:
    return way.binding.gateway, way.t.public_hosts(), set(way.t.doors)


def said(found: list[Finding]) -> list[str]:
    return [str(finding) for finding in found]


@pytest.mark.parametrize("name", CARRIED)
def test_a_stack_whose_own_gateway_carries_all_has_one_way_and_nothing_of_the_alternative(name: str) -> None:
    (way,) = ways(DEV, topology(name))
    assert way.t is topology(name)
    assert (way.binding.edge, way.binding.gateway) == (EdgeKind.APPLICATION_GATEWAY, GatewayKind.API_MANAGEMENT)
    assert inside(DEV, topology(name)) is None


def test_a_host_with_a_door_that_cannot_be_carried_goes_the_other_way_with_all_of_its_doors() -> None:
    own, other = ways(DEV, topology("brokerage"))
    assert served(own)[:2] == ("api-management", ("api.brokerage.example", "partners.brokerage.example"))
    assert served(other) == ("envoy-gateway", ("stream.brokerage.example",), {"quote-stream", "market-data"})
    assert own.t.doors.keys() | other.t.doors.keys() == topology("brokerage").doors.keys()
    assert uncarried(DEV, topology("brokerage")) == []


def test_each_way_knows_only_the_tiers_clients_and_issuers_of_its_doors() -> None:
    own, other = ways(DEV, topology("brokerage"))
    assert set(other.t.tiers) == {"retail", "institutional"}
    assert (dict(other.t.consumers), set(other.t.issuers)) == ({}, {"clients"})
    assert set(own.t.consumers) == set(topology("brokerage").consumers)
    assert own.t.services == other.t.services == topology("brokerage").services


def test_without_an_alternative_the_door_is_refused_with_what_would_carry_it() -> None:
    found = said(uncarried(ALONE, topology("brokerage")))
    assert len(found) == 3
    assert all("set `perimeter:alternative: {edge: load-balancer, gateway: envoy-gateway}` in the stack file" in each for each in found)


def test_a_system_whose_every_host_goes_the_other_way_has_that_way_alone() -> None:
    t = system({"plain": PLAIN, "feed": FEED}, services=SERVICES)
    (way,) = ways(DEV, t)
    assert served(way) == ("envoy-gateway", t.public_hosts(), {"plain", "feed"})
    assert outside(DEV, t) is None


def test_the_first_host_stays_the_first_of_the_way_that_serves_it() -> None:
    own, other = ways(DEV, two_hosts({"plain": PLAIN, "feed": {**FEED, "host": "a.example"}}))
    assert (own.t.hosts[0], other.t.hosts) == (two_hosts({}).hosts[0], ("a.example",))
    own, other = ways(DEV, two_hosts({"plain": {**PLAIN, "host": "a.example"}, "feed": FEED}))
    assert (own.t.hosts, other.t.hosts[0]) == (("a.example",), two_hosts({}).hosts[0])


def test_a_host_stays_where_only_a_host_that_goes_is_in_its_way() -> None:
    doors = {"feed": {**FEED, "host": "a.example"}, "there": {**PLAIN, "host": "a.example"}, "here": PLAIN}
    own, other = ways(DEV, two_hosts(doors))
    assert (served(own)[2], served(other)[2]) == ({"here"}, {"feed", "there"})


@pytest.mark.parametrize("first", ["here", "there"])
def test_of_two_hosts_in_each_others_way_the_first_stays_in_whatever_order_their_doors_are(first: str) -> None:
    both = {"here": PLAIN, "there": {**PLAIN, "host": "a.example"}}
    own, other = ways(DEV, two_hosts(dict(sorted(both.items(), key=lambda each: each[0] != first))))
    assert (served(own)[2], served(other)[2]) == ({"here"}, {"there"})


def test_what_else_would_carry_it_is_said_of_the_alternative_where_it_is_the_one_that_cannot() -> None:
    kept = {**PLAIN, "host": "a.example", "auth": {"jwt": "login"}, "cache": {"ttl": "1m"}}
    (found,) = said(uncarried(DEV, two_hosts({"plain": PLAIN, "feed": {**FEED, "host": "a.example"}, "kept": kept})))
    assert "a cache behind a credential, which envoy-gateway cannot carry" in found
    assert "`perimeter:alternative.gateway: kong` carries this, but not an issuer's key set" in found


def test_an_alternative_is_measured_by_the_hosts_that_it_would_serve() -> None:
    kept = {**PLAIN, "auth": {"jwt": "login"}, "cache": {"ttl": "1m"}}
    (found,) = said(uncarried(ALONE, two_hosts({"kept": kept, "feed": {**FEED, "host": "a.example"}})))
    assert "set `perimeter:alternative: {edge: load-balancer, gateway: envoy-gateway}` in the stack file" in found


def test_what_the_alternative_cannot_carry_either_is_refused() -> None:
    slow = {**FEED, "host": "a.example", "timeout": "3h"}
    assert any(
        "longer than the load balancer of Azure keeps" in each for each in said(uncarried(DEV, two_hosts({"plain": PLAIN, "feed": slow})))
    )


def two_hosts(doors: dict[str, dict[str, Any]], **more: Any) -> Topology:
    return system(doors, services=SERVICES, **more)


def test_a_private_host_of_no_egress_is_said() -> None:
    placed = bound("local").model_copy(update={"private_hosts": {"card-netwrok": ("10.30.5.0/24",)}})
    (finding,) = said(uncarried(placed, topology("payments")))
    assert finding == (
        'egress: "card-netwrok" is no egress, and the stack file says where its host is (`perimeter:privateHosts`)'
        ' (did you mean "card-network"?)'
    )
