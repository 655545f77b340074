"""A kind of text that knows its own description: what a finding says, what an editor shows."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

NOT_THIS_TEXT = "text"
"""The error type of a text that is not what it must be."""

TAKEN: Final = "taken"
"""Key of the context of a validation: texts that are taken as they are, because they were refused before (`topology.salvage`)."""


@dataclass(frozen=True, kw_only=True)
class Most:
    """The greatest of texts that measure something: as it is written, and what a text measures."""

    text: str
    measure: Callable[[str], float]


@dataclass(frozen=True, kw_only=True)
class Text:
    """Metadata of an `Annotated[str, ...]`: the whole text matches `pattern` and is no longer than `max_length`.

    `must` completes the sentence "must be ...". `examples` are shown by editors; a test checks that they are accepted. Of a text that
    measures something, `most` is the greatest that is accepted.
    """

    pattern: str
    must: str
    examples: tuple[str, ...]
    max_length: int | None = None
    most: "Most | None" = None

    def __get_pydantic_core_schema__(self, source: type[Any], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the check that pydantic runs. `fullmatch`, because `$` would let a line break pass."""
        expression = re.compile(self.pattern, re.ASCII)

        def check(value: str, info: ValidationInfo) -> str:
            fits = expression.fullmatch(value) and (self.max_length is None or len(value) <= self.max_length)
            if not fits and not (info.context and value in info.context[TAKEN]):
                raise PydanticCustomError(NOT_THIS_TEXT, "must be {must}", {"must": self.must, "example": self.examples[0]})
            if fits and self.most and self.most.measure(value) > self.most.measure(self.most.text):
                raise PydanticCustomError(NOT_THIS_TEXT, "must be at most {most}", {"most": self.most.text})
            return value

        return core_schema.with_info_after_validator_function(check, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the same fact for editors."""
        bound = f", at most {self.most.text}" if self.most else ""
        found = handler(schema) | {"pattern": self.pattern, "description": f"{self.must[:1].upper()}{self.must[1:]}{bound}."}
        if self.max_length is not None:
            found["maxLength"] = self.max_length
        return found | {"examples": list(self.examples)}
