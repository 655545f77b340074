"""`perimeter explain`: whether and why one party can reach another."""

import sys
from typing import Annotated, Final

import typer

from cli.commands.options import HERE, Folder, TopologyFile
from cli.errors import ExitCode
from cli.judging import read_stack
from cli.planning import plan_one
from cli.project import Project
from cli.report.explanation import show
from planner.program import Mode
from policies.explain import Reach
from policies.explain import explain as explain_reach

Source = Annotated[str, typer.Argument(help="A service, `internet`, `anyone`, or an outside host.", show_default=False)]
Target = Annotated[str, typer.Argument(help="A service, or an outside host.", show_default=False)]

EXITS: Final = {Reach.YES: ExitCode.KEPT, Reach.NO: ExitCode.BROKEN, Reach.UNDECIDED: ExitCode.UNDECIDED}


def explain(
    source: Source,
    target: Target,
    stack: Annotated[str, typer.Option("--stack", "-s", help="Stack name.")] = "local",
    topology: TopologyFile = None,
    project: Folder = HERE,
) -> None:
    """Say whether SOURCE can reach TARGET in the planned stack, and which resource allows or refuses each hop.

    `internet`: every client outside. It has the public addresses and whatever credentials it was given; consumers are part of it.

    `anyone`: whoever has an address in the cluster, such as a stranger's pod: past edge and gateway, without an identity of the mesh.

    Exit code 0: it can reach it; 1: it cannot; 2: undecided, or bad input.
    """
    home = Project.find(project.resolve())
    path = home.topology_of(stack, topology)
    view = read_stack(home, plan_one(home, stack, path, Mode.PESSIMISTIC), path)
    answer = explain_reach(view, source, target)
    show(answer)
    sys.exit(EXITS[answer.reach])
