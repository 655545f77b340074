"""The price table."""

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from costs.prices import Price, Source, price_tables, read


def test_every_table_says_where_when_and_in_what_money() -> None:
    for table in price_tables().values():
        assert table.region
        assert table.currency == "USD"
        assert table.date.year >= 2026


def test_every_listed_source_is_that_of_a_price_and_none_is_of_a_day_to_come() -> None:
    listed = read().sources
    used = [price.source for table in price_tables().values() for price in table.prices.values() if price.source]
    assert {source.where for source in listed} == {source.where for source in used}
    assert all(source in listed for source in used)
    assert all(source.date <= date.today() for source in listed)


def test_a_price_without_a_source_is_said_to_be_remembered() -> None:
    source = Source(where="a page", date=date(2026, 8, 22))
    assert Price(hour=Decimal("0.60")).said == "~0.60/h"
    assert Price(hour=Decimal("0.60"), source=source).said == "0.60/h"


@pytest.mark.parametrize("given", [{}, {"where": "a page"}, {"date": "2026-08-22"}])
def test_a_source_says_where_and_when(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        Price.model_validate({"hour": 1, "source": given})


def test_an_hourly_price_makes_a_month_of_730_hours() -> None:
    assert Price(hour=Decimal("0.10")).monthly == Decimal(73)


def test_what_is_charged_by_use_has_no_monthly_price() -> None:
    assert Price(gibibyte=Decimal(3)).monthly == 0


@pytest.mark.parametrize("given", [{}, {"hour": 1, "month": 1}])
def test_a_price_is_of_one_kind(given: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="one of hour, month and gibibyte"):
        Price.model_validate(given)
