"""No verdict: what kept a command from one. People read it on standard error, programs in the format that they asked for."""

import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from cli.commands.options import Format, asked_format
from cli.errors import ExitCode
from cli.problems import FAILURE, INPUT, Problem
from cli.report.artifacts import location
from cli.report.markup import escaped
from conformance.report.machine import CONTROL_CHARACTERS

NOTHING: Final = "nothing was planned or judged."

RULES: Final = {INPUT: "what was given is wrong", FAILURE: "perimeter itself failed"}
"""What takes the place of a rule, where none was asked."""


def refuse(problems: Sequence[Problem], end: str = NOTHING) -> ExitCode:
    """Write every problem, their number and what came of it; return the exit code that says the same."""
    console = Console(stderr=True, highlight=False)
    for problem in problems:
        console.print(_shown(problem, console), soft_wrap=not console.is_terminal)
    console.print(Text(f"\n{len(problems)} {'finding' if len(problems) == 1 else 'findings'}; {end}", style="bold"), soft_wrap=True)
    if (output := asked_format()) is not Format.TEXT:
        sys.stdout.write(MACHINE[output](problems, end))
    return ExitCode.UNDECIDED


def _shown(problem: Problem, console: Console) -> Text | Group:
    """Return a problem as one line, as tools and logs read it; on a terminal too narrow for that, place, reason and remedy below each other."""
    line = Text.assemble(("✗ ", "red"), str(problem))
    if not console.is_terminal or line.cell_len <= console.width:
        return line
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    head = Text.assemble(("✗ ", "red"), f"{place}  " if place else "", (problem.where, "bold"))
    fix = Text.assemble(("→ ", "green"), problem.fix)
    below = [Padding(text, (0, 0, 0, 2)) for text in (Text(problem.message), fix if problem.fix else None) if text]
    return Group(head, *below) if place or problem.where else line


def _json(problems: Sequence[Problem], end: str) -> str:
    """Return the findings with the keys of a verdict's findings, and their place. There is no verdict."""
    findings: list[dict[str, Any]] = [
        {
            "rule": problem.kind,
            "verdict": None,
            "message": problem.message,
            "fix": problem.fix,
            "resource": problem.where,
            "urn": "",
            "path": [],
            "file": problem.file,
            "line": problem.line or None,
            "rules": [problem.kind],
        }
        for problem in problems
    ]
    return json.dumps({"verdict": None, "error": end, "findings": findings}, indent=2) + "\n"


def _sarif(problems: Sequence[Problem], end: str) -> str:
    """Return a SARIF log of a run that did not succeed."""
    driver = {
        "name": "perimeter",
        "version": version("perimeter"),
        "rules": [{"id": kind, "name": kind, "shortDescription": {"text": text}} for kind, text in RULES.items()],
    }
    invocation = {
        "executionSuccessful": False,
        "exitCode": int(ExitCode.UNDECIDED),
        "toolExecutionNotifications": [{"level": "error", "message": {"text": end}}],
    }
    run = {"tool": {"driver": driver}, "invocations": [invocation], "results": [_result(problem) for problem in problems]}
    return json.dumps({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(problem: Problem) -> dict[str, Any]:
    place: dict[str, Any] = {}
    if problem.file:
        place["physicalLocation"] = location(Path(problem.file), problem.line)
    if problem.where:
        place["logicalLocations"] = [{"fullyQualifiedName": problem.where}]
    fix = f" ({problem.fix})" if problem.fix else ""
    where = f"{problem.where}: " if problem.where else ""
    return {
        "ruleId": problem.kind,
        "level": "error",
        "message": {"text": f"{where}{problem.message}{fix}"},
        "locations": [place] if place else [],
        "partialFingerprints": {"finding/v1": f"{problem.kind}|{problem.file}|{problem.where}|{problem.message}"},
    }


def _junit(problems: Sequence[Problem], end: str) -> str:
    """Return a test suite in which each problem is a case that ended with an error."""
    number = str(len(problems))
    suite = Element("testsuite", name=f"perimeter: {end}", tests=number, failures="0", errors=number)
    for problem in problems:
        place = f"{problem.file}:{problem.line}" if problem.line else problem.file
        name = _text(problem.where or place or problem.message.partition("\n")[0])
        case = SubElement(suite, "testcase", classname=f"perimeter.{problem.kind}", name=name)
        if problem.file:
            case.set("file", _text(problem.file))
        if problem.line:
            case.set("line", str(problem.line))
        SubElement(case, "error", message=_text(problem.message), type=problem.kind).text = _text(str(problem))
    indent(suite)
    return tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _markdown(problems: Sequence[Problem], end: str) -> str:
    """Return a heading that says that there is no verdict, and an item for each problem."""
    return "\n".join(["# No verdict", "", escaped(end), "", *(f"- {escaped(str(problem))}" for problem in problems), ""])


def _text(text: str) -> str:
    return CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", text)


MACHINE: Final[Mapping[Format, Any]] = {Format.JSON: _json, Format.SARIF: _sarif, Format.JUNIT: _junit, Format.MARKDOWN: _markdown}
