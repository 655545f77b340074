import pytest

from policies.explain import Explanation, PartyError, explain
from tests.policies.building import baseline, stack_of

STACK = stack_of(baseline("abc"))
DUO = stack_of(baseline("duo"), "tests/policies/baseline/duo.topology.yaml")


def places(answer: Explanation) -> list[str]:
    return [hop.place for path in answer.paths for hop in path.hops]


def test_a_door_is_explained_hop_by_hop() -> None:
    answer = explain(STACK, "internet", "a")
    assert answer.reachable
    assert [path.title for path in answer.paths] == [
        "internet → abc.example/ns/abc/sa/a: GET api.abc.example/a/* (jwt https://login.abc.example)"
    ]
    assert places(answer)[0] == "internet"
    assert places(answer)[-1] == "abc.example/ns/abc/sa/a"


def test_a_call_names_the_policy_that_allows_it() -> None:
    answer = explain(STACK, "a", "b")
    assert answer.reachable
    assert answer.paths[0].hops[-1].allowed_by == "AuthorizationPolicy abc/b"


def test_a_call_that_is_refused_says_where_at_each_level() -> None:
    answer = explain(STACK, "a", "c")
    assert not answer.reachable
    titles = [path.title for path in answer.paths]
    assert "address level: NetworkPolicies refuse the connection" in titles
    assert "identity level: abc.example/ns/abc/sa/c does not accept abc.example/ns/abc/sa/a" in titles


def test_a_service_without_a_door_is_not_reached_from_outside() -> None:
    answer = explain(STACK, "internet", "b")
    assert not answer.reachable
    assert any("ends at" in path.title for path in answer.paths)


def test_bridges_and_exits_are_explained_too() -> None:
    assert explain(DUO, "a", "z").reachable
    assert explain(DUO, "b", "api.rates.example").reachable
    assert not explain(DUO, "a", "api.rates.example").reachable
    assert not explain(DUO, "anyone", "a").reachable


def test_a_name_that_is_no_party_is_refused_with_a_suggestion() -> None:
    with pytest.raises(PartyError, match=r'"internett" is no party.*did you mean "internet"'):
        explain(STACK, "internett", "a")
