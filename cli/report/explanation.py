"""Whether and why one party reaches another, for people."""

from typing import Final

from rich.text import Text

from cli.report.text import columns, console_for_people
from policies.explain import Explanation, Reach

MARK: Final = {Reach.YES: ("✓", "green"), Reach.NO: ("✗", "red"), Reach.UNDECIDED: ("?", "yellow")}


def show(answer: Explanation) -> None:
    """Print an explanation: the word, then every path hop by hop."""
    console = console_for_people()
    mark, colour = MARK[answer.reach]
    console.print(Text.assemble((answer.source, "bold"), f" {mark} {answer.reach} ", (answer.target, "bold"), style=colour))
    for path in answer.paths:
        console.print()
        console.print(Text(path.title, style="bold"))
        table = columns(3)
        for number, hop in enumerate(path.hops, 1):
            table.add_row(Text(f"  {number}", style="dim"), hop.place, Text(hop.allowed_by, style="dim"))
        console.print(table)
