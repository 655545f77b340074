"""Whether and why one party reaches another, for people."""

from rich.table import Table
from rich.text import Text

from cli.report.text import console_for_people
from policies.explain import Explanation


def show(answer: Explanation) -> None:
    """Print an explanation: the word, then every path hop by hop."""
    console = console_for_people()
    mark, colour = ("✓ can reach", "green") if answer.reachable else ("✗ cannot reach", "red")
    console.print(Text.assemble((answer.source, "bold"), f" {mark} ", (answer.target, "bold"), style=colour))
    for path in answer.paths:
        console.print()
        console.print(Text(path.title, style="bold"))
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for number, hop in enumerate(path.hops, 1):
            table.add_row(Text(f"  {number}", style="dim"), hop.place, Text(hop.allowed_by, style="dim"))
        console.print(table)
