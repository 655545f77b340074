"""What all parts of a stack file share."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

ADDRESS_RANGE: Final = r"^[0-9a-fA-F.:]+/[0-9]+$"
AddressRange = Annotated[str, Field(pattern=ADDRESS_RANGE)]
"""A range of addresses in CIDR notation."""


class Size(StrEnum):
    """How large an environment of a cloud is. The boundary is the same in all sizes."""

    SMALL = "small"
    PRODUCTION = "production"


class Part(BaseModel):
    """A part of a stack file: frozen, strict about unknown keys, camelCase in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)
