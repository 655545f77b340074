"""YAML files of a project: their values as Pulumi reads them, the line of each, and what is wrong with their writing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from planner.errors import PlanError

KeyPath = tuple[str | int, ...]
"""Keys and positions in lists from the top of the file."""

MOST_VALUES = 100_000
"""So many values may a file have, those that aliases repeat counted each time: aliases of aliases would make gigabytes of a few lines."""

DEEPEST = 64
"""No value of a project or a stack lies as deep."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file that holds a mapping.

    Attributes:
        file: where it is.
        value: what it holds.
        lines: of each key and of each item of a list, counted from 1.
        findings: each with its file and line; what is written twice has its last value, until then.
    """

    file: Path
    value: Mapping[str, Any]
    lines: Mapping[KeyPath, int] = field(default_factory=dict[KeyPath, int])
    findings: tuple[str, ...] = ()

    def at(self, *path: str | int) -> str:
        """Return a place in the file as compilers write it: `file:line`, or the file alone where nothing is there."""
        line = self.lines.get(path)
        return f"{self.file}:{line}" if line else str(self.file)


def load_document(file: Path) -> Document:
    """Read a file. An empty one holds nothing.

    Raises:
        PlanError: where it cannot be read, or holds no mapping.
    """
    try:
        loader = _Loader(file.read_text(encoding="utf-8"))
        node: yaml.Node | None = cast(Any, loader).get_single_node()
        places = list(_places(node, (), (), [0])) if node else []
        value: object = cast(Any, loader).construct_document(node) if node else {}
    except UnicodeDecodeError as error:
        raise PlanError(
            [f"{file}: is not UTF-8: byte {error.object[error.start]:#04x} at offset {error.start}. Save it as UTF-8."]
        ) from error
    except OSError as error:
        raise PlanError([f"{file}: cannot be read: {error.strerror}."]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise PlanError([f"{file}:{line}: is not YAML: {_problem(error)}.{_tab(file, line)}"]) from error
    except yaml.reader.ReaderError as error:
        raise PlanError([f"{file}: is not YAML: {error.reason}, at position {error.position}. Remove what stands there."]) from error
    except RecursionError as error:
        raise PlanError([f"{file}: is nested deeper than a stack is."]) from error
    except _Refused as refused:
        raise PlanError([f"{file}:{refused.line}: {refused.reason}"]) from refused
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise PlanError([f"{file}:1: holds no mapping. Expected keys with values, such as `name: shop`."])
    lines: dict[KeyPath, int] = {}
    findings: list[str] = []
    for path, line, is_key in places:
        if is_key and path in lines:
            findings.append(f"{file}:{line}: {spell(path)}: is written twice, first on line {lines[path]}. Merge the two.")
        lines.setdefault(path, line)
    return Document(file=file, value=cast(dict[str, Any], value), lines=lines, findings=tuple(findings))


def spell(path: KeyPath) -> str:
    """Return a path as people write it: `a.b[1]`; the keys of a stack's configuration stand for themselves."""
    inside = path[1:] if path[:1] == ("config",) and len(path) > 1 else path
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in inside).removeprefix(".")


class _Refused(Exception):
    """The rest of the file is not worth reading."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def _places(node: yaml.Node, path: KeyPath, around: tuple[yaml.Node, ...], count: list[int]) -> Iterator[tuple[KeyPath, int, bool]]:
    """Yield each key and each item of a list below a node: its path, its line, and whether it is a key.

    Args:
        node: where to begin.
        path: of the node.
        around: the nodes that it lies in.
        count: of what was yielded so far.
    """
    if not isinstance(node, yaml.CollectionNode):
        return
    line = node.start_mark.line + 1
    if len(around) > DEEPEST:
        raise _Refused(line, "is nested deeper than a stack is.")
    for part, start, inner, is_key in _entries(node):
        count[0] += 1
        if count[0] > MOST_VALUES:
            raise _Refused(line, "repeats more values by aliases than a stack has. Write them out.")
        if inner in (*around, node):
            raise _Refused(start.start_mark.line + 1, "holds an alias of a value inside of which it stands. Write the value.")
        yield (*path, part), start.start_mark.line + 1, is_key
        yield from _places(inner, (*path, part), (*around, node), count)


def _entries(node: yaml.CollectionNode) -> Iterator[tuple[str | int, yaml.Node, yaml.Node, bool]]:
    """Yield the entries of a mapping or a list: key or position, the node whose line is shown, the value's node, whether it is a key."""
    if isinstance(node, yaml.MappingNode):
        for key, value in cast(list[tuple[yaml.Node, yaml.Node]], node.value):
            if isinstance(key, yaml.ScalarNode):
                yield key.value, key, value, True
    else:
        for position, item in enumerate(cast(list[yaml.Node], node.value)):
            yield position, item, item, False


def _problem(error: yaml.MarkedYAMLError) -> str:
    """Return what PyYAML says is wrong; some of its sentences begin in the context."""
    said = error.problem or ""
    return f"{error.context} {said}" if said.startswith("but ") else said or str(error.context)


def _tab(file: Path, line: int) -> str:
    """Return what to do where a line is indented with a tab."""
    shown = (file.read_text(encoding="utf-8").splitlines() or [""])[line - 1 :][:1]
    return " Use spaces: the line is indented with a tab." if any("\t" in each[: len(each) - len(each.lstrip())] for each in shown) else ""


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars, as Pulumi reads them: `on` and `12:30` are text, which PyYAML would make a truth value and a number."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 # PyYAML's way to begin without its own resolvers

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Return the value of a node; PyYAML's constructors end with errors of Python's at `08` or `!!int x`."""
        try:
            return cast(Any, super()).construct_object(node, deep)
        except (ValueError, AttributeError) as error:
            raise _Refused(node.start_mark.line + 1, f"{node.value} cannot be read as a value. Write it in quotes.") from error


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("merge", r"<<", "<"),
):
    cast(Any, _Loader).add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), [*_first, *([""] if _tag == "null" else [])]
    )
