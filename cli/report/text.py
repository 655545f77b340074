"""The verdict for people: what is open, what was held against it, what is wrong and by which path, and the word."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final

from rich.columns import Columns
from rich.console import Console, Group
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from cli.judging import Judged
from cli.report.entrances import entrances
from cli.report.environment import environment
from cli.report.findings import Outcome, Said, outcomes, said
from policies.rule import Verdict
from topology.edges import Direction, Edge
from topology.laws import notes

FEW = 12
"""Rows of doors or calls that are shown without --verbose."""

WIDTH = 120
"""Columns of output that goes to a file or a log."""

MARK: Final[Mapping[str, tuple[str, str]]] = {
    Outcome.KEPT: ("✓", "green"),
    Outcome.BROKEN: ("✗", "red"),
    Outcome.UNDECIDED: ("?", "yellow"),
    Outcome.NOT_APPLICABLE: ("–", "dim"),
}
"""By outcome, and by verdict, which is one too."""

COUNTED: Final[Mapping[Outcome, str]] = {**{each: str(each) for each in Outcome}, Outcome.NOT_APPLICABLE: "with nothing to judge"}
"""What is said of so many rules."""

WORD = {
    Verdict.KEPT: "KEPT      the plan allows exactly what the topology says",
    Verdict.BROKEN: "BROKEN    the plan does not keep the boundary",
    Verdict.UNDECIDED: "UNDECIDED the plan says too little to prove the boundary, so it does not pass",
}

LAYERS = {"B": "boundary", "W": "edge", "A": "gateway", "N": "network", "K": "kubernetes", "M": "mesh", "P": "plan"}
"""What the first letter of a rule's id stands for."""

TITLES = {
    Direction.NORTH_SOUTH: "doors",
    Direction.EAST_WEST: "calls",
    Direction.BRIDGE: "bridges",
    Direction.EGRESS: "egress",
}


SINGULAR = {Direction.NORTH_SOUTH: "door", Direction.EAST_WEST: "call", Direction.BRIDGE: "bridge", Direction.EGRESS: "egress"}


def console_for_people() -> Console:
    """Return a console as wide as the terminal; wide enough for a line of ours where there is none."""
    console = Console(highlight=False)
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(highlight=False, width=WIDTH)


def columns(count: int) -> Table:
    """Return a table of parties, paths and hops: a word that finds no room goes on in the next line, for none may be cut."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for _ in range(count):
        table.add_column(overflow="fold")
    return table


def show(judged: Judged, *, verbose: bool) -> None:
    """Print a verdict."""
    console = console_for_people()
    console.print()
    console.print(
        Text.assemble(
            ("perimeter ", "bold"),
            f"{judged.stack.intent.system} ",
            ("for ", "dim"),
            judged.subject,
            ("   " + judged.stack.intent.description, "dim"),
        )
    )
    for line in environment(judged).lines():
        console.print(Text(line, style="dim"))
    for direction, title in TITLES.items():
        edges = sorted(edge for edge in judged.stack.expected if edge.direction is direction)
        if edges:
            console.print()
            console.print(_edges(title, direction, edges, verbose=verbose))
    by_host = entrances(judged)
    if len(set(by_host.values())) > 1:
        console.print()
        console.print(_entrances(by_host))
    for note in notes(judged.stack.intent):
        console.print()
        console.print(Text.assemble(("note  ", "yellow"), str(note)))
    console.print()
    console.print(_rules(judged, verbose=verbose))
    for each in said(judged):
        console.print()
        console.print(_finding(each))
    console.print()
    console.print(Line(style="dim"))
    mark, colour = MARK[judged.verdict]
    console.print(Text(f"{mark} {WORD[judged.verdict]}", style=f"bold {colour}"))
    console.print(Text(_summary(judged), style="dim"))


def _edges(title: str, direction: Direction, edges: list[Edge], *, verbose: bool) -> Group:
    of_doors = direction is Direction.NORTH_SOUTH
    found: defaultdict[Row, set[str]] = defaultdict(set)
    for edge in edges:
        source, path = (edge.host, edge.entry) if of_doors else (short(edge.source), "" if edge.path == "*" else edge.path)
        row = Row(source=source, target=short(edge.target), path=path, credential=edge.credential)
        found[row].add("" if edge.method == "*" else edge.method)
    rows = sorted(found, key=attrgetter(*(("source", "path", "target") if of_doors else ("source", "target", "path")), "credential"))
    shown = {row: ",".join(sorted(found[row])) for row in (rows if verbose else rows[:FEW])}
    parts = _doors(shown) if of_doors else [_calls(shown)]
    more = [Text(f"  … and {len(rows) - len(shown)} more (--verbose)", style="dim")] if len(rows) > len(shown) else []
    return Group(Text(title, style="bold"), *parts, *more)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of doors or calls, but for its methods."""

    source: str
    """The host of a door; who calls."""
    target: str
    path: str
    credential: str


def _doors(rows: Mapping[Row, str]) -> list[Text | Table]:
    """Return the doors of each host below it, so that their paths have room."""
    parts: list[Text | Table] = []
    for host, doors in groupby(rows, key=attrgetter("source")):
        table = columns(5)
        for door in doors:
            table.add_row(f"    {rows[door]}", door.path, "→", door.target, Text(door.credential, style="dim"))
        parts += (Text(f"  {host}"), table)
    return parts


def _calls(rows: Mapping[Row, str]) -> Table:
    table = columns(4)
    for call, methods in rows.items():
        table.add_row(f"  {call.source}", "→", call.target, Text(f"{methods} {call.path}".strip(), style="dim"))
    return table


def _entrances(by_host: Mapping[str, tuple[str, ...]]) -> Group:
    """Return where clients of each host come in, which is worth a word where it is not the same for all."""
    table = columns(3)
    for host, public in by_host.items():
        table.add_row("  " + host, "←", Text("; ".join(public), style="dim"))
    return Group(Text("ways in", style="bold"), table)


def short(party: str) -> str:
    """Return a party as people name it: the account of an identity, else the party itself."""
    return party.rpartition("/sa/")[2]


def _rules(judged: Judged, *, verbose: bool) -> Group:
    verdicts = outcomes(judged)
    parts: list[Text | Padding | Columns] = [Text("rules", style="bold")]
    by_layer: defaultdict[str, list[Text]] = defaultdict(list)
    for result in judged.report.rules:
        mark, colour = MARK[verdicts[result.rule.id]]
        name = f" {result.rule.name.replace('-', ' ')}" if verbose else ""
        by_layer[result.rule.id[0]].append(Text.assemble((mark, colour), f" {result.rule.id}", (name, "dim")))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for letter, cells in sorted(by_layer.items(), key=lambda item: list(LAYERS).index(item[0])):
        table.add_row("  " + LAYERS[letter], Group(*cells) if verbose else Columns(cells, padding=(0, 2)))
    return Group(*parts, table)


def _finding(each: Said) -> Group:
    finding = each.finding
    mark, colour = MARK[finding.verdict]
    head = Text.assemble((f"{mark} {', '.join(each.rules)} ", f"bold {colour}"), (f"{each.severity}  ", colour), (finding.resource, "bold"))
    lines: list[Text | Padding] = [head, Padding(Text(finding.message), (0, 0, 0, 2))]
    if finding.path:
        table = columns(3)
        for number, hop in enumerate(finding.path, 1):
            table.add_row(Text(str(number), style="dim"), hop.place, Text(hop.allowed_by, style="dim"))
        lines.append(Padding(table, (0, 0, 0, 4)))
    if finding.fix:
        lines.append(Padding(Text.assemble(("→ ", "green"), finding.fix), (0, 0, 0, 2)))
    return Group(*lines)


def _summary(judged: Judged) -> str:
    counts = dict.fromkeys(TITLES, 0)
    for edge in judged.stack.expected:
        counts[edge.direction] += 1
    counts[Direction.NORTH_SOUTH] = len(judged.stack.intent.doors)  # a door is open to several methods and paths
    drawn = _join(f"{count} {TITLES[direction] if count > 1 else SINGULAR[direction]}" for direction, count in counts.items() if count)
    came = Counter(outcomes(judged).values())
    ruled = _join(f"{came[outcome]} {words}" for outcome, words in COUNTED.items() if came[outcome])
    excused = [f"{len(judged.report.exempted)} exempted"] if judged.report.exempted else []
    planned = [f"planned twice in {judged.planning:.1f} s"] if judged.planning else []
    lines = (
        [drawn, f"{judged.resources} resources"],
        [f"rules: {ruled}", *excused],
        [*planned, f"judged in {judged.judging:.2f} s"],
    )
    return "\n".join(" · ".join(line) for line in lines)


def _join(parts: Iterable[str]) -> str:
    return ", ".join(parts)
