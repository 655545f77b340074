"""`perimeter plan`: what the program would create."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from cli.commands.options import HERE, NO_STACK, Folder, Stack, TopologyFile
from cli.files import PLAN, admit_file, write_file
from cli.planning import plan_one
from cli.project import Project
from planner.program import Mode

STANDARD_OUTPUT: Final = "-"


def plan(
    stack: Stack = NO_STACK,
    topology: TopologyFile = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write it, over a plan at most; - for standard output.")] = Path(
        "plan.json"
    ),
    optimistic: Annotated[bool, typer.Option("--optimistic", help="Give stand-ins to values that only a deployment knows.")] = False,
    project: Folder = HERE,
) -> None:
    """Run the Pulumi program without engine, login or credentials, and write its plan in the shape of a stack export."""
    home = Project.find(project.resolve())
    path = home.topology_of(stack, topology)
    if str(out) != STANDARD_OUTPUT:
        admit_file(out, PLAN)  # before seconds of planning
    made = plan_one(home, stack, path, Mode.OPTIMISTIC if optimistic else Mode.PESSIMISTIC)
    text = made.to_json()
    if str(out) == STANDARD_OUTPUT:
        typer.echo(text)
        return
    write_file(out, text + "\n", PLAN)
    Console(stderr=True, highlight=False).print(f"{len(made.resources)} resources planned for stack {stack}: {out}")
