from pathlib import Path

import pytest

from planner.program import Mode, plan_program
from policies.explain import Explanation, PartyError, Reach, explain
from policies.reading.normalise import normalise
from policies.reading.stack import Stack
from tests.policies.building import UNKNOWN, baseline, changed, stack_of
from tests.systems import ROOT, topology_file
from topology.load import load

STACK = stack_of(baseline("abc"))
DUO = stack_of(baseline("duo"), "tests/policies/baseline/duo.topology.yaml")


def places(answer: Explanation) -> list[str]:
    return [hop.place for path in answer.paths for hop in path.hops]


def test_a_door_is_explained_hop_by_hop() -> None:
    answer = explain(STACK, "internet", "a")
    assert answer.reach is Reach.YES
    assert [path.title for path in answer.paths] == [
        "internet → abc.example/ns/abc/sa/a: GET api.abc.example/a/* (jwt https://login.abc.example)"
    ]
    assert places(answer)[0] == "internet"
    assert places(answer)[-1] == "abc.example/ns/abc/sa/a"


def test_a_call_names_the_policy_that_allows_it() -> None:
    answer = explain(STACK, "a", "b")
    assert answer.reach is Reach.YES
    assert answer.paths[0].hops[-1].allowed_by == "AuthorizationPolicy abc/b"


def test_a_call_that_is_refused_says_where_at_each_level() -> None:
    answer = explain(STACK, "a", "c")
    assert answer.reach is Reach.NO
    titles = [path.title for path in answer.paths]
    assert "address level: NetworkPolicies refuse the connection" in titles
    assert "identity level: abc.example/ns/abc/sa/c does not accept abc.example/ns/abc/sa/a" in titles


def test_a_service_without_a_door_is_not_reached_from_outside() -> None:
    answer = explain(STACK, "internet", "b")
    assert answer.reach is Reach.NO
    assert any("ends at" in path.title for path in answer.paths)


def test_bridges_and_exits_are_explained_too() -> None:
    assert explain(DUO, "a", "z").reach is Reach.YES
    assert explain(DUO, "b", "api.rates.example").reach is Reach.YES
    assert explain(DUO, "a", "api.rates.example").reach is Reach.NO
    assert explain(DUO, "anyone", "a").reach is Reach.NO


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "internett",
            r'"internett" is nobody to ask about \(did you mean "internet"\?\)\. Ask about a service of payments, internet, anyone',
        ),
        ("acme", '"acme" is a consumer of payments; consumers come from outside like every client: ask from internet'),
        ("partner-orders", '"partner-orders" is a door of payments; ask from internet to its service, orders'),
        ("card-network", '"card-network" is a way out of payments; ask about its host, api.cardnetwork.example'),
        ("main", '"main" is a mesh of payments; ask about a service of it'),
    ],
)
def test_a_name_that_nobody_can_be_asked_about_by_is_told_what_to_ask_instead(name: str, said: str) -> None:
    with pytest.raises(PartyError, match=said):
        explain(stack_of([], "payments"), name, "orders")


def test_that_no_door_leads_to_a_service_is_said_first_and_nothing_of_listeners_of_other_hosts(tmp_path: Path) -> None:
    live = "doors:\n  live:\n    host: live.abc.example\n    methods: [GET]\n    paths: [/b]\n    service: b\n    auth: {jwt: customers}\n"
    text = topology_file("abc").read_text(encoding="utf-8").replace("doors:\n", f"{live}    tiers: [standard]\n")
    file = tmp_path / "two.topology.yaml"
    file.write_text(text.replace("hosts: [api.abc.example]", "hosts: [api.abc.example, live.abc.example]"), encoding="utf-8")
    planned = plan_program(ROOT, "local", {"perimeter:topology": str(file)}, mode=Mode.PESSIMISTIC)
    stack = Stack(normalise(planned.resources), load(file))
    assert any(refusal.hop.allowed_by == "SNI live.abc.example is not api.abc.example" for refusal in stack.ways.refusals)
    answer = explain(stack, "internet", "c")
    assert answer.paths[0].title == "no door leads to c"
    assert {hop.allowed_by for path in answer.paths[1:] for hop in path.hops[-1:]} == {"it answers 404"}


def test_of_a_call_that_the_topology_has_not_that_is_said_first() -> None:
    assert explain(STACK, "a", "c").paths[0].title == "the topology has no call from a to c"
    assert explain(DUO, "a", "api.rates.example").paths[0].title == "the topology has no call from a to api.rates.example"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("api.rates.exampl", 'the topology names no outside host api.rates.exampl (did you mean "api.rates.example"?)'),
        ("api.duo.example", "api.duo.example is a public host: ask about the service behind one of its doors"),
    ],
)
def test_a_host_that_is_no_way_out_is_told_what_may_have_been_meant(target: str, said: str) -> None:
    answer = explain(DUO, "b", target)
    assert (answer.reach, answer.paths[0].title) == (Reach.NO, said)


@pytest.mark.parametrize(
    ("source", "target", "change"),
    [
        ("internet", "b", {"HTTPRoute gateway/a": {"spec": {"rules": [{"matches": [{"path": {"value": UNKNOWN}}]}]}}}),
        ("a", "b", {"Deployment abc/b-v1": {"spec": {"template": {"metadata": {"labels": UNKNOWN}}}}}),
    ],
    ids=["a way that cannot be followed", "an object that cannot be read"],
)
def test_where_no_way_is_found_and_some_are_in_doubt_it_is_undecided(source: str, target: str, change: dict[str, object]) -> None:
    answer = explain(stack_of(changed(baseline("abc"), change=change)), source, target)
    assert answer.reach is Reach.UNDECIDED
    assert any(path.title.startswith("not decided: ") for path in answer.paths)


def test_that_nothing_leads_to_whoever_only_asks_is_said() -> None:
    answer = explain(STACK, "c", "internet")
    assert answer.reach is Reach.NO
    assert [path.title for path in answer.paths] == ["`internet` only asks: name the outside host that c may call"]
