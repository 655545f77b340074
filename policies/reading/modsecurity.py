"""ModSecurity's configuration language, as libmodsecurity 3 reads it: directives, their arguments, the actions of rules."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Final

CORE_RULE_SET: Final = re.compile(
    r"^/(?:opt/owasp-crs|etc/modsecurity\.d/owasp-crs|usr/share/modsecurity-crs)/rules/(?:\*|REQUEST-\*)\.conf$"
)
"""Includes that load the whole OWASP core rule set, by the paths of the images and packages that carry it."""

CORE_RULE_SET_SETUP: Final = re.compile(
    r"^/(?:opt/owasp-crs|etc/modsecurity\.d/owasp-crs|etc/modsecurity/crs)/(?:crs-setup\.conf|plugins/\*.*\.conf)$"
)
"""Includes of the core rule set's own settings and of plugins beside it, of which the images carry none."""

_CONTINUED = re.compile(r"\\\s*\n\s*")
_ARGUMENT = re.compile(r'"((?:\\.|[^"\\])*)"|\'((?:\\.|[^\'\\])*)\'|(\S+)')
_ACTION = re.compile(r"\s*([A-Za-z]+)(?::('(?:\\.|[^'\\])*'|[^,]*))?\s*(?:,|$)")
_RULES: Final[Mapping[str, int]] = {"SecAction": 0, "SecRule": 2, "SecRuleScript": 1, "SecDefaultAction": 0}
"""Directives with a list of actions, and the position of that list among their arguments."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """One action of a rule: `ctl:ruleEngine=Off` has the name `ctl` and the value `ruleEngine=Off`."""

    name: str
    value: str = ""

    def __str__(self) -> str:
        """Write the action as it stands in the rule."""
        return f"{self.name}:{self.value}" if self.value else self.name


@dataclass(frozen=True, kw_only=True)
class Directive:
    """One directive, with where it stands."""

    name: str
    arguments: tuple[str, ...]
    file: str
    line: int

    def __str__(self) -> str:
        """Write the directive as it stands in the file."""
        return " ".join((self.name, *self.arguments))

    @property
    def place(self) -> str:
        """Return file and line."""
        return f"{self.file}:{self.line}"

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """Return the actions of a rule; empty for other directives."""
        position = _RULES.get(self.name)
        if position is None or position >= len(self.arguments):
            return ()
        return tuple(
            Action(name=match[1].lower(), value=(match[2] or "").strip("'")) for match in _ACTION.finditer(self.arguments[position])
        )


def directives(text: str, file: str) -> tuple[Directive, ...]:
    """Return the directives of one file, includes not followed."""
    found: list[Directive] = []
    line = 1
    for logical in _logical_lines(text):
        content = _CONTINUED.sub(" ", logical).strip()
        if content and not content.startswith("#"):
            name, _, rest = content.partition(" ")
            arguments = tuple(_unquoted(match) for match in _ARGUMENT.finditer(rest))
            found.append(Directive(name=name, arguments=arguments, file=file, line=line))
        line += logical.count("\n") + 1
    return tuple(found)


def followed(file: str, files: Mapping[str, str], seen: frozenset[str] = frozenset()) -> Iterator[Directive]:
    """Yield the directives of a file in the order in which they hold, with those of included files in their place.

    An `Include` of files that are not there is yielded itself: it names something in the image.
    """
    if file in seen or file not in files:
        return
    for directive in directives(files[file], file):
        included = _included(directive, files) if directive.name == "Include" else ()
        if not included:
            yield directive
        for name in included:
            yield from followed(name, files, seen | {file})


def value_of(name: str, all_directives: tuple[Directive, ...]) -> Directive | None:
    """Return the directive of a name that holds: the last one."""
    return next((directive for directive in reversed(all_directives) if directive.name.lower() == name.lower()), None)


def _included(directive: Directive, files: Mapping[str, str]) -> tuple[str, ...]:
    pattern = directive.arguments[0] if directive.arguments else ""
    if not pattern.startswith("/"):
        pattern = str(PurePosixPath(directive.file).parent / pattern)
    return tuple(
        sorted(name for name in files if PurePosixPath(name).match(pattern) and PurePosixPath(name).parent == PurePosixPath(pattern).parent)
    )


def _logical_lines(text: str) -> Iterator[str]:
    """Yield lines, with lines that end in a backslash joined to the next by their line break."""
    held: list[str] = []
    for line in text.split("\n"):
        held.append(line)
        if not line.rstrip().endswith("\\"):
            yield "\n".join(held)
            held = []
    if held:
        yield "\n".join(held)


def _unquoted(match: re.Match[str]) -> str:
    text = next(group for group in match.groups() if group is not None)
    return text.replace('\\"', '"')
