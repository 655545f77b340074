"""`perimeter judge`: a verdict on a plan or on what is deployed."""

import re
import sys
from pathlib import Path

from cli.commands.options import HERE, Folder, Format, OutputFormat, PlanFile, TopologyFile, Verbose
from cli.errors import UsageError
from cli.judging import judge_plan
from cli.project import Project
from cli.report import write
from planner.errors import PlanError
from planner.plan import Plan
from policies.intent import topology_named_by

_LINE = re.compile(r"^line (\d+), (?=column \d+: )")
"""How the planner's findings begin where JSON is broken."""


def judge(
    plan: PlanFile,
    topology: TopologyFile = None,
    format: OutputFormat = Format.TEXT,  # the option is called --format
    verbose: Verbose = False,
    project: Folder = HERE,
) -> None:
    """Judge a file: a plan of ours, or a `pulumi stack export`. The topology is the one given, else the one the plan's top component names.

    Who operates a cloud's cluster is read in the file of the plan's stack, here in the project.
    """
    home = Project.find(project.resolve())
    made = _parsed(plan)
    path = topology.resolve() if topology else topology_named_by(made.resources, home.root)
    if path is None:
        raise UsageError(f"{plan}: no resource of type perimeter:system:System names a topology file. Give --topology FILE.")
    sys.exit(write(judge_plan(home, made, path, subject=plan), format, verbose=verbose))


def _parsed(plan: str) -> Plan:
    try:
        return Plan.from_json(_read(plan))
    except PlanError as error:
        name = "standard input" if plan == "-" else plan
        raise PlanError(_placed(name, finding) for finding in error.findings) from error


def _placed(name: str, finding: str) -> str:
    """Return a finding with its file, and with its line where compilers write it."""
    return _LINE.sub(lambda line: f"{name}:{line[1]}: ", finding) if _LINE.match(finding) else f"{name}: {finding}"


def _read(plan: str) -> str:
    if plan == "-":
        return sys.stdin.read()
    try:
        return Path(plan).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else f"it is not UTF-8 (offset {error.start})"
        raise UsageError(f"{plan}: cannot be read: {reason}. Give a file that perimeter plan or pulumi stack export wrote.") from error
