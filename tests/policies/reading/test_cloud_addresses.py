"""Sets of addresses: ranges that are cut and joined, and names beside them."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.reading.cloud.addresses import EVERYWHERE, INTERNET, LAST, OUTSIDE, PRIVATE, Addresses, addresses
from policies.reading.values import UnknownValueError

BLOCKS = st.lists(
    st.tuples(st.integers(0, LAST), st.integers(0, 32)).map(lambda pair: f"{IPv4Address(pair[0])}/{pair[1]}"),
    max_size=4,
)


def members(one: Addresses, points: list[int]) -> set[int]:
    return {point for point in points if any(first <= point <= last for first, last in one.ranges)}


@given(BLOCKS, BLOCKS, st.lists(st.integers(0, LAST), min_size=1, max_size=30))
def test_sets_are_cut_and_joined_as_sets_of_their_members_are(left: list[str], right: list[str], extra: list[int]) -> None:
    one, other = addresses(*left), addresses(*right)
    ends = [end for each in (one, other) for pair in each.ranges for end in pair]
    points = sorted({*extra, *ends, *(min(end + 1, LAST) for end in ends), *(max(end - 1, 0) for end in ends)})
    assert members(one | other, points) == members(one, points) | members(other, points)
    assert members(one & other, points) == members(one, points) & members(other, points)
    assert members(one - other, points) == members(one, points) - members(other, points)
    assert one.holds(other) == (not members(other, points) - members(one, points))


@given(BLOCKS)
def test_networks_say_the_ranges_again(blocks: list[str]) -> None:
    one = addresses(*blocks)
    assert addresses(*map(str, one.networks)) == one


def test_names_are_shared_only_by_name() -> None:
    tag, group = Addresses(names=frozenset({"AzureCloud"})), Addresses(names=frozenset({"group nodes"}))
    assert not tag & group
    assert (tag | group) - group == tag
    assert not EVERYWHERE & tag


def test_the_internet_is_everything_but_what_is_private() -> None:
    assert not OUTSIDE & PRIVATE
    assert OUTSIDE & addresses("198.51.100.7")
    assert not OUTSIDE & addresses("10.1.2.3", "172.31.0.0/16", "192.168.7.0/24", "100.64.1.1", "169.254.169.254")
    assert addresses("::/0") == OUTSIDE
    assert not addresses("fd00::/8")


def test_what_is_no_range_is_not_known() -> None:
    with pytest.raises(UnknownValueError, match="no range of addresses"):
        addresses("10.0.0.0/99")


def test_sets_are_spelled_for_people() -> None:
    assert str(OUTSIDE) == "the internet"
    assert str(Addresses(names=frozenset({INTERNET, "AzureCloud"}))) == "AzureCloud, the internet"
    assert str(addresses("10.0.0.0/24")) == "10.0.0.0/24"
    assert str(addresses("10.0.0.0/24", "10.0.2.0/24", "10.0.4.0/24", "10.0.6.0/24")).endswith("and more")
    assert str(Addresses()) == "nobody"
