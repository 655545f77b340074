"""Each sentence of the documentation of NetworkPolicy, as a table of who reaches whom."""

import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.enforcer.objects import Json
from tests.lab.enforcer import world
from tests.lab.enforcer.naive import Naive
from tests.lab.enforcer.world import ADDRESSES, API, DB, LEDGER, LOG, ODD, OUTSIDE, WEB, meaning, policy

FAR, FARTHER = OUTSIDE
WORDS = {"web": WEB, "db": DB, "api": API, "ledger": LEDGER, "log": LOG, "odd": ODD, "far": FAR, "farther": FARTHER}


def who_reaches(server: str, *policies: Json, protocol: str = "TCP", port: int = 80) -> set[str]:
    """The names of everyone else who may open a connection to a server."""
    found = meaning(*policies)
    return {name for name, address in WORDS.items() if address != server and found.admits(address, (server, protocol, port))}


def whom_reaches(client: str, *policies: Json, protocol: str = "TCP", port: int = 80) -> set[str]:
    found = meaning(*policies)
    return {name for name, address in WORDS.items() if address != client and found.admits(client, (address, protocol, port))}


EVERYONE = set(WORDS)
PEERS: list[tuple[str, list[Json], set[str]]] = [
    ("no peers mean everybody", [], EVERYONE - {"web"}),
    ("a pod selector means pods of the policy's own namespace", [{"podSelector": {"matchLabels": {"tier": "back"}}}], {"db"}),
    ("the empty pod selector means every pod of that namespace", [{"podSelector": {}}], {"db"}),
    (
        "a namespace selector means every pod of those namespaces",
        [{"namespaceSelector": {"matchLabels": {"team": "b"}}}],
        {"api", "ledger"},
    ),
    (
        "the empty namespace selector means every pod, but no other machine",
        [{"namespaceSelector": {}}],
        EVERYONE - {"web", "far", "farther"},
    ),
    (
        "both in one peer mean those pods in those namespaces",
        [{"namespaceSelector": {"matchLabels": {"team": "b"}}, "podSelector": {"matchLabels": {"app": "web"}}}],
        {"api"},
    ),
    (
        "both in two peers mean either",
        [{"namespaceSelector": {"matchLabels": {"team": "b"}}}, {"podSelector": {"matchLabels": {"app": "db"}}}],
        {"api", "ledger", "db"},
    ),
    ("a block means addresses", [{"ipBlock": {"cidr": "192.0.2.0/24"}}], {"far", "farther"}),
    ("less its exceptions", [{"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.128/25"]}}], {"far"}),
    ("a block means pods too where it covers their addresses", [{"ipBlock": {"cidr": "10.88.0.20/30"}}], {"api", "ledger"}),
    ("the block of all addresses means everybody", [{"ipBlock": {"cidr": "0.0.0.0/0"}}], EVERYONE - {"web"}),
    ("a block of IPv6 means nobody here", [{"ipBlock": {"cidr": "::/0"}}], set()),
    ("a peer that says nothing this version knows means nobody", [{"clusterSet": "other"}], set()),
    (
        "In",
        [{"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "In", "values": ["a", "b"]}]}}],
        {"db", "api", "ledger"},
    ),
    (
        "NotIn takes what lacks the label",
        [{"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["a"]}]}}],
        {"api", "ledger", "log", "odd"},
    ),
    (
        "Exists",
        [{"namespaceSelector": {}, "podSelector": {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}}],
        {"db", "api", "log"},
    ),
    (
        "DoesNotExist",
        [{"namespaceSelector": {}, "podSelector": {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}}],
        {"ledger", "odd"},
    ),
]


@pytest.mark.parametrize(("peers", "expected"), [case[1:] for case in PEERS], ids=[case[0] for case in PEERS])
def test_peers_mean_the_same_in_both_directions(peers: list[Json], expected: set[str]) -> None:
    chosen = {"podSelector": {"matchLabels": {"app": "web"}}}
    assert who_reaches(WEB, policy("shop/p", **chosen, policyTypes=["Ingress"], ingress=[{"from": peers}])) == expected
    assert whom_reaches(WEB, policy("shop/p", **chosen, policyTypes=["Egress"], egress=[{"to": peers}])) == expected


PORTS: list[tuple[str, list[Json], set[tuple[str, int]]]] = [
    (
        "no ports mean every port of every protocol",
        [],
        {(protocol, port) for protocol in ("TCP", "UDP", "SCTP") for port in (80, 81, 82, 8080)},
    ),
    ("a number", [{"protocol": "TCP", "port": 80}], {("TCP", 80)}),
    ("TCP where no protocol is given", [{"port": 81}], {("TCP", 81)}),
    ("UDP", [{"protocol": "UDP", "port": 81}], {("UDP", 81)}),
    ("SCTP", [{"protocol": "SCTP", "port": 82}], {("SCTP", 82)}),
    ("a protocol without a port means all of its ports", [{"protocol": "UDP"}], {("UDP", port) for port in (80, 81, 82, 8080)}),
    ("a range includes both its ends", [{"port": 80, "endPort": 82}], {("TCP", 80), ("TCP", 81), ("TCP", 82)}),
    ("a name means the number that the server gives it", [{"port": "http"}], {("TCP", 8080)}),
    ("a name of another protocol means nothing", [{"protocol": "UDP", "port": "http"}], set()),
    ("a name that the server does not use means nothing", [{"port": "grpc"}], set()),
    ("several mean either", [{"port": "sql"}, {"protocol": "UDP", "port": 80}], {("TCP", 81), ("UDP", 80)}),
]


@pytest.mark.parametrize(("ports", "expected"), [case[1:] for case in PORTS], ids=[case[0] for case in PORTS])
def test_ports_mean_those_of_the_server_in_both_directions(ports: list[Json], expected: set[tuple[str, int]]) -> None:
    asked = [(protocol, port) for protocol in ("TCP", "UDP", "SCTP") for port in (80, 81, 82, 8080)]
    accepting = meaning(policy("shop/p", policyTypes=["Ingress"], ingress=[{"ports": ports}]))
    assert {one for one in asked if accepting.admits(LOG, (DB, *one))} == expected
    calling = meaning(policy("bare/p", policyTypes=["Egress"], egress=[{"ports": ports}]))
    assert {one for one in asked if calling.admits(LOG, (DB, *one))} == expected


def test_a_named_port_is_resolved_at_each_server_by_itself() -> None:
    rule = policy("bare/p", policyTypes=["Egress"], egress=[{"ports": [{"port": "http"}]}])
    assert whom_reaches(LOG, rule, port=80) == {"web"}
    assert whom_reaches(LOG, rule, port=8080) == {"db", "api"}


def test_without_policies_everyone_reaches_everyone() -> None:
    assert who_reaches(DB) == EVERYONE - {"db"}
    assert whom_reaches(DB) == EVERYONE - {"db"}


TYPES: list[tuple[str, dict[str, Any], bool, bool]] = [
    ("ingress is meant where no type is named", {}, True, False),
    ("egress too where egress rules are given", {"egress": [{"to": [{"podSelector": {}}]}]}, True, True),
    ("no egress rules isolate nothing", {"egress": []}, True, False),
    ("egress alone", {"policyTypes": ["Egress"]}, False, True),
    ("ingress alone, though egress rules are given", {"policyTypes": ["Ingress"], "egress": [{}]}, True, False),
    ("both", {"policyTypes": ["Ingress", "Egress"]}, True, True),
]


@pytest.mark.parametrize(("spec", "ingress", "egress"), [case[1:] for case in TYPES], ids=[case[0] for case in TYPES])
def test_a_pod_is_isolated_in_the_directions_of_the_policies_that_select_it(spec: dict[str, Any], ingress: bool, egress: bool) -> None:
    given_policy = policy("shop/p", podSelector={"matchLabels": {"app": "db"}}, **spec)
    assert ("log" not in who_reaches(DB, given_policy)) == ingress
    assert ("log" not in whom_reaches(DB, given_policy)) == egress
    assert who_reaches(WEB, given_policy) >= {"log", "far"}, "a pod that no policy selects is not isolated"


def test_a_policy_selects_no_pod_of_another_namespace() -> None:
    assert who_reaches(API, policy("shop/p", policyTypes=["Ingress"])) == EVERYONE - {"api"}


def test_an_empty_rule_lets_everything_pass_and_no_rule_lets_nothing_pass() -> None:
    assert who_reaches(DB, policy("shop/p", ingress=[{}])) == EVERYONE - {"db"}
    assert who_reaches(DB, policy("shop/p", ingress=[])) == set()


def test_policies_add_up() -> None:
    deny = policy("shop/deny", policyTypes=["Ingress", "Egress"])
    first = policy("shop/first", ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}], "ports": [{"port": 80}]}])
    second = policy("shop/second", ingress=[{"from": [{"ipBlock": {"cidr": "192.0.2.10/32"}}], "ports": [{"port": 81}]}])
    assert who_reaches(DB, deny, first, second, port=80) == {"api", "ledger"}
    assert who_reaches(DB, deny, first, second, port=81) == {"far"}
    assert who_reaches(DB, second, deny, first, port=82) == set()


def test_both_ends_must_agree() -> None:
    out = policy("bare/out", policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]}])
    into = policy("shop/into", policyTypes=["Ingress"], ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}]}])
    assert "log" not in who_reaches(DB, out, into), "the server refuses"
    assert "log" not in who_reaches(API, out, into), "the client may not"
    assert "log" in who_reaches(DB, out)
    assert "api" in who_reaches(DB, out, into)


def test_a_pod_always_reaches_itself() -> None:
    assert meaning(policy("shop/deny", policyTypes=["Ingress", "Egress"])).admits(DB, (DB, "TCP", 81))


def test_pods_of_the_hosts_network_and_ended_pods_are_never_meant() -> None:
    pods = (
        *world.PODS,
        world.pod("shop/agent", world.NODE, host=True, app="db"),
        world.pod("shop/job", "10.88.0.99", phase="Succeeded", app="db"),
    )
    found = meaning(
        policy("shop/deny", policyTypes=["Ingress", "Egress"]),
        policy("bare/out", policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": {}}]}]),
        pods=pods,
    )
    assert found.pods == set(ADDRESSES)
    assert not found.admits(LOG, (world.NODE, "TCP", 80)), "a selector does not mean the node"
    assert found.admits(API, (world.NODE, "TCP", 80)), "a policy does not isolate the node"


def test_of_two_pods_with_one_address_the_younger_counts() -> None:
    elder = world.pod("shop/gone", LOG, app="db")
    younger = {**elder, "metadata": {**elder["metadata"], "name": "new", "namespace": "bank", "creationTimestamp": "2026-11-21T09:00:01Z"}}
    deny = policy("bank/deny", policyTypes=["Ingress"])
    assert not meaning(deny, pods=(younger, elder)).admits(WEB, (LOG, "TCP", 80))
    assert meaning(policy("shop/deny", policyTypes=["Ingress"]), pods=(younger, elder)).admits(API, (LOG, "TCP", 80))


UNKNOWN: list[tuple[str, dict[str, Any]]] = [
    (
        "operator of a peer",
        {"ingress": [{"from": [{"podSelector": {"matchExpressions": [{"key": "app", "operator": "Like", "values": ["d"]}]}}]}]},
    ),
    ("operator of the policy's own selector", {"podSelector": {"matchExpressions": [{"key": "app", "operator": "Like"}]}, "ingress": [{}]}),
    ("address range", {"ingress": [{"from": [{"ipBlock": {"cidr": "everything"}}]}]}),
    ("shape", {"ingress": [{"from": ["all"]}]}),
]


@pytest.mark.parametrize("spec", [case[1] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN])
def test_what_cannot_be_understood_lets_nothing_pass_and_is_said(spec: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert who_reaches(DB, policy("shop/p", **spec)) == set()
    assert "policy shop/p" in caplog.text


@settings(max_examples=150, deadline=None)
@given(st.lists(world.policies(), max_size=5, unique_by=lambda one: one["metadata"]["name"]))
def test_any_policies_mean_what_the_documentation_says_word_by_word(policies: list[Json]) -> None:
    found, naive = meaning(*policies), Naive(world.NAMESPACES, world.PODS, policies)
    for client, server in world.questions():
        assert found.admits(client, server) == naive.admits(client, *server), (client, server)
