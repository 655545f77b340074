"""Verdicts, written for people and for machines. `write` is the one way in."""

import sys

from cli.commands.options import Format
from cli.errors import ExitCode
from cli.judging import Judged
from cli.report import json_report, junit, markdown, sarif, text
from policies.rule import Verdict

EXIT = {Verdict.KEPT: ExitCode.KEPT, Verdict.BROKEN: ExitCode.BROKEN, Verdict.UNDECIDED: ExitCode.UNDECIDED}

MACHINE = {Format.JSON: json_report.render, Format.SARIF: sarif.render, Format.JUNIT: junit.render, Format.MARKDOWN: markdown.render}


def write(judged: Judged, output: Format, *, verbose: bool) -> ExitCode:
    """Write a verdict to standard output and return the exit code that says the same."""
    if output is Format.TEXT:
        text.show(judged, verbose=verbose)
    else:
        sys.stdout.write(MACHINE[output](judged))
    return EXIT[judged.verdict]
