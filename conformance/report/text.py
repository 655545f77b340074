"""The word on a running system for people: one line for each kind of probe, then what failed, then what was not run and why."""

import os

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.report import Outcome, Report
from conformance.runner import Result, counted
from conformance.verdict import Verdict

WIDTH = 120
FEW = 20
"""Failures or reasons that are shown without --verbose."""
WORD = {
    Outcome.SUCCESS: ("SUCCESS  the running system does exactly what the topology says", "green"),
    Outcome.PARTIAL: ("PARTIAL  nothing contradicts the topology, but not everything was asked", "yellow"),
    Outcome.FAILURE: ("FAILURE  the running system does not do what the topology says", "red"),
}
MARK = {Verdict.PASSED: ("✓", "green"), Verdict.FAILED: ("✗", "red"), Verdict.NOT_RUN: ("?", "yellow")}


def console_for_people() -> Console:
    """Return a console as wide as the terminal; wide enough for a line of ours where there is none."""
    console = Console(highlight=False)
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(highlight=False, width=WIDTH)


def show(report: Report, *, verbose: bool = False, console: Console | None = None) -> None:
    """Print a report."""
    console = console or console_for_people()
    console.print(Text.assemble(("perimeter verify ", "bold"), f"{report.system} ", ("on ", "dim"), report.subject))
    console.print()
    console.print(_families(report))
    for result in _some(report.of(Verdict.FAILED), verbose=verbose):
        console.print()
        console.print(_failure(result))
    _rest(console, len(report.of(Verdict.FAILED)), verbose=verbose)
    reasons = report.reasons()
    if reasons or report.left_out:
        console.print()
        console.print(Text("not run", style="bold"))
        for why, results in reasons if verbose else reasons[:FEW]:
            families = ", ".join(dict.fromkeys(str(result.probe.family) for result in results))
            console.print(Text.assemble(("  ? ", "yellow"), f"{len(results):4} ", (f"{families}: ", "dim"), why))
        _rest(console, len(reasons), verbose=verbose)
        for what, why in report.left_out:
            console.print(Text.assemble(("  ? ", "yellow"), "   - ", (f"{what}: ", "dim"), why))
    counts = counted(report.results)
    word, colour = WORD[report.outcome]
    console.print()
    console.print(Text(word, style=f"bold {colour}"))
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    console.print(Text(f"{len(report.results)} probes in {report.seconds:.0f} s: {said}", style="dim"))


def _some(results: list[Result], *, verbose: bool) -> list[Result]:
    return results if verbose else results[:FEW]


def _rest(console: Console, count: int, *, verbose: bool) -> None:
    if count > FEW and not verbose:
        console.print(Text(f"  … and {count - FEW} more, with --verbose", style="dim"))


def _families(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading, side in (("", "left"), ("probes", "left"), ("passed", "right"), ("failed", "right"), ("not run", "right")):
        table.add_column(heading, justify="right" if side == "right" else "left")
    for family, results in report.by_family().items():
        counts = counted(results)
        worst = next((verdict for verdict in (Verdict.FAILED, Verdict.NOT_RUN) if counts[verdict]), Verdict.PASSED)
        mark, colour = MARK[worst]
        shown = [str(counts[verdict]) if counts[verdict] else "" for verdict in Verdict]
        table.add_row(Text(mark, style=colour), str(family), *shown)
    return table


def _failure(result: Result) -> Text:
    probe = result.probe
    return Text.assemble(
        ("✗ ", "red"),
        (probe.id, "bold"),
        f"\n    {probe.vantage} → {probe.target}: {probe.request.method} {probe.request.path[:100]}",
        (f"\n    because  {probe.why}", "dim"),
        f"\n    seen     {result.said}",
    )
