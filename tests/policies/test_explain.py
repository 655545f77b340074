import pytest

from policies.explain import Explanation, PartyError, Reach, explain
from tests.policies.building import UNKNOWN, baseline, changed, stack_of

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


def test_a_name_that_is_no_party_is_refused_with_a_suggestion() -> None:
    with pytest.raises(PartyError, match=r'"internett" is no party.*did you mean "internet"'):
        explain(STACK, "internett", "a")


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
