"""Whether and why one party reaches another, for people."""

from typing import Final

from rich.text import Text

from cli.console import console_for_people
from cli.report.findings import Outcome
from cli.report.text import MARK, columns
from policies.explain import Explanation, Reach

OUTCOMES: Final = {Reach.YES: Outcome.KEPT, Reach.NO: Outcome.BROKEN, Reach.UNDECIDED: Outcome.UNDECIDED}
"""What an answer looks like."""


def show(answer: Explanation) -> None:
    """Print an explanation: the word, then every path hop by hop."""
    console = console_for_people()
    mark, colour = MARK[OUTCOMES[answer.reach]]
    console.print(Text.assemble((answer.source, "bold"), f" {mark} {answer.reach} ", (answer.target, "bold"), style=colour))
    for path in answer.paths:
        console.print()
        console.print(Text(path.title, style="bold"))
        table = columns(3)
        for number, hop in enumerate(path.hops, 1):
            table.add_row(Text(f"  {number}", style="dim"), hop.place, Text(hop.allowed_by, style="dim"))
        console.print(table)
