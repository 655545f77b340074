"""`perimeter diagram`: of a file or a stack, whole or in part."""

import pytest

from tests.cli.test_commands import ABC, perimeter
from tests.systems import topology_file

BROKERAGE = str(topology_file("brokerage"))


def test_a_stack_is_drawn_by_its_name_like_the_file_that_it_names() -> None:
    assert perimeter("diagram", "local").stdout == perimeter("diagram", str(ABC)).stdout


def test_a_mesh_is_drawn_without_the_calls_of_the_others() -> None:
    text = perimeter("diagram", BROKERAGE, "--mesh", "trading").stdout
    assert "service_orders --> service_inventory" in text
    assert 'service_margin ==>|"margin-cash"| service_account' in text
    assert "service_transfer --> " not in text


def test_a_service_is_drawn_with_what_touches_it() -> None:
    text = perimeter("diagram", BROKERAGE, "--around", "inventory").stdout
    assert "service_orders -->" in text
    assert "service_pre_trade_risk" not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--mesh", "tradng"), 'did you mean "trading"?'),
        (("--around", "ordres"), 'did you mean "orders"?'),
        (("--mesh", "trading", "--around", "orders"), "Give one of them"),
    ],
    ids=["a mesh", "a service", "both"],
)
def test_what_is_not_there_is_said_with_what_may_have_been_meant(arguments: tuple[str, ...], said: str) -> None:
    run = perimeter("diagram", BROKERAGE, *arguments)
    assert run.returncode == 2
    assert said in run.stderr
