from hypothesis import given
from hypothesis import strategies as st

from deploy.order import Frontier, held_up, reversed_order


@st.composite
def orders(draw: st.DrawFn) -> dict[str, set[str]]:
    """Items that come after earlier ones only, so that there is no cycle."""
    count = draw(st.integers(1, 30))
    return {str(item): {str(each) for each in draw(st.sets(st.integers(0, item - 1)))} if item else set() for item in range(count)}


def walk(after: dict[str, set[str]]) -> list[str]:
    frontier, walked = Frontier(after), list[str]()
    hand = list(frontier.take())
    while hand:
        item = hand.pop()
        walked.append(item)
        frontier.done(item)
        hand += frontier.take()
    return walked


@given(orders())
def test_everything_is_taken_once_and_after_what_it_waits_for(after: dict[str, set[str]]):
    walked = walk(after)
    assert sorted(walked) == sorted(after)
    assert all(walked.index(other) < walked.index(item) for item, before in after.items() for other in before)


@given(orders())
def test_the_reverse_of_the_reverse_is_the_order_itself(after: dict[str, set[str]]):
    assert reversed_order(reversed_order(after)) == after


@given(orders())
def test_what_waits_for_something_that_is_not_done_is_never_taken(after: dict[str, set[str]]):
    frontier = Frontier(after)
    ready = set(frontier.take())
    assert ready == {item for item, before in after.items() if not before}
    assert not set(frontier.take())


def test_what_waits_for_something_broken_is_held_up_by_it_however_far_away():
    after = {"a": set[str](), "b": {"a"}, "c": {"b"}, "d": set[str]()}
    assert held_up(after, ["a"]) == {"b": "a", "c": "a"}


def test_what_is_waited_for_and_not_there_counts_as_done():
    assert walk({"a": {"gone"}}) == ["a"]
