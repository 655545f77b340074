"""Lists of documents, by their titles."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from cli.documents.markdown import title

INDEX: Final = "README.md"

ORDER: Final[dict[str, tuple[str, ...]]] = {
    "Begin here": ("own-system.md", "topology.md", "services.md", "browsers.md", "stack.md"),
    "Running a system": ("deploy.md", "verify.md", "exemptions.md", "lab.md", "environments", "multi-region.md"),
    "How it is made, and what shows it": ("architecture.md", "evidence.md", "performance.md", "rules/README.md", "adr/README.md"),
}
"""Which document stands where; a folder is all of its documents."""


def documents(folder: Path) -> str:
    """Return the list of all documents.

    Raises:
        ValueError: if one of them has no place in `ORDER`.
    """
    listed = {heading: [file for entry in entries for file in _files(folder / entry)] for heading, entries in ORDER.items()}
    known = {file for files in listed.values() for file in files} | {folder / INDEX}
    if forgotten := sorted(file.name for file in folder.glob("*.md") if file not in known):
        raise ValueError(f"no place in the list of documents: {', '.join(forgotten)}. Add it to ORDER in cli/documents/listing.py.")
    return "\n\n".join(f"## {heading}\n\n{_list(files, folder)}" for heading, files in listed.items())


def decisions(folder: Path) -> str:
    """Return the list of architecture decision records."""
    return _list((file for file in sorted(folder.glob("*.md")) if file.name != INDEX), folder)


def _files(entry: Path) -> list[Path]:
    return sorted(entry.glob("*.md")) if entry.is_dir() else [entry]


def _list(files: Iterable[Path], folder: Path) -> str:
    return "\n".join(f"* [{title(file)}]({file.relative_to(folder)})" for file in files)
