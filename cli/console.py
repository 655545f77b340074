"""Where people read what a command says."""

import io
import os
import re
import sys
from typing import IO, Final, cast

from rich.console import Console

WIDTH: Final = 120
"""Columns of output that goes to a file or a log."""


class _Trimmed(io.TextIOBase):
    """Standard output without the blanks with which tables fill their lines: nobody sees them, and tools that compare lines do."""

    def write(self, text: str) -> int:
        return sys.stdout.write(re.sub(r"[ ]+$", "", text, flags=re.MULTILINE))

    def flush(self) -> None:
        sys.stdout.flush()


def console_for_people() -> Console:
    """Return a console as wide as the terminal; wide enough for a line of ours where there is none, and without blanks at the ends of lines."""
    console = Console(highlight=False)
    if console.is_terminal:
        return console
    return Console(highlight=False, width=None if "COLUMNS" in os.environ else WIDTH, file=cast(IO[str], _Trimmed()))
