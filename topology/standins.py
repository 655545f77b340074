"""Stand-ins: valid values in the place of broken ones, others at every turn, so that what only follows from a stand-in changes with it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from topology.model.text import Text

TURNS: Final = 8
"""How many stand-ins of each kind are tried: more than there are HTTP methods, protocols or kinds of credential."""

NUMBERS: Final = (1, 2, 50, 100, 450, 3600, 8081, 20000)
"""Numbers of every size that the model bounds: counts, shares, status codes, ports."""


def stand_in(here: Any, turn: int, names: tuple[str, ...] = ()) -> Any:
    """Return a valid value of a type as a topology file would spell it.

    Args:
        here: the type, with its metadata.
        turn: equal turns give equal values. At odd turns everything optional is there, at even turns nothing is.
        names: what names in it are, where they may be; otherwise they are names that nothing bears.
    """
    kind, metadata = bare(here)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or key: field for key, field in kind.model_fields.items() if field.is_required() or turn % 2}
        return {key: stand_in(typed(field), turn, names) for key, field in fields.items()}
    if get_origin(kind) in {Union, UnionType}:
        members = [member for member in get_args(kind) if member is not NoneType]
        return stand_in(members[turn % len(members)], turn, names)
    if get_origin(kind) is tuple:
        item, *_ = get_args(kind)
        found = [stand_in(item, *each) for each in _items(metadata, turn, names)]
        return [value for index, value in enumerate(found) if value not in found[:index]]
    if get_origin(kind) is not None and get_origin(kind) is not Literal:
        key, value = get_args(kind)
        return {stand_in(key, *each): stand_in(value, *each) for each in _items(metadata, turn, names)}
    return _scalar(kind, metadata, turn, names)


def typed(field: FieldInfo) -> Any:
    """Return the type of a model's field with everything that was said about it."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def bare(here: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a type and its metadata, each by itself."""
    if get_origin(here) is not Annotated:
        return here, ()
    kind, *metadata = get_args(here)
    return kind, tuple(each for item in metadata for each in (item.metadata if isinstance(item, FieldInfo) else [item]))


def _items(metadata: Iterable[Any], turn: int, names: tuple[str, ...]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield turn and name of each item of a list or mapping: one for each name, and others until there are enough."""
    yield from ((turn, (name,)) for name in names)
    least = max(turn % 2, *(getattr(item, "min_length", None) or 0 for item in metadata), 0)
    yield from ((turn + index, ()) for index in range(len(names), least))


def _scalar(kind: Any, metadata: tuple[Any, ...], turn: int, names: tuple[str, ...]) -> Any:
    if get_origin(kind) is Literal:
        choices: list[Any] = [*get_args(kind)]
    elif issubclass(kind, Enum):
        choices = [member.value for member in kind]
    else:
        valid = (value for value in _values(kind, metadata, turn, names) if _is_valid(kind, metadata, value))
        # A name that was asked for comes first; of texts the first is a new one at each turn.
        choices = [next(valid)] if kind is str else [*valid]
    return choices[turn % len(choices)]


def _values(kind: Any, metadata: tuple[Any, ...], turn: int, names: tuple[str, ...]) -> Iterator[Any]:
    yield from VALUES[kind](turn) if kind is not str else (*names[:1], *VALUES[str](turn))
    yield from (example for item in metadata if isinstance(item, Text) for example in item.examples)


def _is_valid(kind: Any, metadata: tuple[Any, ...], value: Any) -> bool:
    try:
        _adapter(kind, metadata).validate_python(value)
    except ValidationError:
        return False
    return True


@cache
def _adapter(kind: Any, metadata: tuple[Any, ...]) -> TypeAdapter[Any]:
    here: Any = Annotated[kind, *metadata] if metadata else kind
    return TypeAdapter[Any](here)


def _texts(turn: int) -> tuple[str, ...]:
    word = f"stand-in-{turn}"
    return (
        word,
        f"{word}.example",
        f"https://{word}.example/",
        f"https://{word}.example",
        f"/{word}",
        f"/{word}/",
        f"{turn + 1}s",
        f"{turn + 1}Mi",
        f"stand.In{turn}/Get",
    )


VALUES: Final[Mapping[Any, Callable[[int], tuple[Any, ...]]]] = {
    str: _texts,
    int: lambda turn: NUMBERS,
    float: lambda turn: tuple(map(float, NUMBERS)),
    bool: lambda turn: (False, True),
    date: lambda turn: (f"{2030 + turn}-01-01",),
}
"""Values of a scalar type, of which those are taken that the place allows."""
