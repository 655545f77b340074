"""Markdown: tables, and documents whose beginning is written by hand."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

MADE: Final = "<!-- Below this line: made by `make docs`. -->"
"""Parts what people write in a document from what is made."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    lines = ([*columns], ["---"] * len(columns), *rows)
    return [f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines]


def renewed(file: Path, made: str) -> str:
    """Return a document with its made part anew, and its hand-written part as it stands.

    Raises:
        ValueError: where the document does not say where its made part begins.
    """
    written, mark, _ = file.read_text(encoding="utf-8").partition(MADE)
    if not mark:
        raise ValueError(f"{file}: has no line {MADE}")
    return f"{written}{MADE}\n\n{made.strip()}\n"


def title(file: Path) -> str:
    """Return the title of a document."""
    first, *_ = file.read_text(encoding="utf-8").splitlines()
    return first.removeprefix("# ")
