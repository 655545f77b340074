"""What kept a command from an answer: each problem with its place in a file, where it has one."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from topology.findings import Finding, TopologyError, spell

PLACE = re.compile(r"(?P<file>[^\s:][^:\n]*):(?:(?P<line>[0-9]+):)? (?P<rest>.+)", re.DOTALL)
"""`file:line: message`, as compilers write it (GNU Coding Standards, Formatting Error Messages), and as every finding of ours begins."""

INPUT = "input"
"""What was given is wrong."""

FAILURE = "failure"
"""Perimeter itself is."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One problem.

    Attributes:
        kind: `input` or `failure`.
        message: what is wrong, and why it cannot be.
        fix: what to do.
        where: the place inside the file, as people spell it.
        file: the file, as it is found from the folder in which the command runs; empty where none is to blame.
        line: its line, counted from 1; 0 where it is not known.
    """

    message: str
    kind: str = INPUT
    fix: str = ""
    where: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Return the problem as people read it."""
        place = f"{self.file}:{self.line}: " if self.line else f"{self.file}: " if self.file else ""
        return f"{place}{f'{self.where}: ' if self.where else ''}{self.message}{f' ({self.fix})' if self.fix else ''}"


def problems_of(error: Exception) -> tuple[Problem, ...]:
    """Return everything that an error of ours says."""
    if isinstance(error, TopologyError):
        return tuple(map(_of_a_topology, error.findings))
    findings: Iterable[object] = getattr(error, "findings", None) or str(error).splitlines()
    return tuple(_of_a_text(str(finding)) for finding in findings)


def nearby(file: Path | str) -> str:
    """Return a file as it is found from the current folder, where it lies below."""
    path, here = Path(file).absolute(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _of_a_topology(finding: Finding) -> Problem:
    where = spell(finding.path) if finding.path else ""
    return Problem(message=finding.said, fix=finding.suggestion, where=where, file=nearby(finding.file), line=finding.line)


def _of_a_text(text: str) -> Problem:
    found = PLACE.fullmatch(text)
    if found is None or not Path(found["file"]).is_file():
        return Problem(message=text)
    return Problem(message=found["rest"], file=nearby(found["file"]), line=int(found["line"] or 0))
