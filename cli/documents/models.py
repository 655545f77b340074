"""Tables of pydantic models: each key with its type, its default and what it means."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from enum import Enum
from types import ModuleType, NoneType, UnionType
from typing import Any, Final, Literal, Union, cast, get_args, get_origin

import yaml
from pydantic import BaseModel, WithJsonSchema
from pydantic.fields import FieldInfo

from cli.documents.docstrings import docstrings, first_sentence
from cli.documents.markdown import table
from topology.model.text import Text
from topology.standins import bare, typed

Part = type[BaseModel] | type[Enum]
"""What has a table of its own."""

PLAIN: Final[Mapping[object, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    date: "day",
    Any: "anything",
}
BOUNDS: Final = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
COLUMNS: Final = ("key", "type", "default", "meaning")


def vocabulary(module: ModuleType) -> dict[Text, str]:
    """Return the kinds of text that a module names."""
    found: dict[Text, str] = {}
    for name, value in vars(module).items():
        for each in bare(value)[1]:
            if isinstance(each, Text):
                found.setdefault(each, name)
    return found


class Reference:
    """Writes tables of models that link to each other."""

    def __init__(self, anchors: Mapping[Part, str], words: Mapping[Text, str], patterns: str = "") -> None:
        """Keep what links need.

        Args:
            anchors: anchors of parts that are not headed by their own name.
            words: kinds of text that are explained at `#words`.
            patterns: anchor of what explains path patterns.
        """
        self._anchors, self._words, self._patterns = anchors, words, patterns

    def keys(self, model: type[BaseModel], prefix: str = "") -> list[str]:
        """Return the table of a model's keys."""
        said = docstrings(model)
        return table(COLUMNS, (self._row(name, field, said, prefix) for name, field in model.model_fields.items()))

    def section(self, part: Part, level: str = "###") -> list[str]:
        """Return heading, meaning and table of a model or an enumeration."""
        head = [f"{level} {part.__name__}", "", sentence(part), ""]
        if issubclass(part, BaseModel):
            return [*head, *(self.keys(part) if part.model_fields else ()), ""]
        said = docstrings(part)
        return [*head, *table(("value", "meaning"), ((f"`{each.value}`", said.get(each.name, "")) for each in part)), ""]

    def _row(self, name: str, field: FieldInfo, said: Mapping[str, str], prefix: str) -> tuple[str, ...]:
        parts = [*parts_in(typed(field))]
        meaning = said.get(name) or (first_sentence(parts[0]) if parts else "")
        return f"`{prefix}{field.alias or name}`", self.kind(typed(field)), default(field), meaning

    def kind(self, here: Any) -> str:
        """Return a type in words."""
        kind, metadata = bare(here)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in {Union, UnionType}:
            return " or ".join(self.kind(member) for member in arguments if member is not NoneType)
        if origin is Literal:
            return " or ".join(f"`{choice}`" for choice in arguments)
        if origin is tuple:
            return f"list of {self.kind(arguments[0])}{_least(metadata)}"
        if origin is not None:
            key, value = arguments
            return f"{self.kind(key)}: {self.kind(value)}{_least(metadata)}"
        if isinstance(kind, type) and issubclass(kind, BaseModel | Enum):
            return f"[{kind.__name__}](#{self._anchors.get(kind, kind.__name__.lower())})"
        return self._scalar(kind, metadata)

    def _scalar(self, kind: Any, metadata: Iterable[Any]) -> str:
        bounds: list[str] = []
        for each in metadata:
            if isinstance(each, Text):
                return f"[{self._words[each]}](#words)" if each in self._words else each.must
            if isinstance(each, WithJsonSchema) and self._patterns:
                return f"[path pattern](#{self._patterns})"
            bounds += [f"{word} {limit}" for bound, word in BOUNDS.items() if (limit := getattr(each, bound, None)) is not None]
        return ", ".join([PLAIN[kind], *bounds])


def explained(words: Mapping[Text, str]) -> list[str]:
    """Return the section that explains kinds of text."""
    head = ["## Words", "", "Kinds of text. Where one is asked for, a text of another form is a finding.", ""]
    rows = ((name, each.must, ", ".join(f"`{example}`" for example in each.examples)) for each, name in words.items())
    return [*head, *table(("word", "must be", "for example"), rows)]


def sentence(part: Part) -> str:
    """Return what a part is, from its docstring."""
    return " ".join((part.__doc__ or "").split())


def parts_in(here: Any) -> Iterator[Part]:
    """Yield the models and enumerations that a type names, outermost first."""
    kind, _ = bare(here)
    if isinstance(kind, type) and issubclass(kind, BaseModel | Enum):
        yield kind
    else:
        for member in get_args(kind):
            if member is not NoneType and member is not Ellipsis:
                yield from parts_in(member)


def parts_below(model: type[BaseModel]) -> Iterator[Part]:
    """Yield every part below a model, depth first, each once."""
    seen: set[Part] = set()

    def below(of: type[BaseModel]) -> Iterator[Part]:
        for field in of.model_fields.values():
            for part in parts_in(typed(field)):
                if part not in seen:
                    seen.add(part)
                    yield part
                    if issubclass(part, BaseModel):
                        yield from below(part)

    yield from below(model)


def default(field: FieldInfo) -> str:
    """Return a field's default as a file would spell it."""
    if field.is_required():
        return "required"
    factory = cast(Callable[[], Any] | None, field.default_factory)
    value = _plain(factory() if factory else field.default)
    if value is None or value == "":
        return "–"
    return f"`{yaml.safe_dump(value, default_flow_style=True, width=1000).strip().removesuffix('...').strip()}`"


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in cast(Mapping[Any, Any], value).items()}
    return [_plain(inner) for inner in cast(tuple[Any, ...], value)] if isinstance(value, tuple) else value


def _least(metadata: Iterable[Any]) -> str:
    least = next((limit for each in metadata if (limit := getattr(each, "min_length", None))), 0)
    return f" (at least {least})" if least else ""
