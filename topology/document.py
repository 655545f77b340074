"""A topology file as plain values, with the line of each."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from topology.findings import Finding, KeyPath, Verbatim, spell


@dataclass(kw_only=True)
class Document:
    """What a reader builds: the values, where each stands, and what was wrong with the writing itself."""

    value: Any = None
    lines: dict[KeyPath, int] = field(default_factory=dict[KeyPath, int])
    """Line of each key, and of each item of a list."""
    texts: dict[KeyPath, str] = field(default_factory=dict[KeyPath, str])
    """How values that are not texts are spelled: `2.0`, `yes`."""
    findings: list[Finding] = field(default_factory=list[Finding])
    twice: dict[KeyPath, int] = field(default_factory=dict[KeyPath, int])
    """How often each key stands there that stands there more than once."""

    @property
    def is_mapping(self) -> bool:
        """Whether it can be a topology at all."""
        return isinstance(self.value, dict)

    def place(self, findings: Iterable[Finding], file: str) -> list[Finding]:
        """Return findings in the order of the file, each with its file, its line, and the given value as it is spelled there."""
        placed: list[Finding] = []
        for finding in findings:
            path, given = finding.path, finding.given
            if given is not None and not isinstance(given, str) and path in self.texts:
                given = Verbatim(self.texts[path])
            placed.append(replace(finding, file=file, line=finding.line or self.line(path), given=given))
        return sorted(placed, key=lambda finding: (finding.line, spell(finding.path)))

    def line(self, path: KeyPath) -> int:
        """Return the line of a key, or of the nearest around it; 0 where there is none."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)
