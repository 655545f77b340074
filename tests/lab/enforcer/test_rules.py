"""The nft text: what a policy becomes, and that a change never refers to what is not there."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.enforcer.objects import Json
from lab.enforcer.rules import TABLE, Ruleset, ruleset, transaction
from tests.lab.enforcer import world
from tests.lab.enforcer.world import DB, LOG, RANGE, WEB, meaning, policy

ONE = policy(
    "shop/db",
    podSelector={"matchLabels": {"app": "db"}},
    policyTypes=["Ingress", "Egress"],
    ingress=[
        {
            "from": [
                {"namespaceSelector": {"matchLabels": {"team": "b"}}},
                {"ipBlock": {"cidr": "192.0.2.0/24", "except": ["192.0.2.64/26"]}},
            ],
            "ports": [{"port": 80}, {"port": 8000, "endPort": 8080}, {"protocol": "UDP"}, {"port": "sql"}],
        },
    ],
)
ONE_AS_RULES = (
    "ip saddr { 192.0.2.0-192.0.2.63, 192.0.2.128-192.0.2.255 } tcp dport { 80, 8000-8080 } accept",
    "ip saddr { 192.0.2.0-192.0.2.63, 192.0.2.128-192.0.2.255 } udp dport { 0-65535 } accept",
    "ip saddr { 192.0.2.0-192.0.2.63, 192.0.2.128-192.0.2.255 } ip daddr . meta l4proto . th dport @ingress/shop/db/0/ports accept",
    "ip saddr @ingress/shop/db/0/peers tcp dport { 80, 8000-8080 } accept",
    "ip saddr @ingress/shop/db/0/peers udp dport { 0-65535 } accept",
    "ip saddr @ingress/shop/db/0/peers ip daddr . meta l4proto . th dport @ingress/shop/db/0/ports accept",
)


def content(*policies: Json, pods: tuple[Json, ...] = world.PODS) -> Ruleset:
    return ruleset(meaning(*policies, pods=pods), RANGE)


def test_a_policy_becomes_one_chain_with_a_set_of_peers_and_a_set_of_named_ports() -> None:
    found = content(ONE)
    assert found.chains["ingress/shop/db"].rules == ONE_AS_RULES
    assert found.chains["egress/shop/db"].rules == ()
    assert found.collections["ingress/shop/db/0/peers"].elements == {world.API, world.LEDGER}
    assert found.collections["ingress/shop/db/0/ports"].elements == {f"{DB} . tcp . 81"}


def test_pods_that_the_same_policies_select_share_a_chain_that_ends_in_a_drop() -> None:
    found = content(policy("shop/all", ingress=[{}]), ONE)
    profiles = {
        element.partition(" : goto ")[0]: element.partition(" : goto ")[2] for element in found.collections["isolated-ingress"].elements
    }
    assert profiles.keys() == {WEB, DB}
    assert found.chains[profiles[WEB]].rules == ("jump ingress/shop/all", "counter drop")
    assert found.chains[profiles[DB]].rules == ("jump ingress/shop/all", "jump ingress/shop/db", "counter drop")


def test_nothing_but_the_own_table_is_ever_named() -> None:
    for text in (transaction(None, content(ONE)), transaction(content(), content(ONE)), transaction(content(ONE), content())):
        assert all(
            re.match(rf"(table|((add|delete|flush) (\w+))) {TABLE}( |$)|delete table {TABLE}$", line) for line in text.splitlines()
        ), text


def test_the_same_content_twice_is_no_transaction() -> None:
    assert transaction(content(ONE), content(ONE)) == ""


def test_a_pod_more_is_elements_more_and_no_other_change() -> None:
    more = (*world.PODS, world.pod("bank/more", "10.88.0.77", app="ledger"))
    assert transaction(content(ONE), content(ONE, pods=more)).splitlines() == [
        f"add element {TABLE} pods {{ 10.88.0.77 }}",
        f"add element {TABLE} itself {{ 10.88.0.77 . 10.88.0.77 }}",
        f"add element {TABLE} ingress/shop/db/0/peers {{ 10.88.0.77 }}",
    ]


def test_an_address_that_the_cluster_does_not_know_is_refused_both_ways() -> None:
    found = content()
    assert f"ip saddr {RANGE} ip saddr != @pods counter drop" in found.chains["judge-egress"].rules
    assert f"ip daddr {RANGE} ip daddr != @pods counter drop" in found.chains["judge-ingress"].rules
    assert LOG in found.collections["pods"].elements


def test_names_are_unique_and_no_longer_than_nftables_takes() -> None:
    long = [policy(f"{'n' * 63}/{'p' * 240}{end}", ingress=[{}]) for end in "ab"]
    namespace = world.namespace("n" * 63)
    pod = world.pod(f"{'n' * 63}/x", "10.88.0.5")
    found = ruleset(meaning(*long, namespaces=(namespace,), pods=(pod,)), RANGE)
    names = [name for name in found.chains if name.startswith("ingress/nnn")]
    assert len(names) == 2
    assert max(map(len, found.chains)) <= 127


class Kernel:
    """What nftables does with a transaction, as far as names and references go."""

    def __init__(self) -> None:
        self.elements: dict[str, dict[str, str]] = {}
        self.chains: dict[str, list[str]] = {}

    def references(self, name: str) -> bool:
        texts = [rule for rules in self.chains.values() for rule in rules] + [v for found in self.elements.values() for v in found.values()]
        return any(re.search(rf"(jump |goto |@){re.escape(name)}( |$)", text) for text in texts)

    def apply(self, text: str) -> None:
        for line in text.splitlines():
            verb, _, rest = line.replace(f"{TABLE} ", "").partition(" ")
            what, _, rest = rest.partition(" ")
            name, _, body = rest.partition(" ")
            if line.endswith(TABLE):
                self.elements, self.chains = ({}, {}) if verb == "delete" else (self.elements, self.chains)
            else:
                getattr(self, f"{verb}_{what}")(name, body)

    def add_set(self, name: str, body: str) -> None:
        assert name not in self.elements
        assert body.startswith("{ type ")
        self.elements[name] = {}

    add_map = add_set

    def add_chain(self, name: str, body: str) -> None:
        assert name not in self.chains
        self.chains[name] = [body] if body else []

    def add_rule(self, name: str, body: str) -> None:
        for kind, target in re.findall(r"(jump |goto |@)([^ ]+)", body):
            assert target in (self.elements if kind == "@" else self.chains), body
        self.chains[name].append(body)

    def add_element(self, name: str, body: str) -> None:
        for element in body.strip("{} ").split(", "):
            key, _, value = element.partition(" : ")
            assert key not in self.elements[name]
            assert not value or value.removeprefix("goto ") in self.chains, "a map leads to chains that are there"
            self.elements[name][key] = value

    def delete_element(self, name: str, body: str) -> None:
        for key in body.strip("{} ").split(", "):
            del self.elements[name][key]

    def flush_chain(self, name: str, body: str) -> None:
        assert not body
        self.chains[name].clear()

    def delete_chain(self, name: str, body: str) -> None:
        del self.chains[name]
        assert not self.references(name), body

    def delete_set(self, name: str, body: str) -> None:
        del self.elements[name]
        assert not self.references(name), body

    delete_map = delete_set


def state(kernel: Kernel) -> tuple[object, object]:
    return kernel.elements, kernel.chains


moments = st.tuples(
    st.lists(world.policies(), max_size=4, unique_by=lambda one: one["metadata"]["name"]),
    st.lists(st.sampled_from(world.PODS), unique_by=id),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(moments, min_size=2, max_size=5))
def test_whatever_happens_the_changes_lead_where_writing_anew_would(history: list[tuple[list[Json], list[Json]]]) -> None:
    kernel, before = Kernel(), None
    pool = [policies for policies, _ in history]
    for number, (policies, pods) in enumerate(history):
        kept = pool[number - 1][:2] if number else []
        after = content(*{one["metadata"]["name"]: one for one in (*policies, *kept)}.values(), pods=tuple(pods))
        kernel.apply(transaction(before, after))
        anew = Kernel()
        anew.apply(transaction(None, after))
        assert state(kernel) == state(anew)
        before = after


@pytest.mark.parametrize("before", [content(), content(ONE)], ids=["without policies", "with one"])
def test_a_table_of_unknown_content_is_replaced_as_a_whole(before: Ruleset) -> None:
    kernel = Kernel()
    kernel.apply(transaction(None, before))
    kernel.apply(transaction(None, content(ONE)))
    anew = Kernel()
    anew.apply(transaction(None, content(ONE)))
    assert state(kernel) == state(anew)
