"""What all parts of a stack file share."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from topology.findings import did_you_mean
from topology.model.text import Text

AddressRange = Annotated[
    str, Text(pattern=r"[0-9a-fA-F.:]+/[0-9]+", must="an address, a slash and the length of its prefix", examples=("10.20.0.0/24",))
]
"""A range of addresses in CIDR notation."""


class Size(StrEnum):
    """How large an environment of a cloud is. The boundary is the same in all sizes."""

    SMALL = "small"
    """Cheap machines, as few as there can be, and what is deleted is gone."""
    PRODUCTION = "production"
    """Larger machines over three zones, tiers with an SLA, protection from deletion by accident."""


class Part(BaseModel):
    """A part of a stack file: frozen, strict about unknown keys, camelCase in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


def known(names: Collection[str], *, what: str, where: str, refused: Mapping[str, str] = {}) -> AfterValidator:
    """Return the check that a text is a name of a list, which may be older than what it lists.

    Args:
        names: the list.
        what: completes "is no ...".
        where: the file that holds the list, to which a new name is added.
        refused: names that are known and cannot be taken, with the reason.
    """

    def check(given: str) -> str:
        if given in refused:
            raise PydanticCustomError("refused_name", "{reason}", {"reason": refused[given]})
        if given not in names:
            said = {"what": what, "meant": did_you_mean(given, names).removesuffix("?"), "where": where}
            raise PydanticCustomError("unknown_name", "is no {what}: {meant}? One that is new is added to {where}", said)
        return given

    return AfterValidator(check)
