"""`perimeter cost`: what a stack costs in a month."""

from enum import StrEnum
from typing import Annotated

import typer

from cli.commands.options import HERE, NO_STACK, Folder, Stack, TopologyFile
from cli.errors import ExitCode
from cli.planning import plan_one
from cli.project import Project
from cli.report.cost import show, to_json
from costs.estimate import estimate
from planner.program import Mode


class CostFormat(StrEnum):
    """How an estimate is written."""

    TEXT = "text"
    JSON = "json"


def cost(
    stack: Stack = NO_STACK,
    topology: TopologyFile = None,
    output: Annotated[CostFormat, typer.Option("--format", "-f", help="How to write the estimate.")] = CostFormat.TEXT,
    project: Folder = HERE,
) -> None:
    """Estimate a stack's monthly cost by layer from the resources of its plan; exit 2 if something in it has no price."""
    home = Project.find(project.resolve())
    made = plan_one(home, stack, home.topology_of(stack, topology), Mode.PESSIMISTIC)
    found = estimate(made.resources)
    if output is CostFormat.JSON:
        typer.echo(to_json(stack, found))
    else:
        show(stack, found)
    if found.gaps:
        raise typer.Exit(ExitCode.UNDECIDED)
