"""What one topology opens that another does not, written for people and for machines. `write` is the one way in."""

import sys
from collections.abc import Callable, Mapping
from typing import Final

from cli.commands.options import Format
from cli.comparing import Comparison
from cli.errors import ExitCode
from cli.report.changes import machine, markdown, text

MACHINE: Final[Mapping[Format, Callable[[Comparison], str]]] = {Format.JSON: machine.render, Format.MARKDOWN: markdown.render}


def write(compared: Comparison, output: Format) -> ExitCode:
    """Write a comparison to standard output and return the exit code that says whether anything is wider."""
    if output is Format.TEXT:
        text.show(compared)
    else:
        sys.stdout.write(MACHINE[output](compared))
    return ExitCode.BROKEN if compared.wider else ExitCode.KEPT
