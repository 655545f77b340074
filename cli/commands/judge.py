"""`perimeter judge`: a verdict on a plan or on what is deployed."""

import sys
from pathlib import Path

from cli.commands.options import HERE, Folder, Format, OutputFormat, PlanFile, TopologyFile, Verbose
from cli.errors import UsageError
from cli.judging import judge_plan
from cli.project import Project
from cli.report import write
from planner.plan import Plan
from policies.intent import topology_named_by


def judge(
    plan: PlanFile,
    topology: TopologyFile = None,
    format: OutputFormat = Format.TEXT,  # the option is called --format
    verbose: Verbose = False,
    project: Folder = HERE,
) -> None:
    """Judge a file: a plan of ours, or a `pulumi stack export`. The topology is the one given, else the one the plan's top component names."""
    home = Project.find(project.resolve())
    made = Plan.from_json(_read(plan))
    path = topology.resolve() if topology else topology_named_by(made.resources, home.root)
    if path is None:
        raise UsageError(f"{plan}: no resource of type perimeter:system:System names a topology file. Give --topology FILE.")
    sys.exit(write(judge_plan(home, made, path, subject=plan), format, verbose=verbose))


def _read(plan: str) -> str:
    if plan == "-":
        return sys.stdin.read()
    try:
        return Path(plan).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{plan}: cannot be read: {error}") from error
