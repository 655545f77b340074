from typing import Any

import pytest

from policies.reading.network import Decision
from policies.reading.pods import Pod
from policies.reading.stack import Stack
from tests.policies.building import stack_of

Manifest = dict[str, Any]


def pod(name: str, namespace: str = "x", **spec: Any) -> Manifest:
    labels = {"app": name}
    ports = [{"name": "http", "containerPort": 8080}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"containers": [{"name": name, "ports": ports}], **spec},
    }


def policy(name: str, selects: Manifest, namespace: str = "x", **spec: Any) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": selects, **spec},
    }


def namespace(name: str, **labels: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def find(stack: Stack, name: str) -> Pod:
    return next(each for each in stack.pods if each.name == name)


def decide(items: list[Manifest], source: str = "a", target: str = "b", port: int = 8080) -> Decision:
    stack = stack_of([pod("a"), pod("b"), *items])
    return stack.network.flow(find(stack, source) if source else None, find(stack, target) if target else None, port)


DENY = policy("deny", {}, policyTypes=["Ingress", "Egress"])
TO_B = policy("a", {"matchLabels": {"app": "a"}}, policyTypes=["Egress"], egress=[{"to": [{"podSelector": {"matchLabels": {"app": "b"}}}]}])
FROM_A = {"from": [{"podSelector": {"matchLabels": {"app": "a"}}}]}


def test_pods_without_policies_reach_each_other() -> None:
    assert decide([]).allowed


def test_a_connection_needs_both_sides() -> None:
    from_a = policy("b", {"matchLabels": {"app": "b"}}, ingress=[FROM_A])
    assert not decide([DENY]).allowed
    assert not decide([DENY, TO_B]).allowed
    assert not decide([DENY, from_a]).allowed
    assert decide([DENY, TO_B, from_a]).allowed


def test_a_refusal_names_policy_direction_and_port() -> None:
    decision = decide([DENY, TO_B])
    assert decision.by == ("NetworkPolicy x/deny: no ingress from pods of Pod x/a on port 8080",)


@pytest.mark.parametrize(
    ("ports", "allowed"),
    [
        ([{"port": 8080}], True),
        ([{"port": "http"}], True),
        ([{"port": "other"}], False),
        ([{"port": 8000, "endPort": 8100}], True),
        ([{"port": 8081, "endPort": 8100}], False),
        ([{"port": 8080, "protocol": "UDP"}], False),
        ([{"protocol": "TCP"}], True),
        ([], True),
    ],
)
def test_ports_are_told_by_number_name_range_and_protocol(ports: list[Manifest], allowed: bool) -> None:
    assert decide([policy("b", {"matchLabels": {"app": "b"}}, ingress=[{**FROM_A, "ports": ports}])]).allowed is allowed


def test_a_policy_with_egress_rules_only_restricts_ingress_too_unless_it_says_otherwise() -> None:
    assert not decide([policy("b", {"matchLabels": {"app": "b"}}, egress=[{}])]).allowed
    assert decide([policy("b", {"matchLabels": {"app": "b"}}, egress=[{}], policyTypes=["Egress"])]).allowed


def test_an_empty_peer_list_is_everybody_and_an_empty_rule_list_is_nobody() -> None:
    assert decide([policy("b", {"matchLabels": {"app": "b"}}, ingress=[{"from": []}])]).allowed
    assert not decide([policy("b", {"matchLabels": {"app": "b"}}, ingress=[])]).allowed


def test_a_selector_of_namespaces_goes_by_their_labels_and_by_their_names() -> None:
    def allowed(peer: Manifest) -> bool:
        stack = stack_of([pod("a", "y"), pod("b"), namespace("y", team="one"), policy("b", {}, ingress=[{"from": [peer]}])])
        return stack.network.flow(find(stack, "a"), find(stack, "b"), 8080).allowed

    assert allowed({"namespaceSelector": {"matchLabels": {"team": "one"}}})
    assert allowed({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "y"}}})
    assert allowed({"namespaceSelector": {}})
    assert not allowed({"podSelector": {"matchLabels": {"app": "a"}}})
    assert not allowed({"namespaceSelector": {"matchLabels": {"team": "one"}}, "podSelector": {"matchLabels": {"app": "z"}}})
    assert not allowed({"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["one"]}]}})


def test_policies_add_up() -> None:
    one = policy("one", {"matchLabels": {"app": "b"}}, ingress=[])
    two = policy("two", {"matchLabels": {"app": "b"}}, ingress=[FROM_A])
    assert decide([one, two]).allowed


@pytest.mark.parametrize(
    ("block", "pods", "outside"),
    [
        ({"cidr": "0.0.0.0/0"}, True, True),
        ({"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]}, False, True),
        ({"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}, True, True),
        ({"cidr": "10.1.0.0/16"}, True, False),
        ({"cidr": "203.0.113.0/24"}, False, True),
    ],
)
def test_an_address_block_may_hold_pods_and_outside_addresses(block: Manifest, pods: bool, outside: bool) -> None:
    ingress = policy("b", {"matchLabels": {"app": "b"}}, ingress=[{"from": [{"ipBlock": block}]}])
    assert decide([ingress]).allowed is pods
    assert decide([ingress], source="").allowed is outside


def test_nothing_holds_a_pod_on_the_node_network_back() -> None:
    stack = stack_of([pod("a"), pod("b", hostNetwork=True), DENY, TO_B])
    assert stack.network.is_open(find(stack, "b"), "Ingress")
    assert stack.network.flow(find(stack, "a"), find(stack, "b"), 9999).allowed


def test_senders_are_the_named_pods_or_everybody() -> None:
    stack = stack_of([pod("a"), pod("b"), pod("c"), policy("b", {"matchLabels": {"app": "b"}}, ingress=[FROM_A])])
    assert stack.network.senders(find(stack, "b"), 8080) == (False, frozenset({find(stack, "a")}))
    assert stack.network.senders(find(stack, "c"), 8080) == (True, frozenset())


def test_a_policy_that_cannot_be_read_is_noted() -> None:
    stack = stack_of([pod("a"), pod("b"), policy("b", {"matchLabels": "<unknown>"})])
    assert stack.network.is_open(find(stack, "b"), "Ingress")
    assert [str(resource) for resource, _ in stack.unreadable] == ["NetworkPolicy x/b"]
