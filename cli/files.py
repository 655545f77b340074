"""Files that a command writes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

from cli.errors import UsageError

Kind = Callable[[str], bool]
"""Says whether a text is what a command writes, and may therefore be written over."""


def _json_with(*keys: str) -> Kind:
    def says(text: str) -> bool:
        try:
            document: Any = json.loads(text)
        except (ValueError, RecursionError):
            return False
        return isinstance(document, dict) and set(keys) <= cast(dict[str, Any], document).keys()

    return says


PLAN: Final = _json_with("version", "deployment")
"""A plan of ours or a stack export."""
SCHEMA: Final = _json_with("$schema", "$defs")
REPORT: Final = _json_with("system", "outcome")


def is_junit(text: str) -> bool:
    """Say whether a text is a JUnit report."""
    return text.startswith("<?xml") and "<testsuite" in text


def page_titled(title: str) -> Kind:
    """Return what knows a page of Markdown by the beginning of its title."""
    return lambda text: text.startswith(f"# {title}")


def admit_file(file: Path, kind: Kind) -> None:
    """Admit a place for a file: an existing folder, and nothing there that a command of this kind did not write.

    Raises:
        UsageError: with what is there, or what stands in the way.
    """
    if not file.parent.is_dir():
        raise UsageError(f"{file}: cannot be written: {_missing(file.parent)}. Name another place.")
    if not file.is_file():  # a device, or nothing; a folder is refused when it is opened
        return
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = "?"
    if text.strip() and not kind(text):
        raise UsageError(
            f"{file}: is there, and holds something else than this command writes. Name another place, or remove it first. "
            "A topology is named with --topology (-t)."
        )


def write_file(file: Path, text: str, kind: Kind) -> None:
    """Write a file where there is none, or over one of the same kind. No folder is made.

    Raises:
        UsageError: where that cannot be.
    """
    admit_file(file, kind)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror or error}. Name another place.") from error


def _missing(folder: Path) -> str:
    """Return what keeps a folder from being one, in the words for it."""
    blocks = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    return f"there is no folder {folder}" if blocks.is_dir() else f"{blocks} is no folder"
