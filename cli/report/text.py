"""The verdict for people: what is open, what was held against it, what is wrong and by which path, and the word."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Final

from rich.console import Group
from rich.padding import Padding
from rich.rule import Rule as Line
from rich.table import Table
from rich.text import Text

from cli.console import console_for_people
from cli.judging import Judged
from cli.problems import nearby
from cli.report.entrances import entrances
from cli.report.environment import environment
from cli.report.findings import Outcome, Said, outcomes, said
from cli.report.rows import Row, call_rows, door_rows
from policies.exemptions import Exemption
from policies.rule import Rule, Verdict
from topology.edges import Direction
from topology.laws import notes

FEW = 12
"""Rows of doors or calls that are shown without --verbose."""

MARK: Final[Mapping[str, tuple[str, str]]] = {
    Outcome.KEPT: ("✓", "green"),
    Outcome.BROKEN: ("✗", "red"),
    Outcome.UNDECIDED: ("?", "yellow"),
    Outcome.NOT_APPLICABLE: ("–", "dim"),
}
"""By outcome, and by verdict, which is one too."""

BLOCKING: Final = frozenset({Outcome.BROKEN, Outcome.UNDECIDED})
"""Rules of these outcomes are always named."""

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
    for direction in TITLES:
        if any(edge.direction is direction for edge in judged.stack.expected):
            console.print()
            console.print(_edges(judged, direction, verbose=verbose))
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
        console.print(_finding(each, nearby(judged.topology)))
    for each in judged.report.unused:
        console.print()
        console.print(_unused(each))
    console.print()
    console.print(Line(style="dim"))
    mark, colour = MARK[judged.verdict]
    console.print(Text(f"{mark} {WORD[judged.verdict]}", style=f"bold {colour}"))
    console.print(Text("\n".join(summary(judged)), style="dim"))


def _edges(judged: Judged, direction: Direction, *, verbose: bool) -> Group:
    """Return the doors, or the calls of a direction: the methods of each path in one line."""
    rows = door_rows(judged.stack.intent, verbose=verbose) if direction is Direction.NORTH_SOUTH else call_rows(judged, direction)
    shown = rows if verbose else rows[:FEW]
    parts = _doors(shown) if direction is Direction.NORTH_SOUTH else [_calls(shown)]
    more = [Text(f"  … and {len(rows) - len(shown)} more (--verbose)", style="dim")] if len(rows) > len(shown) else []
    return Group(Text(TITLES[direction], style="bold"), *parts, *more)


def _doors(rows: Iterable[Row]) -> list[Text | Table]:
    """Return the doors of each host below it, so that their paths have room."""
    parts: list[Text | Table] = []
    for host, doors in groupby(rows, key=attrgetter("source")):
        table = columns(5)
        for door in doors:
            table.add_row(f"    {door.methods}", door.path, "→", door.target, Text(door.terms, style="dim"))
        parts += (Text(f"  {host}"), table)
    return parts


def _calls(rows: Iterable[Row]) -> Table:
    table = columns(4)
    for call in rows:
        table.add_row(f"  {call.source}", "→", call.target, Text(f"{call.methods} {call.path}".strip(), style="dim"))
    return table


def _entrances(by_host: Mapping[str, tuple[str, ...]]) -> Group:
    """Return where clients of each host come in, which is worth a word where it is not the same for all."""
    table = columns(3)
    for host, public in by_host.items():
        table.add_row("  " + host, "←", Text("; ".join(public), style="dim"))
    return Group(Text("ways in", style="bold"), table)


def _rules(judged: Judged, *, verbose: bool) -> Group:
    """Return how many rules of each layer are kept, and by name those that are not; all by name where that is asked for."""
    verdicts = outcomes(judged)
    by_layer: defaultdict[str, list[Rule]] = defaultdict(list)
    for result in judged.report.rules:
        by_layer[result.rule.id[0]].append(result.rule)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for letter, rules in sorted(by_layer.items(), key=lambda item: list(LAYERS).index(item[0])):
        named = [_named(rule, verdicts[rule.id]) for rule in rules if verbose or verdicts[rule.id] in BLOCKING]
        counted = [] if verbose else _counted(verdicts[rule.id] for rule in rules)
        table.add_row("  " + LAYERS[letter], Group(*counted, *named))
    return Group(Text.assemble(("rules", "bold"), ("" if verbose else "         --verbose names all", "dim")), table)


def _counted(verdicts: Iterable[Outcome]) -> list[Text]:
    """Return in one line how many rules do not block; none where all do."""
    counts = Counter(verdicts)
    parts = [Text.assemble(MARK[each], f" {counts[each]} {COUNTED[each]}") for each in Outcome if each not in BLOCKING and counts[each]]
    return [Text("  ").join(parts)] if parts else []


def _named(rule: Rule, verdict: Outcome) -> Text:
    return Text.assemble(MARK[verdict], f" {rule.id} ", (rule.name.replace("-", " "), "dim"))


def _finding(each: Said, topology: str) -> Group:
    finding, origin = each.finding, each.origin
    mark, colour = MARK[finding.verdict]
    head = Text.assemble((f"{mark} {', '.join(each.rules)} ", f"bold {colour}"), (f"{each.severity}  ", colour), (finding.resource, "bold"))
    if origin:
        head.append(f"  {topology}:{origin.line}: {origin.where}", "dim")
    lines: list[Text | Padding] = [head, Padding(Text(finding.message), (0, 0, 0, 2))]
    if finding.path:
        table = columns(3)
        for number, hop in enumerate(finding.path, 1):
            table.add_row(Text(str(number), style="dim"), hop.place, Text(hop.allowed_by, style="dim"))
        lines.append(Padding(table, (0, 0, 0, 4)))
    if finding.fix:
        lines.append(Padding(Text.assemble(("→ ", "green"), finding.fix), (0, 0, 0, 2)))
    return Group(*lines)


def _unused(exemption: Exemption) -> Group:
    """Return an exemption whose reason is gone: nothing says any more that it is needed, and it would excuse what comes."""
    head = Text.assemble(("note  ", "yellow"), f"the exemption of {exemption.rule} for ", (exemption.resource, "bold"), " excuses nothing")
    whose = f"{exemption.owner}, until {exemption.expires}: {exemption.reason}"
    return Group(head, Padding(Text(whose, style="dim"), (0, 0, 0, 2)), Padding(Text.assemble(("→ ", "green"), "remove it"), (0, 0, 0, 2)))


def summary(judged: Judged) -> list[str]:
    """Return what was held against what, in a few lines: counts and times."""
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
    return [" · ".join(line) for line in lines]


def _join(parts: Iterable[str]) -> str:
    return ", ".join(parts)
