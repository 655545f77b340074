"""`perimeter check`: plan and judge."""

import sys

from cli.commands.options import HERE, NO_STACK, Folder, Format, OutputFormat, Stack, TopologyFile, Verbose
from cli.judging import check_stack
from cli.project import Project
from cli.report import write


def check(
    stack: Stack = NO_STACK,
    topology: TopologyFile = None,
    format: OutputFormat = Format.TEXT,  # the option is called --format
    verbose: Verbose = False,
    project: Folder = HERE,
) -> None:
    """Plan a stack and prove its boundary, with values that only a deployment knows taken as unknown and then as stand-ins.

    Exit code 0: kept; 1: broken; 2: undecided, or bad input.
    """
    home = Project.find(project.resolve())
    sys.exit(write(check_stack(home, stack, home.topology_of(stack, topology)), format, verbose=verbose))
