"""The price table: data with its date, region and currency."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

FILE: Final = Path(__file__).with_name("prices.yaml")
HOURS: Final = Decimal(730)
"""Of a month, as both providers count."""


class Price(BaseModel):
    """What one piece costs: by the hour, by the month, or by the GiB that it processes or keeps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hour: Decimal | None = None
    month: Decimal | None = None
    gibibyte: Decimal | None = None

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if [self.hour, self.month, self.gibibyte].count(None) != 2:
            raise ValueError("a price has one of hour, month and gibibyte")
        return self

    @property
    def monthly(self) -> Decimal:
        """For one piece, a month long; zero for what is charged by the GiB."""
        return self.month or (self.hour or Decimal(0)) * HOURS

    def __str__(self) -> str:
        """As people read it: `0.136/h`."""
        said = {"h": self.hour, "month": self.month, "GiB": self.gibibyte}
        return next(f"{value}/{unit}" for unit, value in said.items() if value is not None)


class Prices(BaseModel):
    """Prices of one provider in one region."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str
    currency: str
    date: date
    approximate: bool
    """Whether they were written down without asking the provider."""
    prices: Mapping[str, Price]


@cache
def price_tables() -> Mapping[str, Prices]:
    """Return the tables by provider: the beginning of its resources' types, such as `azure-native`."""
    read = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {provider: Prices.model_validate(table) for provider, table in read.items()}
