"""ModSecurity's configuration language, as libmodsecurity 3 reads it: directives, their arguments, the actions of rules."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import Final

from policies.reading.values import UnknownValueError

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
_RULES: Final[Mapping[str, int]] = {"secaction": 0, "secrule": 2, "secdefaultaction": 0}
"""Directives with a list of actions, in small letters, and the position of that list among their arguments."""

_MANY: Final = 10_000

KNOWN: Final[Mapping[str, tuple[int, int]]] = {
    "include": (1, 1),
    "secrule": (2, 3),
    "secaction": (1, 1),
    "secdefaultaction": (1, 1),
    "secmarker": (1, 1),
    "seccomponentsignature": (1, 1),
    "secruleremovebyid": (0, _MANY),
    "secruleremovebytag": (0, _MANY),
    "secruleremovebymsg": (0, _MANY),
    "secruleupdatetargetbyid": (0, _MANY),
    "secruleupdatetargetbytag": (0, _MANY),
    "secruleupdatetargetbymsg": (0, _MANY),
    "secruleupdateactionbyid": (0, _MANY),
    "secunicodemapfile": (1, 2),
    "secresponsebodymimetype": (1, _MANY),
    **dict.fromkeys(
        (
            "secruleengine",
            "secrequestbodyaccess",
            "secrequestbodylimit",
            "secrequestbodynofileslimit",
            "secrequestbodyinmemorylimit",
            "secrequestbodylimitaction",
            "secrequestbodyjsondepthlimit",
            "secresponsebodyaccess",
            "secresponsebodylimit",
            "secresponsebodylimitaction",
            "sectmpdir",
            "secdatadir",
            "secuploaddir",
            "secuploadkeepfiles",
            "secargumentseparator",
            "seccookieformat",
            "secauditengine",
            "secauditlog",
            "secauditlog2",
            "secauditlogrelevantstatus",
            "secauditlogparts",
            "secauditlogtype",
            "secauditlogformat",
            "secauditlogstoragedir",
            "secauditlogdirmode",
            "secauditlogfilemode",
            "secdebuglog",
            "secdebugloglevel",
            "secstatusengine",
            "seccollectiontimeout",
        ),
        (1, 1),
    ),
}
"""Directives whose effect is known, in small letters, and how many arguments each takes, least and most."""


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
    def key(self) -> str:
        """Return the name in small letters: ModSecurity does not tell case."""
        return self.name.lower()

    @property
    def place(self) -> str:
        """Return file and line."""
        return f"{self.file}:{self.line}"

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """Return the actions of a rule; empty for other directives.

        Raises:
            UnknownValueError: if the list of actions cannot be read to its end.
        """
        position = _RULES.get(self.key)
        if position is None or position >= len(self.arguments):
            return ()
        text, found, end = self.arguments[position].strip(), list[Action](), 0
        while end < len(text):
            match = _ACTION.match(text, end)
            if match is None:
                raise UnknownValueError(f"{self.place}: {text[end:]}", "a list of actions that cannot be read")
            found.append(Action(name=match[1].lower(), value=(match[2] or "").strip().strip("'").strip()))
            end = match.end()
        return tuple(found)


@lru_cache(maxsize=2**8)
def directives(text: str, file: str) -> tuple[Directive, ...]:
    """Return the directives of one file, includes not followed.

    Raises:
        UnknownValueError: for a directive that is not known, and for lines of which it is not clear where they end.
    """
    found: list[Directive] = []
    line = 1
    for logical in _logical_lines(text):
        content = _CONTINUED.sub(" ", logical).strip()
        if content.startswith("#"):
            if "\n" in logical.strip():  # ModSecurity itself goes on in some comments and not in others
                raise UnknownValueError(f"{file}:{line}", "a comment that ends in a backslash, of which it is not clear where it ends")
        elif content:
            name, *rest = content.split(None, 1)
            arguments = tuple(_unquoted(match) for match in _ARGUMENT.finditer(rest[0] if rest else ""))
            directive = Directive(name=name, arguments=arguments, file=file, line=line)
            least, most = KNOWN.get(directive.key, (1, 0))
            if not least <= len(arguments) <= most:
                raise UnknownValueError(
                    f"{directive.place}: {directive}", "a directive of ModSecurity of which it is not known what it does"
                )
            found.append(directive)
        line += logical.count("\n") + 1
    return tuple(found)


def followed(file: str, files: Mapping[str, str], seen: frozenset[str] = frozenset()) -> Iterator[Directive]:
    """Yield the directives of a file in the order in which they hold, with those of included files in their place.

    An `Include` of files that are not there is yielded itself: it names something in the image.
    """
    if file in seen or file not in files:
        return
    for directive in directives(files[file], file):
        included = _included(directive, files) if directive.key == "include" else ()
        if not included:
            yield directive
        for name in included:
            yield from followed(name, files, seen | {file})


def value_of(name: str, all_directives: tuple[Directive, ...]) -> Directive | None:
    """Return the directive of a name that holds: the last one."""
    return next((directive for directive in reversed(all_directives) if directive.key == name.lower()), None)


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
