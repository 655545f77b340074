"""Differences for people: below each other what is wider, what is neither, what is narrower."""

from rich.console import Group
from rich.rule import Rule as Line
from rich.text import Text

from cli.comparing import Comparison
from cli.console import console_for_people
from cli.report.changes.words import HEADINGS, NOUNS, SIGNS, asked, parties, spoken, verdict
from cli.report.text import columns
from topology.changes import Change
from topology.edges import Direction
from topology.terms import Width

COLOURS = {Width.WIDER: "red", Width.NEITHER: "yellow", Width.NARROWER: "green"}


def show(compared: Comparison) -> None:
    """Print a comparison."""
    console = console_for_people()
    console.print()
    console.print(Text.assemble(("perimeter diff ", "bold"), f"{compared.system}   ", (f"{compared.old} → {compared.new}", "dim")))
    for width, heading in HEADINGS.items():
        if found := [each for each in compared.changes if each.width is width]:
            table = columns(3)
            for each in found:
                table.add_row(Text(f"  {SIGNS[each.kind]}", style=COLOURS[width]), NOUNS[each.crossing.direction], _change(each))
            console.print()
            console.print(Text(heading, style="bold"))
            console.print(table)
    console.print()
    console.print(Line(style="dim"))
    mark, colour = ("✗", "red") if compared.wider else ("✓", "green")
    console.print(Text(f"{mark} {verdict(compared)}", style=f"bold {colour}"))


def _change(change: Change) -> Group:
    crossing = change.crossing
    door = crossing.direction is Direction.NORTH_SOUTH
    head = f"{crossing.door}: {asked(crossing)} → {parties(crossing)}" if door else f"{parties(crossing)}  {asked(crossing)}".rstrip()
    terms = columns(2)
    for name, text in spoken(change):
        terms.add_row(name, Text(text, style="dim"))
    return Group(Text(head, style="bold"), *([terms] if terms.row_count else []))
