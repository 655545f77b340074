"""The price table: data with its dates, region, currency and sources."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

FILE: Final = Path(__file__).with_name("prices.yaml")
REMEMBERED: Final = "~"
"""Before a price without a source."""
HOURS: Final = Decimal(730)
"""Of a month, as both providers count."""


class Source(BaseModel):
    """Where anybody can read a price for the table's region."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: str
    """A public repository and its file, or a page."""
    date: date
    """Of its prices, or of reading where it does not say."""


class Price(BaseModel):
    """What one piece costs: by the hour, by the month, or by the GiB that it processes or keeps."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hour: Decimal | None = None
    month: Decimal | None = None
    gibibyte: Decimal | None = None
    source: Source | None = None
    """None: as remembered on its table's date."""

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if [self.hour, self.month, self.gibibyte].count(None) != 2:
            raise ValueError("a price has one of hour, month and gibibyte")
        return self

    @property
    def monthly(self) -> Decimal:
        """For one piece, a month long; zero for what is charged by the GiB."""
        return self.month or (self.hour or Decimal(0)) * HOURS

    @property
    def said(self) -> str:
        """As `str`, with `~` before a price that is remembered: `~0.60/h`."""
        return str(self) if self.source else f"{REMEMBERED}{self}"

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
    """On which those without a source were written down as remembered."""
    prices: Mapping[str, Price]


class Document(BaseModel):
    """The file: the sources are listed once, and prices repeat them (YAML aliases)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: tuple[Source, ...]
    tables: Mapping[str, Prices]


@cache
def price_tables() -> Mapping[str, Prices]:
    """Return the tables by provider: the beginning of its resources' types, such as `azure-native`."""
    return read().tables


def read() -> Document:
    """Read the file."""
    return Document.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
