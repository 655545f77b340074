"""What a value looks like: an example on one line for every type of the model, made of the model's own examples.

A name of the user's own stands as `<name>`, so that nobody takes an example for advice.
"""

import re
from collections.abc import Iterator
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from topology.model.base import Name
from topology.model.text import Text
from topology.standins import bare, typed

NAME: Final = "<name>"
"""What stands for a name of the user's own."""

A_DAY: Final = "2027-01-31"

NUMBERS: Final = (10, 1, 80, 500)
"""Numbers of which the first that fits is shown."""


def form(here: Any) -> str:
    """Return how a value of a type is written; of a union, how each member is."""
    return " or ".join(_written(each) for each in _members(here))


def texts(here: Any) -> list[str]:
    """Return the examples of a text of a type, as editors show them; none where it is no text."""
    for member in _members(here):
        kind, metadata = bare(member)
        if kind is str:
            found = TypeAdapter[Any](member).json_schema(mode="validation").get("examples", [])
            return [*found] or [text for item in metadata if isinstance(item, Text) for text in item.examples]
    return []


def example(here: Any) -> str:
    """Return the first example of a text of a type."""
    return _quoted(next(iter(texts(here)), "text"))


def fits(here: Any, value: object) -> bool:
    """Say whether a value is of a type."""
    try:
        TypeAdapter[Any](here).validate_python(value)
    except ValidationError:
        return False
    return True


def _members(here: Any) -> Iterator[Any]:
    kind, _ = bare(here)
    if get_origin(kind) in {Union, UnionType}:
        for member in get_args(kind):
            if member is not NoneType:
                yield from _members(member)
    else:
        yield here


def _written(here: Any) -> str:
    kind, metadata = bare(here)
    more = ", ..." if any((getattr(item, "min_length", None) or 0) > 1 for item in metadata) else ""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"{{{', '.join(_fields(kind))}}}"
    if get_origin(kind) is tuple:
        return f"[{_first(get_args(kind)[0])}{more}]"
    if get_origin(kind) is not None and get_origin(kind) is not Literal:
        key, value = get_args(kind)
        return f"{{{_first(key)}: {_first(value)}{more}}}"
    return _scalar(here)


def _first(here: Any) -> str:
    return _written(next(_members(here)))


def _fields(model: type[BaseModel]) -> Iterator[str]:
    """Yield the keys that a part must have, each with its value; of one that must have none, the first that it may."""
    fields = model.model_fields
    chosen = [name for name, field in fields.items() if field.is_required()] or _telling(model)
    for name in chosen:
        field = fields[name]
        default = field.default if not field.is_required() else None
        shown = _plain(default) if isinstance(default, str | int) else _first(typed(field))
        yield f"{field.alias or name}: {shown}"


def _telling(model: type[BaseModel]) -> list[str]:
    """Return the first key whose default says what it looks like; where there is none, the first key."""
    fields = model.model_fields
    plain = (name for name, field in fields.items() if isinstance(field.default, str | int) and field.default not in {"", False})
    return [next(plain, next(iter(fields)))]


def _scalar(here: Any) -> str:
    kind, _ = bare(here)
    if here == Name:
        return NAME
    if get_origin(kind) is Literal:
        return str(get_args(kind)[0])
    if issubclass(kind, Enum):
        return _plain(next(iter(kind)))
    if kind is bool:
        return "true"
    if kind in {int, float}:
        return str(next(number for number in NUMBERS if fits(here, kind(number))))
    return example(here) if kind is str else A_DAY


def _quoted(text: str) -> str:
    """Return a text as YAML takes it for one: in quotes where it would be a number or a truth."""
    return f'"{text}"' if re.fullmatch(r"[0-9.]+|true|false|null|yes|no", text) else text


def _plain(value: object) -> str:
    return str(to_jsonable_python(value))
