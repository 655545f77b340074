"""Security groups: one table of flows, closed by default."""

import pytest

from components.azure.addresses import Subnet, plan
from components.azure.flows import ANY, INTERNET, LAST, PUBLIC_ADDRESS, Flow, Rule, flows, flows_through_gateway, flows_to_pods, rules

PODS = "10.244.0.0/16"
ADDRESSES = plan("10.60.0.0/16", ["main"])
FLOWS = [*flows_through_gateway([443]), *flows(PODS, [443, 8443])]
TO_PODS = [*flows_to_pods(), *flows(PODS, [443, 8443])]
BOTH = [*flows_through_gateway([443]), *TO_PODS]
"""Of a stack whose alternative is pods."""


def of(subnet: Subnet, *, inbound: bool) -> list[Rule]:
    return [rule for rule in rules(subnet, FLOWS, ADDRESSES, PODS) if rule.inbound is inbound]


@pytest.mark.parametrize(("subnet", "inbound"), [(s, i) for s in Subnet for i in (True, False) if i or s is not Subnet.EDGE])
def test_priorities_and_names_are_unique_and_the_last_rule_refuses(subnet: Subnet, inbound: bool) -> None:
    found = of(subnet, inbound=inbound)
    priorities = [rule.priority for rule in found]
    assert priorities == sorted(set(priorities))
    assert 100 <= priorities[0] <= priorities[-1] == LAST
    assert len({rule.name for rule in found}) == len(found)
    assert [rule.allow for rule in found] == [*[True] * (len(found) - 1), False]
    assert (found[-1].sources, found[-1].targets) == ((ANY,), (ANY,))


def test_the_edge_has_the_rules_that_its_product_asks_for_and_no_way_out_is_refused() -> None:
    """Learn, `configuration-infrastructure`."""
    wide = [(rule.sources, rule.ports) for rule in of(Subnet.EDGE, inbound=True) if rule.allow and rule.targets == (ANY,)]
    assert wide == [(("GatewayManager",), ("65200-65535",)), (("AzureLoadBalancer",), (ANY,))]
    assert all(rule.allow for rule in of(Subnet.EDGE, inbound=False))


@pytest.mark.parametrize("subnet", [subnet for subnet in Subnet if subnet is not Subnet.EDGE])
def test_no_other_subnet_lets_the_edge_in_but_the_gateways(subnet: Subnet) -> None:
    edge = ADDRESSES.of(Subnet.EDGE)
    let_in = [rule.ports for rule in of(subnet, inbound=True) if rule.allow and {edge, ANY, "VirtualNetwork"} & set(rule.sources)]
    assert let_in == ([("443",)] if subnet in {Subnet.GATEWAY, Subnet.ENDPOINTS} else [])


def test_the_internet_reaches_the_edge_on_443_and_nothing_else() -> None:
    open_ = [(subnet, rule.ports) for subnet in Subnet for rule in of(subnet, inbound=True) if rule.allow and INTERNET in rule.sources]
    assert open_ == [(Subnet.EDGE, ("443",))]
    assert not any(ANY in rule.sources for subnet in Subnet for rule in of(subnet, inbound=True) if rule.allow)


@pytest.mark.parametrize(
    ("into", "source"),
    [(Subnet.GATEWAY, Subnet.EDGE), (Subnet.INGRESS, Subnet.GATEWAY)],
)
def test_each_layer_accepts_https_from_the_one_before_it_alone(into: Subnet, source: Subnet) -> None:
    ranges = {ADDRESSES.of(subnet) for subnet in Subnet}
    found = {s: rule.ports for rule in of(into, inbound=True) for s in rule.sources if s in ranges and s != ADDRESSES.of(into)}
    assert found == {ADDRESSES.of(source): ("443",)}


def test_nothing_in_the_network_but_the_gateway_reaches_an_ingress_at_the_nodes() -> None:
    ingress = ADDRESSES.of(Subnet.INGRESS)
    assert [rule.sources for rule in of(Subnet.NODES, inbound=True) if ingress in rule.targets] == [(ADDRESSES.of(Subnet.GATEWAY),)]


def test_a_flow_between_two_subnets_is_a_rule_at_both() -> None:
    for flow in FLOWS:
        if isinstance(flow.source, Subnet) and isinstance(flow.target, Subnet):
            ends = (ADDRESSES.of(flow.source),), (ADDRESSES.of(flow.target),), flow.ports
            assert any((rule.sources, rule.targets, rule.ports) == ends for rule in of(flow.source, inbound=False)), flow
            assert any((rule.sources, rule.targets, rule.ports) == ends for rule in of(flow.target, inbound=True)), flow


def test_api_management_has_every_flow_that_it_needs() -> None:
    """The table of `virtual-network-reference` (Learn), for the internal mode: required rows."""
    into = {(s, port) for rule in of(Subnet.GATEWAY, inbound=True) for s in rule.sources for port in rule.ports}
    out = {(t, port) for rule in of(Subnet.GATEWAY, inbound=False) for t in rule.targets for port in rule.ports}
    assert {("ApiManagement", "3443"), ("AzureLoadBalancer", "6390")} <= into
    assert {("Storage", "443"), ("Sql", "1433"), ("AzureKeyVault", "443"), ("AzureMonitor", "443"), ("AzureMonitor", "1886")} <= out
    assert ("Internet", "80") in out


def test_keys_of_issuers_and_hosts_of_the_egress_gateway_can_be_reached_on_their_ports() -> None:
    def outside(subnet: Subnet) -> set[str]:
        return {port for rule in of(subnet, inbound=False) if INTERNET in rule.targets for port in rule.ports}

    assert {"443"} <= outside(Subnet.GATEWAY)
    assert {"443", "8443"} <= outside(Subnet.NODES)


def test_without_issuers_the_gateway_has_no_way_out_to_them() -> None:
    assert not [flow for flow in flows_through_gateway([]) if flow.source is Subnet.GATEWAY and flow.name == "issuers"]


def let_in(every: list[Flow]) -> list[tuple[Subnet, tuple[str, ...], tuple[str, ...]]]:
    """Return where the internet is let in, to which addresses and ports."""
    return [
        (subnet, rule.targets, rule.ports)
        for subnet in Subnet
        for rule in rules(subnet, every, ADDRESSES, PODS)
        if rule.inbound and rule.allow and INTERNET in rule.sources
    ]


def test_where_the_edge_is_pods_the_internet_reaches_its_public_address_on_443_and_nothing_else() -> None:
    assert let_in(TO_PODS) == [(Subnet.NODES, (PUBLIC_ADDRESS,), ("443",))]


def test_where_pods_stand_beside_the_gateway_outside_the_internet_reaches_both_edges_and_nothing_else() -> None:
    assert let_in(BOTH) == [(Subnet.EDGE, (ADDRESSES.of(Subnet.EDGE),), ("443",)), (Subnet.NODES, (PUBLIC_ADDRESS,), ("443",))]


OPERATORS = ("10.20.0.0/24", "192.168.7.0/28")


@pytest.mark.parametrize(
    ("without", "given"),
    [(each, [*each, *flows(PODS, [], OPERATORS)[len(flows(PODS, [])) :]]) for each in (FLOWS, TO_PODS, BOTH)],
)
def test_operators_in_a_connected_network_reach_the_kubernetes_api_on_443_and_nothing_else(without: list[Flow], given: list[Flow]) -> None:
    for subnet in Subnet:
        before, after = (rules(subnet, each, ADDRESSES, PODS) for each in (without, given))
        added = [(rule.sources, rule.targets, rule.ports, rule.inbound) for rule in after if rule not in before]
        expected = [((each,), (ADDRESSES.of(subnet),), ("443",), True) for each in OPERATORS] if subnet is Subnet.API_SERVER else []
        assert added == expected
        assert [rule for rule in before if rule not in after] == []
