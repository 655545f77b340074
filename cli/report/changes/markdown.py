"""Differences as Markdown, for the comment on a pull request."""

from collections.abc import Iterator

from cli.comparing import Comparison
from cli.report.changes.words import HEADINGS, NOUNS, asked, parties, spoken, verdict
from cli.report.markup import code, escaped, table
from topology.changes import Change

COLUMNS = ("", "what", "asked", "who is asked, or who asks whom", "terms")


def render(compared: Comparison) -> str:
    """Return a comparison as a heading, the word, and a table for each width."""
    mark = "✗" if compared.wider else "✓"
    word, said = verdict(compared).split("  ", 1)
    return "\n".join(
        [
            f"## Boundary of {escaped(compared.system)}: {mark} {word.lower()}",
            "",
            f"{escaped(said.strip().capitalize())}: {code(compared.old)} → {code(compared.new)}.",
            "",
            *_tables(compared),
        ]
    )


def _tables(compared: Comparison) -> Iterator[str]:
    for width, heading in HEADINGS.items():
        if found := [each for each in compared.changes if each.width is width]:
            yield from (f"### {heading.capitalize()}", "", *table(COLUMNS, map(_row, found)))


def _row(change: Change) -> tuple[str, ...]:
    crossing = change.crossing
    what = " ".join((NOUNS[crossing.direction], code(crossing.door))).strip()
    terms = "<br>".join(f"{escaped(name)}: {escaped(text)}" for name, text in spoken(change))
    return (change.kind, what, code(asked(crossing)), escaped(parties(crossing)), terms)
