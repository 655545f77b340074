"""What all parts of a stack file share."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from topology.model.text import Text

AddressRange = Annotated[
    str, Text(pattern=r"[0-9a-fA-F.:]+/[0-9]+", must="an address, a slash and the length of its prefix", examples=("10.20.0.0/24",))
]
"""A range of addresses in CIDR notation."""


class Size(StrEnum):
    """How large an environment of a cloud is. The boundary is the same in all sizes."""

    SMALL = "small"
    PRODUCTION = "production"


class Part(BaseModel):
    """A part of a stack file: frozen, strict about unknown keys, camelCase in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)
