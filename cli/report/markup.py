"""Texts of others as GitHub Flavored Markdown: whatever they hold is shown as it stands.

A backslash before a punctuation character takes its meaning away (https://spec.commonmark.org/0.31.2/#backslash-escapes); in a cell of a
table that of `|` must be, in a code span too, and a line break would end the row (https://github.github.com/gfm/#tables-extension-).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_MEANING: Final = re.compile(r"([\\`*_\[\]<>#|~&$])")
"""Characters that begin something inside a line: emphasis, code, links, images, HTML, entities, mathematics."""

_BEGINNING: Final = re.compile(r"^(?=[-+=:])")
"""Before characters that begin a list, a heading's underline or a table's, where they stand first."""

_BACKTICKS: Final = re.compile(r"`+")


def escaped(text: str) -> str:
    """Return a text of which nothing is markup, on one line: for a cell, a heading, a paragraph or an item."""
    return _BEGINNING.sub(r"\\", _MEANING.sub(r"\\\1", " ".join(text.split())))


def code(text: str) -> str:
    """Return a text as a code span, on one line; nothing for nothing. Its fence is longer than any run of backticks in it."""
    line = " ".join(text.split()).replace("|", r"\|")
    if not line:
        return ""
    fence = "`" * (1 + max((len(run) for run in _BACKTICKS.findall(line)), default=0))
    space = " " if "`" in line else ""
    return f"{fence}{space}{line}{space}{fence}"


def codes(texts: Iterable[str]) -> str:
    """Return several code spans."""
    return ", ".join(map(code, texts))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table, with an empty one after it; none where there are no rows. Cells are markup already."""
    found = [*rows]
    return [*(f"| {' | '.join(cells)} |" for cells in (columns, ["---"] * len(columns), *found)), ""] if found else []
