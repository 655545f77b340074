"""`perimeter diff`: what a change of the topology opens."""

import sys
from enum import StrEnum
from typing import Annotated

import typer

from cli.commands.options import Format, asks_format
from cli.comparing import compare
from cli.report.changes import write


class DiffFormat(StrEnum):
    """How a comparison is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


Side = Annotated[
    str, typer.Argument(help="Topology file, or one at a revision of git: `main:stacks/abc.topology.yaml`.", show_default=False)
]
DiffOutput = Annotated[DiffFormat, typer.Option("--format", "-f", help="How to write it; markdown for a comment.", callback=asks_format)]


def diff(
    old: Side,
    new: Side,
    format: DiffOutput = DiffFormat.TEXT,  # the option is called --format
) -> None:
    """Say what crosses the boundary of NEW that did not cross that of OLD, and the other way round: doors, calls, bridges, egress.

    What cannot be shown to let no more through counts as wider. Exit code 0: nothing is wider; 1: something is; 2: bad input.
    """
    sys.exit(write(compare(old, new), Format(format)))
