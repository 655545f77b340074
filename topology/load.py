"""Read a topology file: the only place of this room that touches a file."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, Tag, ValidationError

from topology.findings import Finding, KeyPath, TopologyError, did_you_mean
from topology.laws import admit
from topology.model.system import Topology

Lines = dict[KeyPath, int]


def load(path: Path) -> Topology:
    """Read, parse and admit one topology file.

    Raises:
        TopologyError: with every finding, each with file, line, path, given value, reason and suggestion.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        suggestion = _other_files(path)
        raise TopologyError([Finding(path=(), given=None, reason=f"cannot be read: {error}", suggestion=suggestion, file=str(path))]) from error
    return parse(text, file=str(path))


def parse(text: str, *, file: str = "") -> Topology:
    """Parse and admit the text of a topology file; `file` is only named in findings."""
    lines: Lines = {}
    try:
        document, repeated = _compose(text, lines)
        if not repeated and not isinstance(document, dict):
            repeated = [Finding(path=(), given=None, reason="is not a mapping", suggestion="begin with `system: <name>`")]
        if repeated:
            raise TopologyError(repeated)
        return admit(Topology.model_validate(document))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = f"is not YAML: {getattr(error, 'problem', None) or error}"
        raise TopologyError([Finding(path=(), given=None, reason=reason, file=file, line=mark.line + 1 if mark else 0)]) from error
    except ValidationError as error:
        raise TopologyError(_placed(_explain(error), lines, file)) from error
    except TopologyError as error:
        raise TopologyError(_placed(error.findings, lines, file)) from error


def _other_files(path: Path) -> str:
    if not path.parent.is_dir():
        return ""
    return did_you_mean(path.name, [other.name for other in path.parent.glob("*.topology.yaml")])


def _compose(text: str, lines: Lines) -> tuple[Any, list[Finding]]:
    """Build the document, note the line of each value, and refuse repeated keys, which YAML would silently drop."""
    repeated: list[Finding] = []
    loader = yaml.SafeLoader(text)

    def walk(node: yaml.Node, path: KeyPath) -> Any:
        lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.SequenceNode):
            return [walk(child, (*path, index)) for index, child in enumerate(node.value)]
        if not isinstance(node, yaml.MappingNode):
            return loader.construct_object(node)  # pyright: ignore[reportUnknownMemberType] # PyYAML's stub says Any
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            inner = (*path, key)
            value = walk(value_node, inner)
            lines[inner] = key_node.start_mark.line + 1
            if key in result:
                repeated.append(Finding(path=inner, given=None, reason="is written twice", suggestion="merge the two"))
            result[key] = value
        return result

    try:
        root = loader.get_single_node()
        return (walk(root, ()) if root else None), repeated
    finally:
        loader.dispose()


def _placed(findings: tuple[Finding, ...] | list[Finding], lines: Lines, file: str) -> Iterator[Finding]:
    for finding in findings:
        path = finding.path
        while path and path not in lines:
            path = path[:-1]
        yield replace(finding, file=file, line=lines.get(path, 0))


REASONS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
}


def _explain(error: ValidationError) -> list[Finding]:
    found: dict[tuple[KeyPath, str], Finding] = {}
    for item in error.errors(include_url=False):
        path, owner = _in_file(item["loc"])
        kind = item["type"]
        reason = REASONS.get(kind) or _sentence(item["msg"])
        given = None if kind == "missing" else item["input"]
        suggestion = ""
        if kind == "extra_forbidden":
            given = None
            suggestion = did_you_mean(str(path[-1]), _keys(owner))
        if isinstance(given, dict | list | tuple | BaseModel):
            given = None
        found.setdefault((path, reason), Finding(path=path, given=given, reason=reason, suggestion=suggestion))
    return list(found.values())


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _in_file(location: tuple[int | str, ...]) -> tuple[KeyPath, type[BaseModel] | None]:
    """Return the path as it stands in the file (pydantic adds the tags of unions) and the model that owns its last key."""
    here: Any = Topology
    owner: type[BaseModel] | None = Topology
    path: list[str | int] = []
    for part in location:
        if part == "[key]":
            break
        members = _members(here)
        if part in members:
            here = members[part]
            continue
        if None in members:
            here = members[None]
        path.append(part)
        owner = here if isinstance(here, type) and issubclass(here, BaseModel) else None
        here = _inside(here, part)
    return tuple(path), owner


def _members(here: Any) -> dict[Any, Any]:
    """Return the members of a union by tag; the only member of an optional type by None."""
    if get_origin(here) is Annotated:
        here = get_args(here)[0]
    if get_origin(here) not in {Union, UnionType}:
        return {None: here}
    found: dict[Any, Any] = {}
    for member in get_args(here):
        tags = [item.tag for item in get_args(member)[1:] if isinstance(item, Tag)]
        if tags:
            found[tags[0]] = get_args(member)[0]
        elif member is not type(None):
            found[None] = member
    return found


def _inside(here: Any, part: str | int) -> Any:
    if isinstance(here, type) and issubclass(here, BaseModel):
        for name, field in here.model_fields.items():
            if part in {name, field.alias}:
                return field.annotation
        return None
    if get_origin(here) is Annotated:
        return _inside(get_args(here)[0], part)
    arguments = [argument for argument in get_args(here) if argument is not Ellipsis]
    return arguments[-1] if arguments else None


def _keys(owner: type[BaseModel] | None) -> list[str]:
    return [field.alias or name for name, field in owner.model_fields.items()] if owner else []
