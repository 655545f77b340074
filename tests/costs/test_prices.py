"""The price table."""

from decimal import Decimal

import pytest
from pydantic import ValidationError

from costs.prices import Price, price_tables


def test_every_table_says_where_when_and_in_what_money() -> None:
    for table in price_tables().values():
        assert table.region
        assert table.currency == "USD"
        assert table.date.year >= 2026


def test_an_hourly_price_makes_a_month_of_730_hours() -> None:
    assert Price(hour=Decimal("0.10")).monthly == Decimal(73)


def test_what_is_charged_by_use_has_no_monthly_price() -> None:
    assert Price(gibibyte=Decimal(3)).monthly == 0


@pytest.mark.parametrize("given", [{}, {"hour": 1, "month": 1}])
def test_a_price_is_of_one_kind(given: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="one of hour, month and gibibyte"):
        Price.model_validate(given)
