"""Read a topology file: the only place of this room that touches a file."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import yaml
from pydantic import ValidationError

from topology.document import Document
from topology.explain import MISSING, explain
from topology.findings import Finding, KeyPath, TopologyError, did_you_mean, spell
from topology.laws import admit
from topology.model.system import Topology
from topology.salvage import salvage

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it: ten times as fast."""

DEEPEST = 16
"""No value of a topology lies deeper than half of this."""

MOST_ALIASED = 100_000
"""So many values may be repeated by aliases. Aliases of aliases would otherwise make gigabytes of a few lines."""

STR = "tag:yaml.org,2002:str"
PLAIN_TAGS = frozenset({None, "!", STR})
"""Tags that change nothing, or only say that a value is a text."""

MOST_COPIES = 8
"""So many copies of a key that is written more than once are looked into."""

LAST = sys.maxsize
"""Of the copies of a key, the last."""

UNNAMED = -1
"""The part of a path that stands for a key that is not read."""

FOLDERS = ("", "stacks/")
"""Where topology files are, seen from the folder of one that was not found."""

MERGE = "<<"
"""The key by which YAML takes over the entries of another mapping."""

CONVERTED = frozenset(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null", "timestamp"))
"""What YAML takes a plain value for, if it is not a text."""


def load(path: Path) -> Topology:
    """Read, parse and admit one topology file.

    Raises:
        TopologyError: with every finding, each with file, line, path, given value, reason and suggestion.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8: byte {error.object[error.start]:#04x} at offset {error.start}"
        raise TopologyError([Finding(path=(), given=None, reason=reason, suggestion="save it as UTF-8", file=str(path))]) from error
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise TopologyError([Finding(path=(), given=None, reason=reason, suggestion=_others(path), file=str(path))]) from error
    return parse(text, file=str(path))


def _others(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    others = [str(other.relative_to(path.parent)) for folder in FOLDERS for other in path.parent.glob(f"{folder}*.topology.yaml")]
    return did_you_mean(path.name, others) if others else f"there is no *.topology.yaml in {path.parent}, nor in stacks/ there"


def placed(findings: Iterable[Finding], path: Path) -> list[Finding]:
    """Return findings on a topology that was loaded from a file with their lines there, in the order of the file."""
    return read(path.read_text(encoding="utf-8")).place(findings, str(path))


def lines_of(path: Path) -> Callable[[KeyPath], int]:
    """Return a function from a path of keys to its line in a topology file, or to that of the nearest key around it."""
    return read(path.read_text(encoding="utf-8")).line


def parse(text: str, *, file: str = "") -> Topology:
    """Parse and admit the text of a topology file; `file` is only named in findings.

    Raises:
        TopologyError: with every finding.
    """
    document = read(text)
    if document.findings and not document.is_mapping:
        raise TopologyError(document.place(document.findings, file))
    try:
        t = Topology.model_validate(document.value)
        if not document.findings:
            return admit(t)
        found = salvage(document.value, None, _doubtful(document))
    except ValidationError as error:
        found = [*_explained(document, error), *salvage(document.value, error, _doubtful(document))]
    except TopologyError as error:
        found = [*error.findings]
    placed = [*document.place([*document.findings, *found], file), *_in_copies(text, document, file)]
    once = {str(finding): finding for finding in placed}
    raise TopologyError(sorted(once.values(), key=lambda finding: (finding.line, spell(finding.path))))


def _in_copies(text: str, document: Document, file: str) -> Iterator[Finding]:
    """Yield what is wrong with the form of what stands in the earlier copies of keys that are written more than once.

    What is missing from one of them may stand in another.
    """
    for copy in range(min(max(document.twice.values(), default=1), MOST_COPIES) - 1):
        other = read(text, copy=copy)
        try:
            Topology.model_validate(other.value)
        except ValidationError as error:
            inside = [each for each in explain(error) if any(each.path[: len(path)] == path for path in document.twice)]
            yield from other.place([each for each in inside if each.path[:-1] not in document.twice or each.reason != MISSING], file)


def _doubtful(document: Document) -> set[KeyPath]:
    """Return the places of which the text may say something else than was read."""
    return {finding.path[:-1] if finding.path[-1] == MERGE else finding.path for finding in document.findings if finding.path}


def _explained(document: Document, error: ValidationError) -> list[Finding]:
    """Return what is wrong with the form; where keys were to be merged, they are neither unknown nor missing."""
    merged = {finding.path[:-1] for finding in document.findings if finding.path[-1:] == (MERGE,)}
    return [finding for finding in explain(error) if finding.path[:-1] not in merged]


def read(text: str, copy: int = LAST) -> Document:
    """Build the values of a YAML text, with the line of each, and the findings that keep it from being a topology file.

    Args:
        text: the file.
        copy: which copy counts of a key that is written more than once, from 0; the last where there are fewer.
    """
    document = Document()
    try:
        _Reader(text, document, copy).read()
    except _RefusedError as refused:
        document.value = None
        document.findings.append(refused.finding)
    except yaml.reader.ReaderError as error:
        document.value = None
        character = error.character if isinstance(error.character, str) else chr(error.character)
        line = text.count("\n", 0, max(text.find(character), 0)) + 1
        reason = f"is not YAML: it holds the character U+{ord(character):04X}"
        document.findings.append(Finding(path=(), given=None, reason=reason, suggestion="remove it", line=line))
    except yaml.MarkedYAMLError as error:
        document.value = None
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        shown = (text.splitlines() or [""])[min(line, len(text.splitlines())) - 1]
        tab = "\t" in shown[: len(shown) - len(shown.lstrip())]
        suggestion = "the line is indented with a tab: use spaces" if tab else ""
        reason = f"is not YAML: {error.problem or error.context}"
        document.findings.append(Finding(path=(), given=None, reason=reason, suggestion=suggestion, line=line))
    return document


class _RefusedError(Exception):
    """The rest of the text is not worth reading."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.reason)
        self.finding = finding


@dataclass(frozen=True, kw_only=True)
class _Anchored:
    """A value with a name, and what was noted inside it, by path from it."""

    value: Any
    lines: dict[KeyPath, int]
    texts: dict[KeyPath, str]


class _Reader:
    """Builds values from the parser's events, never deeper than a topology is, so that no text can exhaust stack or memory."""

    def __init__(self, text: str, document: Document, copy: int) -> None:
        self._loader: Any = _Loader(text)
        self._copy = copy
        self._document = document
        self._paths: list[KeyPath] = []
        self._aliased = 0
        self._anchors: dict[str, _Anchored | None] = {}

    def read(self) -> None:
        try:
            self._loader.get_event()  # of the stream
            if self._loader.check_event(yaml.StreamEndEvent):
                self._refuse((), "is empty", "begin with `system: <name>`", line=1)
            self._loader.get_event()  # of the document
            self._document.value = self._value(())
            self._loader.get_event()
            if not self._loader.check_event(yaml.StreamEndEvent):
                line = self._loader.get_event().start_mark.line + 1
                self._refuse((), "holds a second document", "one file says one system", line=line)
        finally:
            self._loader.dispose()
        if not self._document.findings and not isinstance(self._document.value, dict):
            self._note((), "must be a mapping", "begin with `system: <name>`", line=1)

    def _value(self, path: KeyPath, event: Any = None) -> Any:
        event = event or self._loader.get_event()
        line: int = event.start_mark.line + 1
        self._record(path, line)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(path, event.anchor, line)
        if event.tag not in PLAIN_TAGS:
            reason = f"has the tag {event.tag}, which means nothing here"
            self._refuse(path, reason, "remove it", line=line)
        first = len(self._paths)
        if event.anchor:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.MappingStartEvent):
            value: Any = self._mapping(path)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(path)
        else:
            value = self._scalar(path, event)
        if event.anchor:
            inside = self._paths[first:]
            lines = {p[len(path) :]: self._document.lines[p] for p in inside}
            texts = {p[len(path) :]: self._document.texts[p] for p in (path, *inside) if p in self._document.texts}
            self._anchors[event.anchor] = _Anchored(value=value, lines=lines, texts=texts)
        return value

    def _record(self, path: KeyPath, line: int) -> None:
        self._document.lines[path] = line
        self._document.texts.pop(path, None)
        self._paths.append(path)
        if len(path) > DEEPEST:
            self._refuse(path[:DEEPEST], "is nested deeper than a topology is", "", line=line)

    def _alias(self, path: KeyPath, anchor: Any, line: int) -> Any:
        if anchor not in self._anchors:
            self._refuse(path, f"is an alias of &{anchor}, which is not defined above", "define it, or write the value", line=line)
        anchored = self._anchors[anchor]
        if anchored is None:
            self._refuse(path, f"is an alias of &{anchor}, inside of which it stands", "write the value", line=line)
        self._aliased += 1 + len(anchored.lines)
        if self._aliased > MOST_ALIASED:
            self._refuse(path, "repeats more values by aliases than a topology has", "write them out", line=line)
        for inner, place in anchored.lines.items():
            self._record((*path, *inner), place)
        for inner, text in anchored.texts.items():
            self._document.texts[*path, *inner] = text
        return anchored.value

    def _mapping(self, path: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        first: dict[str, int] = {}
        while not self._loader.check_event(yaml.MappingEndEvent):
            event: Any = self._loader.get_event()
            line: int = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                self._note(path, "has a key that is not a text", "write a plain name before the ':'", line=line)
                self._value((*path, UNNAMED), event)
                self._value((*path, UNNAMED))
                continue
            key: str = event.value  # as it is spelled: `2.0`, `no` and `1` are names like any other
            inner = (*path, key)
            seen = self._document.twice.get(inner, 1) if key in result else 0
            if seen:
                self._note(inner, f"is written twice, first on line {first[key]}", "merge the two", line=line)
                self._document.twice[inner] = seen + 1
            if key == MERGE and event.implicit[0]:
                suggestion = "write the keys, or give a whole value an alias"
                self._note(inner, "would merge keys that a reader does not see here", suggestion, line=line)
            if seen > self._copy:
                self._value((*path, UNNAMED))
                continue
            first.setdefault(key, line)
            result[key] = self._value(inner)
            self._document.lines[inner] = line  # of the key, wherever its value begins
        self._loader.get_event()
        return result

    def _sequence(self, path: KeyPath) -> list[Any]:
        result: list[Any] = []
        while not self._loader.check_event(yaml.SequenceEndEvent):
            result.append(self._value((*path, len(result))))
        self._loader.get_event()
        return result

    def _scalar(self, path: KeyPath, event: Any) -> Any:
        tag: str = STR if event.tag == STR else self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag not in CONVERTED:
            return event.value
        self._document.texts[path] = event.value
        try:
            return self._loader.construct_object(yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark))
        except ValueError:  # the 30th of February, a number of 5,000 digits
            return event.value

    def _note(self, path: KeyPath, reason: str, suggestion: str, *, line: int) -> None:
        self._document.findings.append(Finding(path=_named(path), given=None, reason=reason, suggestion=suggestion, line=line))

    def _refuse(self, path: KeyPath, reason: str, suggestion: str, *, line: int) -> NoReturn:
        raise _RefusedError(Finding(path=_named(path), given=None, reason=reason, suggestion=suggestion, line=line))


def _named(path: KeyPath) -> KeyPath:
    """Return a path as far as its keys are read."""
    return path[: path.index(UNNAMED)] if UNNAMED in path else path
