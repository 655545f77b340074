"""Security groups: one table of flows, from which every rule follows."""

from components.aws.flows import ANYWHERE, Flow, Group, Rule, clients, cluster, edge_to_gateway, private_hosts, private_operators, rules
from tests.systems import topology

FLOWS = [clients(), edge_to_gateway(8443), *cluster([443, 8080])]
RULES = list(rules(FLOWS))


def into(group: Group) -> list[Rule]:
    return [rule for rule in RULES if rule.group is group and rule.inbound]


def out_of(group: Group) -> list[Rule]:
    return [rule for rule in RULES if rule.group is group and not rule.inbound]


def test_everybody_reaches_the_edge_on_443_and_nothing_else() -> None:
    assert [(rule.group, rule.flow.port) for rule in RULES if rule.inbound and rule.peer == ANYWHERE] == [(Group.EDGE, 443)]
    assert [(rule.peer, rule.flow.port, rule.flow.last_port) for rule in into(Group.EDGE)] == [(ANYWHERE, 443, None)]


def test_the_edge_calls_the_gateway_and_nobody_else() -> None:
    assert [(rule.peer, rule.flow.port) for rule in out_of(Group.EDGE)] == [(Group.NODES, 8443)]


def test_a_flow_between_groups_is_a_rule_at_both_of_its_ends() -> None:
    found = list(rules([Flow(name="api", source=Group.NODES, target=Group.API, port=443, why="")]))
    assert [(rule.name, rule.group, rule.inbound, rule.peer) for rule in found] == [
        ("in-api-api", Group.API, True, Group.NODES),
        ("out-nodes-api", Group.NODES, False, Group.API),
    ]


def test_nodes_accept_the_edge_each_other_and_the_api_alone() -> None:
    assert {rule.peer for rule in into(Group.NODES)} == {Group.EDGE, Group.NODES, Group.API}


def test_endpoints_and_api_accept_nodes_alone_and_endpoints_call_nobody() -> None:
    assert {rule.peer for rule in [*into(Group.ENDPOINTS), *into(Group.API)]} == {Group.NODES}
    assert out_of(Group.ENDPOINTS) == []
    assert {rule.peer for rule in out_of(Group.API)} == {Group.NODES}


def test_private_operators_reach_the_api_on_443_and_nothing_else() -> None:
    found = list(rules(private_operators(["10.8.0.0/24", "192.168.7.9/32"])))
    assert [(rule.name, rule.group, rule.inbound, rule.peer, rule.flow.port, rule.flow.last_port) for rule in found] == [
        ("in-api-operators-1", Group.API, True, "10.8.0.0/24", 443, None),
        ("in-api-operators-2", Group.API, True, "192.168.7.9/32", 443, None),
    ]


def test_nodes_reach_outside_on_the_ports_that_the_system_needs() -> None:
    assert sorted(rule.flow.port for rule in out_of(Group.NODES) if rule.peer == ANYWHERE) == [443, 8080]


def test_names_of_rules_are_unique_and_every_rule_says_why() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.flow.why for rule in RULES)


def test_two_private_hosts_of_one_range_and_port_share_a_rule() -> None:
    egress = topology("payments").egress["ledger"]
    t = topology("payments").model_copy(update={"egress": {"ledger": egress, "archive": egress}})
    found = list(private_hosts(t, {"ledger": ("10.99.5.0/24", "10.99.6.0/24"), "archive": ("10.99.5.0/24",)}))
    assert [(flow.target, flow.port) for flow in found] == [("10.99.5.0/24", 5432), ("10.99.6.0/24", 5432)]
    assert len({flow.name for flow in found}) == len(found)
